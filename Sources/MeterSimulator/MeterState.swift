public import OBISDecoder

/// Everything that a meter knows at one moment, from which any dialect's frame can be made.
public struct MeterState: Sendable {
  /// Measured values in base units (W, Wh, V, A …); a missing one makes the line absent.
  ///
  /// Keyed by the code without the manufacturer's channel (1-0:…), or by the dialect's own code.
  public var values: [OBISCode: Decimal]
  /// The meter's clock, nil for a meter without or with an unset one.
  public var clock: MeterTime?
  /// Sub-meters on M-Bus channels.
  public var subMeters: [SubMeterState]
  /// Highest quarter-hour demand of this month.
  public var monthPeak: DemandPeak?
  /// Highest demands of past months, oldest first.
  public var peaks: [DemandPeak]
  /// Long power failures, oldest first.
  public var failures: [PowerFailure]
  /// Text message of the grid company, empty for none.
  public var message: [UInt8]
  /// Numeric message, empty for none.
  public var messageCode: [UInt8]
  /// Values of the last billing period, in the dialect's own order.
  public var billing: [Decimal]
  /// When the billing period closed.
  public var billingTime: MeterTime?

  /// Makes a state in which everything is absent.
  public init() {
    values = [:]
    subMeters = []
    peaks = []
    failures = []
    message = []
    messageCode = []
    billing = []
  }

  /// The value under `code`, else under the same code of channel 0.
  func value(for code: OBISCode) -> Decimal? {
    values[code] ?? values[OBISCode(code.a, 0, code.c, code.d, code.e)]
  }
}

/// A meter of gas, water, heat … on one of the electricity meter's M-Bus channels.
public struct SubMeterState: Sendable {
  /// 1…4.
  public var channel: UInt8
  /// M-Bus device type: 3 gas, 4 heat, 7 water … (EN 13757-3, device types).
  public var deviceType: UInt8
  /// Its number, nil for a channel that has none.
  public var number: String?
  /// Metering point, where the dialect sends it.
  public var meteringPoint: String?
  /// When the value was captured; nil is sent as a date that cannot be.
  public var time: MeterTime?
  /// The register in m³, J or Wh, by device type; nil for a channel without a value.
  public var value: Decimal?
  /// 1 open, 0 closed, where the dialect sends it.
  public var valve: UInt8?

  /// Makes a sub-meter that has sent nothing.
  public init(channel: UInt8, deviceType: UInt8) {
    self.channel = channel
    self.deviceType = deviceType
  }
}

/// The highest mean power of a quarter-hour, and when it was reached.
public struct DemandPeak: Sendable, Equatable {
  /// When the month was closed; nil for the running month.
  public var closed: MeterTime?
  /// End of the quarter-hour, nil if there was none.
  public var reached: MeterTime?
  /// In watts.
  public var watts: Int64
}

/// A long power failure.
public struct PowerFailure: Sendable, Equatable {
  /// When the power came back.
  public var ended: MeterTime
  /// How long it was away.
  public var seconds: Int64
}
