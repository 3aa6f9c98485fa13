public import OBISDecoder

/// One whole number for each line of a supply; nil where it is not known.
public struct LineValues: Equatable, Sendable, BitwiseCopyable {
  /// The number of line L1.
  public var l1: Int64?
  /// The number of line L2.
  public var l2: Int64?
  /// The number of line L3.
  public var l3: Int64?

  /// Makes the numbers of the three lines.
  public init(_ l1: Int64? = nil, _ l2: Int64? = nil, _ l3: Int64? = nil) {
    self.l1 = l1
    self.l2 = l2
    self.l3 = l3
  }

  /// The number of a line, counted from 0; writing to another line than 0…2 does nothing.
  public subscript(line: Int) -> Int64? {
    get { line == 0 ? l1 : line == 1 ? l2 : line == 2 ? l3 : nil }
    set {
      switch line {
      case 0: l1 = newValue
      case 1: l2 = newValue
      case 2: l3 = newValue
      default: break
      }
    }
  }

  /// Whether no line has a number.
  public var isEmpty: Bool { l1 == nil && l2 == nil && l3 == nil }
}

/// What one frame said of a household's connection, in whole numbers; nil is not sent.
///
/// Fill it with `set`. Units: mA, mV, W, var, mHz, and energy in W·ms (a kilowatt-hour is
/// 3 600 000 000 of them).
public struct MeterSample: Equatable, Sendable, BitwiseCopyable {
  /// What a reading is, as the feed sees it.
  public enum Field: Equatable, Sendable, BitwiseCopyable {
    /// Amount of the current of a line, counted from 0.
    case current(Int)
    /// Voltage of a line: to neutral in TN, else between lines.
    case voltage(Int)
    /// Import power of a line.
    case importOfLine(Int)
    /// Export power of a line.
    case exportOfLine(Int)
    case importPower, exportPower
    case reactiveImport, reactiveExport
    /// Absolute register.
    case importEnergy, exportEnergy
    /// Mean of the running quarter-hour so far over its whole length (1-0:1.4.0).
    case demand
    /// Highest quarter-hour of the month (1-0:1.6.0).
    case demandPeak
    case frequency
  }

  /// Amounts of the line currents, mA.
  public internal(set) var currents = LineValues()
  /// Voltages, mV.
  public internal(set) var voltages = LineValues()
  /// Import powers of the lines, W.
  public internal(set) var lineImports = LineValues()
  /// Export powers of the lines, W.
  public internal(set) var lineExports = LineValues()
  /// Import power, W.
  public internal(set) var importPower: Int64?
  /// Export power, W.
  public internal(set) var exportPower: Int64?
  /// Reactive power taken, var.
  public internal(set) var reactiveImport: Int64?
  /// Reactive power given, var.
  public internal(set) var reactiveExport: Int64?
  /// Import register, W·ms.
  public internal(set) var importEnergy: Int64?
  /// Export register, W·ms.
  public internal(set) var exportEnergy: Int64?
  /// Running demand, W.
  public internal(set) var demand: Int64?
  /// Month's highest demand, W.
  public internal(set) var demandPeak: Int64?
  /// Frequency, mHz.
  public internal(set) var frequency: Int64?
  /// Whether a value was sent that 64 bits in these units do not hold, or a negative one that
  /// cannot be.
  public internal(set) var hasUnusable = false

  /// Makes a sample without values.
  public init() {}

  /// Notes a value in its base unit (A, V, W, var, Wh, Hz).
  ///
  /// A negative current, power side or register cannot be: `hasUnusable` tells, as where the value is
  /// beyond 64 bits.
  public mutating func set(_ field: Field, _ decimal: Decimal) {
    guard let value = MeterSample.value(of: decimal, for: field), value >= 0 else {
      hasUnusable = true
      return
    }
    switch field {
    case .current(let line): currents[line] = value
    case .voltage(let line): voltages[line] = value
    case .importOfLine(let line): lineImports[line] = value
    case .exportOfLine(let line): lineExports[line] = value
    case .importPower: importPower = value
    case .exportPower: exportPower = value
    case .reactiveImport: reactiveImport = value
    case .reactiveExport: reactiveExport = value
    case .importEnergy: importEnergy = value
    case .exportEnergy: exportEnergy = value
    case .demand: demand = value
    case .demandPeak: demandPeak = value
    case .frequency: frequency = value
    }
  }

  /// A current in ampere as tenths; nil beyond 64 bits.
  public static func tenths(ofAmperes decimal: Decimal) -> Int64? {
    FixedPoint.value(of: decimal, at: -1)
  }

  private static func value(of decimal: Decimal, for field: Field) -> Int64? {
    switch field {
    case .current, .voltage, .frequency: return FixedPoint.value(of: decimal, at: -3)
    case .importEnergy, .exportEnergy:
      // Tenths of a milliwatt-hour; no meter of a household shows more.
      guard let tenths = FixedPoint.value(of: decimal, at: -4) else { return nil }
      let (product, overflow) = tenths.multipliedReportingOverflow(by: 360)
      return overflow ? nil : product
    default: return FixedPoint.value(of: decimal, at: 0)
    }
  }

  /// Import minus export, W; nil where the frame does not tell.
  ///
  /// A meter nets its phases, so import above zero means that there is no export.
  public var netPower: Int64? {
    if let importPower, importPower > 0 { return importPower }
    if let exportPower, importPower != nil || exportPower > 0 { return -exportPower }
    return nil
  }

  /// Net power of a line, W; nil where the frame does not tell.
  public func netPower(ofLine line: Int) -> Int64? {
    guard lineImports[line] != nil || lineExports[line] != nil else { return nil }
    return (lineImports[line] ?? 0) - (lineExports[line] ?? 0)
  }

  /// Reactive power, taken positive, var; nil where the frame does not tell.
  public var reactivePower: Int64? {
    guard reactiveImport != nil || reactiveExport != nil else { return nil }
    return (reactiveImport ?? 0) - (reactiveExport ?? 0)
  }
}
