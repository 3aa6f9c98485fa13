public import OBISDecoder

/// A quantity that the gateway knows by name; its number is frozen.
///
/// What no entry of the registry names has no quantity, and so can never be released.
public struct Quantity: RawRepresentable, Equatable, Sendable, BitwiseCopyable {
  /// How a window of values becomes one.
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// Mean of the window's samples.
    case gauge
    /// Ever-growing register: last value, difference, or counted from the grant's start.
    case register
    /// Ever-growing count of events, treated like a register.
    case count
    /// The last value holds.
    case state
  }

  /// The form that a payload key takes, by what the number means there.
  enum KeyForm: UInt8 {
    /// The value itself, or the energy of the window.
    case plain
    /// The meter's absolute register, in payloads for recipients.
    case register
    /// Counted from the grant's start.
    case sinceStart
    /// Of one M-Bus channel, where several measure the same.
    case channel
  }

  /// The id, an index of the registry.
  public let rawValue: UInt8

  /// Takes an id as it is; one that the registry does not have is no `isKnown` quantity.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  init(_ id: Int) { rawValue = UInt8(truncatingIfNeeded: id) }

  /// One more than the highest id: bound for loops over all quantities without heap, and the length of
  /// `EachQuantity`.
  public static let idBound = 137

  private var entry: QuantityTable.Entry {
    Int(rawValue) < Quantity.idBound ? QuantityTable.entries[Int(rawValue)] : .free(rawValue)
  }

  /// Whether the registry has it.
  public var isKnown: Bool { entry.category.rawValue != 0 }
  /// Its name in snake case (`active_power_import_l1`); empty if unknown.
  public var name: StaticString { entry.name }
  /// Its base unit.
  public var unit: Unit { entry.unit }
  /// The category that a grant must hold to see it.
  public var category: CategorySet { entry.category }
  /// How a window of values becomes one.
  public var kind: Kind { entry.kind }
  /// Whether it only ever grows, so that digits too fine to keep are cut and not rounded.
  var isGrowing: Bool { kind == .register || kind == .count }
  /// Whether grants to recipients outside the house can release it.
  public var isForRecipients: Bool { entry.audience == .recipients }

  /// The quantity that a reading is of; nil if its code or its unit is not in the registry.
  ///
  /// Channel 0 and any medium count by C.D.E; sub-meters by what their device type measures.
  public static func of(_ reading: Reading) -> Quantity? {
    let code = reading.code
    // F other than 255 is a past billing period.
    guard code.f == 255 else { return nil }
    if code.c == 24, code.d == 2 { return ofSubMeter(reading) }
    // Abstract codes of an M-Bus channel (0-1:96.3.10, its valve) are not those of the meter.
    if code.a == 0, code.b != 0, code.c >= 96 { return nil }
    let found = Quantity(rawValue: QuantityIndex.id(code.cde, reading.unit.rawValue))
    let entry = found.entry
    return code.cde != 0 && entry.cde == code.cde && entry.unit == reading.unit ? found : nil
  }

  private static func ofSubMeter(_ reading: Reading) -> Quantity? {
    let code = reading.code
    guard code.a == 0, (1...4).contains(code.b), code.e == 1 || code.e == 3 else {
      return nil
    }
    let kind: Int
    switch (reading.medium, reading.unit) {
    case (.gas, .cubicMetre): kind = 0
    case (.water, .cubicMetre): kind = 1
    case (.thermal, .joule): kind = 2
    default: return nil
    }
    return Quantity(80 + (Int(code.b) - 1) * 3 + kind)
  }

  /// The M-Bus channel of a sub-meter quantity, 1…4; 0 for the meter itself.
  public var channel: UInt8 { rawValue >= 80 && rawValue < 92 ? (rawValue - 80) / 3 + 1 : 0 }

  /// The register that a derived quantity is computed from; itself if it is measured.
  var measured: Quantity {
    switch rawValue {
    case 10...19: Quantity(rawValue: rawValue - 10)
    case 20: .energyImport
    case 21: .energyExport
    default: self
    }
  }

  static let energyImport = Quantity(0)
  static let energyExport = Quantity(5)
  /// The energy of a window.
  static let intervalImport = Quantity(10)
  static let intervalExport = Quantity(15)
  static let activePowerImport = Quantity(22)
  static let activePowerNet = Quantity(23)
  static let activePowerExport = Quantity(24)
  static let meterTime = Quantity(74)
}

// MARK: - Keys

extension Quantity {
  /// Appends the payload key: name, underscore, unit in lower case; the name alone for unit one.
  public func writeKey<let size: Int>(to out: inout ByteBuffer<size>) {
    writeKey(.plain, to: &out)
  }

  func writeKey<let size: Int>(_ form: KeyForm, to out: inout ByteBuffer<size>) {
    out.append(name)
    switch form {
    case .plain: break
    case .register: out.append("_register")
    case .sinceStart: out.append("_since_start")
    case .channel:
      out.append("_channel")
      out.append(integer: Int64(channel))
    }
    guard unit != .one else { return }
    out.append(UInt8(ascii: "_"))
    let symbol = unit.symbol
    let start = unsafe symbol.utf8Start
    for index in 0..<symbol.utf8CodeUnitCount {
      let byte = unsafe start[index]
      out.append(byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte)
    }
  }
}

// MARK: - Home Assistant

extension Quantity {
  /// Home Assistant's device class; empty where it has none that every version accepts.
  public var deviceClass: StaticString {
    switch unit {
    case .watt: "power"
    case .wattHour, .joule: "energy"
    case .voltAmpere: "apparent_power"
    case .reactiveVoltAmpere: "reactive_power"
    case .volt: "voltage"
    case .ampere: "current"
    case .hertz: "frequency"
    case .cubicMetre: category == .m2 ? "water" : "gas"
    case .second: "duration"
    case .one: category == .f1 ? "power_factor" : ""
    case .voltAmpereHour, .reactiveVoltAmpereHour, .degree: ""
    }
  }

  /// Home Assistant's state class; empty for values that have none.
  public var stateClass: StaticString {
    switch kind {
    case .gauge: "measurement"
    case .register, .count: "total_increasing"
    case .state: unit == .one ? "" : "measurement"
    }
  }

  /// The unit as Home Assistant spells it; empty for a plain number.
  public var homeAssistantUnit: StaticString {
    switch unit {
    case .cubicMetre: "m³"
    case .one: ""
    default: unit.symbol
    }
  }
}

#if !hasFeature(Embedded)
  extension Quantity {
    /// The payload key (`active_power_import_w`).
    public var key: String {
      var out = ByteBuffer<64>()
      writeKey(to: &out)
      return out.text
    }

    /// Every quantity of the registry, in the order of their ids.
    public static var all: [Quantity] {
      (0..<idBound).map { Quantity($0) }.filter(\.isKnown)
    }
  }

  extension Quantity: Hashable {}
#endif

/// One value for each id of the registry, in place.
typealias EachQuantity<Value> = InlineArray<137, Value>
