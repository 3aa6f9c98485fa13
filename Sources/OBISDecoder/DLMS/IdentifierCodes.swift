extension Secret.Kind {
  /// What a text or code identifies, by the OBIS code it stands under in a DLMS list.
  ///
  ///     CODE              KIND             SOURCE
  ///     x-x:0.0.x         meter number     Blue Book, "device ID numbers"; Kamstrup 1-1:0.0.5 (GS1)
  ///     0-0:42.0.0        meter number     Blue Book, "COSEM logical device name"
  ///     0-0:96.1.x        meter number     Blue Book, "device ID"; NVE list 0-0:96.1.0
  ///     0-n:96.1.x        sub-meter        n = 1 … 4
  ///     0-0:96.1.7        meter type       NVE list (Aidon, Kaifa)
  ///     1-x:96.1.1        meter type       Kamstrup HAN-NVE interface description
  ///     x-x:0.2.x         meter type       list version (0.2.129), firmware (0.2.0)
  ///     0-x:25.9.0        meter number     Blue Book, "Push setup": AM550 and IM350 put the meter's
  ///                                        number under its name (Wiener Netze, Netz OÖ)
  ///     0-x:43.x          key material     Blue Book, "Security setup", invocation counters
  ///     0-0:96.13.x       message          Blue Book, "consumer message"
  init(dlms code: OBISCode) {
    switch (code.c, code.d) {
    case (0, 0): self = .meterNumber
    case (25, 9) where code.a == 0: self = .meterNumber
    case (0, 2): self = .meterType
    // Under medium electricity 42 and 43 are powers of L2.
    case (42, _) where code.a == 0: self = .meterNumber
    case (43, _) where code.a == 0: self = .keyMaterial
    case (96, 13): self = .message
    case (96, 1):
      let isType = code.a == 1 ? code.e == 1 : code.b == 0 && code.e == 7
      let isSubMeter = code.a != 1 && code.b != 0
      self = isType ? .meterType : isSubMeter ? .subMeterNumber : .meterNumber
    default: self = .unknown
    }
  }
}

extension OBISCode {
  /// Whether a number under the code is a measured value of electricity, gas, water or heat.
  ///
  /// Beside electricity that is 0-n:24.2.x, the value of an M-Bus meter (Blue Book, "M-Bus client").
  var isMeasured: Bool {
    ElectricalQuantity(self) != nil || a == 0 && c == 24 && d == 2
  }

  /// Whether the code names the clock: x-x:1.0.0.
  var isClock: Bool { a == 0 && cde == OBISCode.cde(1, 0, 0) }

  /// Whether a number under the code may identify something, whatever its unit says.
  var namesIdentifier: Bool { Secret.Kind(dlms: self) != .unknown }

  /// What the code's device measures, by group A (Blue Book, "Value group A").
  var medium: Medium {
    switch a {
    case 1: .electricity
    case 0: b == 0 ? .electricity : .unknown
    case 4, 5, 6: .thermal
    case 7: .gas
    case 8, 9: .water
    default: .unknown
    }
  }
}
