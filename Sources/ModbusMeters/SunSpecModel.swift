import OBISDecoder

/// The meter models of SunSpec, and where their points lie, counted from the model's ID register.
///
/// ```
/// 0 ID    1 L    2 … 2+L−1  points
/// int16 models 201 (one phase), 202 (split), 203 (wye), 204 (delta): scale factors beside the points
/// float32 models 211 … 214: the same points, no scale factors
/// ```
/// Source: sunspec/models, json/model_201.json … model_214.json; model 1 for the serial number.
enum SunSpecModel {
  /// Every model that is a meter.
  static let all: [UInt16] = [201, 202, 203, 204, 211, 212, 213, 214]
  /// The common block, in front of the models of each device.
  static let common: UInt16 = 1
  /// Behind the last model.
  static let end: UInt16 = 0xFFFF
  /// "SunS", in front of the first model.
  static let marker: [UInt16] = [0x5375, 0x6E53]
  /// Where the marker may be, in the order that SunSpec's own client looks (pysunspec2).
  static let bases: [UInt16] = [40000, 0, 50000]
  /// Characters of the serial number in the common block: registers from the ID register on.
  static let serialNumber = 50..<66

  private struct Point {
    let quantity: MeterQuantity
    /// In 201…204.
    let whole: Int
    let scaleFactor: Int
    /// In 211…214.
    let float: Int

    init(_ quantity: MeterQuantity, _ whole: Int, _ scaleFactor: Int, _ float: Int) {
      self.quantity = quantity
      self.whole = whole
      self.scaleFactor = scaleFactor
      self.float = float
    }
  }

  private static let points: [Point] = [
    Point(.currentL1, 3, 6, 4), Point(.currentL2, 4, 6, 6), Point(.currentL3, 5, 6, 8),
    Point(.voltageL1, 8, 15, 12), Point(.voltageL2, 9, 15, 14), Point(.voltageL3, 10, 15, 16),
    Point(.frequency, 16, 17, 26), Point(.power, 18, 22, 28), Point(.powerL1, 19, 22, 30),
    Point(.powerL2, 20, 22, 32), Point(.powerL3, 21, 22, 34), Point(.apparentPower, 23, 27, 36),
    Point(.apparentPowerL1, 24, 27, 38), Point(.apparentPowerL2, 25, 27, 40),
    Point(.apparentPowerL3, 26, 27, 42), Point(.reactivePower, 28, 32, 44),
    Point(.reactivePowerL1, 29, 32, 46), Point(.reactivePowerL2, 30, 32, 48),
    Point(.reactivePowerL3, 31, 32, 50), Point(.powerFactor, 33, 37, 52),
    Point(.powerFactorL1, 34, 37, 54), Point(.powerFactorL2, 35, 37, 56),
    Point(.powerFactorL3, 36, 37, 58), Point(.energyExport, 38, 54, 60),
    Point(.energyExportL1, 40, 54, 62), Point(.energyExportL2, 42, 54, 64),
    Point(.energyExportL3, 44, 54, 66), Point(.energyImport, 46, 54, 68),
    Point(.energyImportL1, 48, 54, 70), Point(.energyImportL2, 50, 54, 72),
    Point(.energyImportL3, 52, 54, 74),
  ]

  /// The values of a model whose ID register is at `address` and that has `length` registers behind
  /// its header; points beyond are left out.
  static func fields(
    _ model: UInt16, at address: Int, length: Int, _ function: ReadFunction, isExportPositive: Bool
  ) -> [RegisterField] {
    let isFloat = model > 210
    return points.compactMap { point in
      let isCounter = point.quantity.isCounter
      let type: RegisterType = isFloat ? .float32 : isCounter ? .uint32 : .int16
      let start = isFloat ? point.float : point.whole
      let last = max(start + type.registerCount, isFloat ? 0 : point.scaleFactor + 1)
      guard last <= length + 2, address + last <= 65536 else { return nil }
      let bounds = MeterUnit.bounds(of: point.quantity.unit)
      var field = RegisterField(
        name: point.quantity.rawValue, quantity: point.quantity,
        register: Register(
          function: function, address: UInt16(address + start), type: type, wordOrder: .highFirst),
        unit: point.quantity.unit, scale: Decimal(mantissa: 1), lowest: bounds.lowest,
        highest: bounds.highest)
      let isPower = [.watt, .reactiveVoltAmpere].contains(point.quantity.unit)
      field.isExportPositive = isExportPositive && isPower
      field.isOptional = !mandatory.contains(point.quantity)
      guard !isFloat else { return field }
      field.scaleAddress = UInt16(address + point.scaleFactor)
      // A counter of 0 is "not implemented" (acc32), and a new meter's honest reading: the two
      // cannot be told apart, so it is none until it counts.
      field.missing = [isCounter ? MissingPattern(0) : MissingPattern(0x8000)]
      if point.quantity.unit == .one {
        field.scale = Decimal(mantissa: 1, exponent: -2)
        field.encoding = .percent
      }
      return field
    }
  }

  private static let mandatory: [MeterQuantity] = [
    .power, .frequency, .energyImport, .energyExport,
  ]
}
