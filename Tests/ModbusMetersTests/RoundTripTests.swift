import Foundation
import ModbusMeters
import OBISDecoder
import Testing

/// Values that somebody could measure, put into registers by code that shares nothing with the
/// decoding, come back equal from every profile.
@Suite("Every profile reads back")
struct RoundTripTests {
  @Test(arguments: CatalogueTests.ids) func readsBackEveryQuantityOf(id: String) throws {
    let seed = UInt64.random(in: .min ... .max)
    var random = SplitMix(state: seed)
    let named = try #require(MeterCatalogue(own: []).profile(id))
    let profile = try named.sunSpec == nil ? named : discovered(named)
    let plan = MeterPlanner(profile).plan
    for _ in 0..<20 {
      var memory = RegisterMemory()
      let expected = memory.fill(profile, &random)
      #expect(expected.count == profile.fields.count, "\(id), seed \(seed)")
      var image = RegisterImage()
      for block in plan.fast + plan.slow { image.store(memory.read(block), of: block) }
      let readout = RegisterDecoding(profile).read(&image)
      for field in profile.fields {
        let value = readout.value(field.name, of: profile).map { Foundation.Decimal($0) }
        #expect(value == expected[field.name], "\(id) \(field.name), seed \(seed)")
      }
    }
  }

  /// What discovery finds on a device that has the first of the profile's models.
  private func discovered(_ profile: MeterProfile) throws -> MeterProfile {
    let model = try #require(profile.sunSpec?.models.first)
    let length = model > 210 ? 124 : 105
    var discovery = SunSpecDiscovery(profile)
    _ = discovery.answer([0x5375, 0x6E53, model])
    guard case .found(let meter) = discovery.answer([model, UInt16(length)]) else {
      throw NotFound()
    }
    return meter
  }

  private struct NotFound: Error {}
}

extension Foundation.Decimal {
  fileprivate init(_ value: OBISDecoder.Decimal) {
    self = Foundation.Decimal(value.mantissa) * Self.ten(Int(value.exponent))
  }

  fileprivate static func ten(_ power: Int) -> Foundation.Decimal {
    Foundation.Decimal(sign: .plus, exponent: power, significand: 1)
  }
}

/// A generator whose seed can be pasted back (Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators").
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

/// The registers of a meter, and an encoder from values to them.
private struct RegisterMemory {
  private var tables: [UInt8: [Int: UInt16]] = [:]
  private var factors: [Int: Int] = [:]

  func read(_ block: ReadBlock) -> [UInt16] {
    block.range.map { tables[block.function.rawValue]?[$0] ?? 0 }
  }

  /// Puts a random value into the registers of every field; returns the values by name.
  mutating func fill(
    _ profile: MeterProfile, _ random: inout SplitMix
  ) -> [String: Foundation.Decimal] {
    var ratios: [Foundation.Decimal] = []
    for ratio in profile.ratios {
      let raw = Int64.random(in: 1...50, using: &random)
      write(UInt64(raw), ratio.register)
      ratios.append(Foundation.Decimal(raw) * Foundation.Decimal(ratio.scale))
    }
    var values: [String: Foundation.Decimal] = [:]
    for field in profile.fields {
      var factor = Foundation.Decimal(field.scale)
      for index in field.ratios { factor *= ratios[index] }
      if let address = field.scaleAddress { factor *= scaleFactor(address, field, &random) }
      values[field.name] = fill(field, factor, &random)
    }
    return values
  }

  private mutating func scaleFactor(
    _ address: UInt16, _ field: RegisterField, _ random: inout SplitMix
  ) -> Foundation.Decimal {
    let power = factors[Int(address)] ?? Int.random(in: -2...1, using: &random)
    factors[Int(address)] = power
    tables[field.register.function.rawValue, default: [:]][Int(address)] =
      UInt16(truncatingIfNeeded: power)
    return Foundation.Decimal.ten(power)
  }

  /// Draws until the value is one that the field can have.
  private mutating func fill(
    _ field: RegisterField, _ factor: Foundation.Decimal, _ random: inout SplitMix
  ) -> Foundation.Decimal? {
    for _ in 0..<10_000 {
      let first = draw(field, &random)
      var number = first.number
      var second: (bits: UInt64, number: Foundation.Decimal)?
      if field.minusAddress != nil {
        second = draw(field, &random)
        number -= second?.number ?? 0
      }
      if field.encoding == .schneider4Q {
        if abs(number) > 2 { continue }
        if number > 1 { number = 2 - number } else if number < -1 { number = -2 - number }
      }
      var value = number * factor
      if field.isExportPositive { value = -value }
      if field.isAbsolute { value = abs(value) }
      let lowest = Foundation.Decimal(field.lowest)
      guard (lowest...Foundation.Decimal(field.highest)).contains(value) else { continue }
      if field.encoding == .percent, value != 0, abs(value) <= Foundation.Decimal.ten(-2) {
        continue
      }
      write(first.bits, field.register)
      if let second, let address = field.minusAddress {
        var register = field.register
        register.address = address
        write(second.bits, register)
      }
      return value
    }
    return nil
  }

  /// A number of the type that is no "no value", and its bits; floats have six digits at most, which
  /// binary32 keeps apart.
  private func draw(
    _ field: RegisterField, _ random: inout SplitMix
  ) -> (bits: UInt64, number: Foundation.Decimal) {
    while true {
      let digits = Int64.random(in: 0...6, using: &random)
      var whole = Int64.random(in: -999_999...999_999, using: &random)
      for _ in 0..<digits { whole /= 10 }
      let bits: UInt64
      var number = Foundation.Decimal(whole)
      switch field.register.type {
      case .float32, .float64:
        let places = Int.random(in: 0...4, using: &random)
        number *= Foundation.Decimal.ten(-places)
        let double = Double("\(whole)e-\(places)") ?? 0
        bits =
          field.register.type == .float32
          ? UInt64((Float("\(whole)e-\(places)") ?? 0).bitPattern) : double.bitPattern
      case .uint16, .uint32, .uint64:
        number = abs(number)
        guard whole.magnitude < 65536 || field.register.type != .uint16 else { continue }
        bits = whole.magnitude
      case .int16:
        guard (-32768...32767).contains(whole) else { continue }
        bits = UInt64(UInt16(truncatingIfNeeded: whole))
      case .int32: bits = UInt64(UInt32(truncatingIfNeeded: whole))
      case .int64: bits = UInt64(bitPattern: whole)
      }
      if !field.missing.contains(where: { $0.matches(bits) }) { return (bits, number) }
    }
  }

  private mutating func write(_ bits: UInt64, _ register: Register) {
    let count = register.type.registerCount
    for index in 0..<count {
      let place = register.wordOrder == .highFirst ? count - 1 - index : index
      tables[register.function.rawValue, default: [:]][Int(register.address) + index] =
        UInt16(truncatingIfNeeded: bits >> UInt64(16 * place))
    }
  }
}
