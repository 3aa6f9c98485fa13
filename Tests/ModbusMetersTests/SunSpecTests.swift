import ModbusMeters
import OBISDecoder
import Testing

/// A device whose registers are a list behind a base; what it does not have is refused.
private struct Device {
  var base: Int
  var words: [UInt16]

  /// A chain of models: ID and the words behind the length.
  init(base: Int, _ models: [(id: UInt16, points: [UInt16])], hasEnd: Bool = true) {
    self.base = base
    words = [0x5375, 0x6E53]
    for model in models { words += [model.id, UInt16(model.points.count)] + model.points }
    if hasEnd { words += [0xFFFF, 0] }
  }

  func read(_ block: ReadBlock) -> [UInt16]? {
    let start = Int(block.address) - base
    guard start >= 0, start + block.count <= words.count else { return nil }
    return Array(words[start..<start + block.count])
  }

  /// Runs a discovery to its end; `asked` is the first address of each request.
  func discover(_ profile: MeterProfile) -> (step: SunSpecDiscovery.Step, asked: [Int]) {
    var discovery = SunSpecDiscovery(profile)
    var step = discovery.step
    var asked: [Int] = []
    while case .ask(let block) = step, asked.count < 1000 {
      asked.append(Int(block.address))
      step = read(block).map { discovery.answer($0) } ?? discovery.refuse()
    }
    return (step, asked)
  }
}

@Suite("SunSpec")
struct SunSpecTests {
  static let common: (id: UInt16, points: [UInt16]) = (1, Array(repeating: 0x2020, count: 66))

  private func profile(_ id: String, index: Int = 1) throws -> MeterProfile {
    var profile = try #require(MeterCatalogue(own: []).profile(id))
    profile.sunSpec?.index = index
    return profile
  }

  /// A three-phase meter of whole numbers; of its words 18 is W and 22 its scale factor.
  private func model203(_ set: [Int: UInt16]) -> (id: UInt16, points: [UInt16]) {
    var points = [UInt16](repeating: 0x8000, count: 105)
    for index in 36..<104 { points[index] = 0 }
    for (offset, word) in set { points[offset - 2] = word }
    return (203, points)
  }

  private func found(_ step: SunSpecDiscovery.Step) throws -> MeterProfile {
    guard case .found(let meter) = step else {
      Issue.record("\(step)")
      throw Wrong()
    }
    return meter
  }

  private struct Wrong: Error {}

  private func values(_ meter: MeterProfile, of device: Device) -> Readout {
    var image = RegisterImage()
    let plan = MeterPlanner(meter).plan
    for block in plan.all {
      if let words = device.read(block) { image.store(words, of: block) }
    }
    #expect(meter.identity(in: image) == .same)
    return RegisterDecoding(meter).read(&image)
  }

  @Test(arguments: [40000, 0, 50000]) func findsTheMapAtEachBase(base: Int) throws {
    let device = Device(base: base, [SunSpecTests.common, model203([18: 1234, 22: 0])])
    let (step, asked) = device.discover(try profile("sunspec-203"))
    let meter = try found(step)
    #expect(asked.first == 40000)
    #expect(
      meter.fields.first { $0.name == "power" }?.register.address == UInt16(base + 2 + 68 + 18))
    #expect(values(meter, of: device).value("power", of: meter) == Decimal(mantissa: 1234))
  }

  @Test func saysThatThereIsNoSunSpec() throws {
    let (step, asked) = Device(base: 100, []).discover(try profile("sunspec"))
    #expect(step == .failed(.noSunSpec))
    #expect(asked == [40000, 0, 50000])
  }

  @Test func namesTheModelsOfADeviceWithoutAMeter() throws {
    let device = Device(base: 40000, [SunSpecTests.common, (103, Array(repeating: 0, count: 50))])
    #expect(device.discover(try profile("sunspec")).step == .failed(.noMeter(models: [1, 103])))
  }

  @Test func endsAtAChainWithoutEndMarker() throws {
    let device = Device(base: 40000, [SunSpecTests.common], hasEnd: false)
    let (step, asked) = device.discover(try profile("sunspec"))
    #expect(step == .failed(.noMeter(models: [1])))
    // The header in two registers, then its ID alone.
    #expect(asked.suffix(2) == [40070, 40070])
  }

  @Test func choosesAmongSeveralMeters() throws {
    let device = Device(
      base: 40000,
      [
        SunSpecTests.common, model203([18: 1, 22: 0]), SunSpecTests.common,
        model203([18: 2, 22: 0]),
      ])
    let second = try found(device.discover(try profile("sunspec-203", index: 2)).step)
    #expect(values(second, of: device).value("power", of: second) == Decimal(mantissa: 2))
    let third = device.discover(try profile("sunspec-203", index: 3)).step
    #expect(third == .failed(.noMeter(models: [1, 203, 1, 203])))
  }

  @Test func takesOnlyTheModelsOfTheProfile() throws {
    let device = Device(base: 40000, [SunSpecTests.common, model203([18: 1, 22: 0])])
    #expect(
      device.discover(try profile("sunspec-201")).step == .failed(.noMeter(models: [1, 203])))
  }

  @Test func takesEveryNotImplementedValueAsMissing() throws {
    let device = Device(base: 40000, [SunSpecTests.common, model203([:])])
    let meter = try found(device.discover(try profile("sunspec")).step)
    let readout = values(meter, of: device)
    #expect(meter.fields.count == 31)
    #expect(readout.outcomes.allSatisfy { $0 == .missing })
    #expect(readout.secrets == [])
  }

  @Test func takesAScaleFactorOutOfBoundsAsNoValue() throws {
    let device = Device(
      base: 40000,
      [
        SunSpecTests.common,
        model203([18: 1234, 22: 11, 8: 2307, 15: 0xFFFF, 16: 5000, 17: 0xFFFE]),
      ])
    let meter = try found(device.discover(try profile("sunspec")).step)
    let readout = values(meter, of: device)
    #expect(readout.value("power", of: meter) == nil)
    #expect(readout.value("voltage_l1", of: meter) == Decimal(mantissa: 2307, exponent: -1))
    #expect(
      readout.value("frequency", of: meter).map { $0.isEqual(to: Decimal(mantissa: 50)) } == true)
    let power = try #require(meter.fields.firstIndex { $0.name == "power" })
    #expect(readout.outcomes[power] == .rejected(.noScale))
  }

  /// Percent as the standard has it; a ratio, which some devices send, cannot be told from 1 % or less.
  @Test(arguments: [(985, -1, "0.985"), (985, -3, nil), (0, 0, "0"), (-98, 0, "-0.98")])
  func readsAPowerFactorInPercent(raw: Int, power: Int, expected: String?) throws {
    let device = Device(
      base: 0,
      [
        SunSpecTests.common,
        model203([
          33: UInt16(truncatingIfNeeded: raw), 37: UInt16(truncatingIfNeeded: power),
        ]),
      ])
    let meter = try found(device.discover(try profile("sunspec")).step)
    #expect(values(meter, of: device).value("power_factor", of: meter)?.description == expected)
  }

  @Test func readsFloatModels() throws {
    var points = [UInt16](repeating: 0, count: 124)
    for index in stride(from: 0, to: 124, by: 2) { points[index] = 0x7FC0 }
    // W at 28, TotWhImp at 68, counted from the ID register.
    points.replaceSubrange(26..<28, with: [0xC49A, 0x5000])
    points.replaceSubrange(66..<68, with: [0x4B3C, 0x614E])
    let device = Device(base: 40000, [SunSpecTests.common, (213, points)])
    let meter = try found(device.discover(try profile("fronius-smart-meter")).step)
    let readout = values(meter, of: device)
    #expect(readout.value("power", of: meter) == Decimal(mantissa: -12345, exponent: -1))
    #expect(readout.value("energy_import", of: meter) == Decimal(mantissa: 12_345_678))
    #expect(readout.outcomes.count { $0 == .missing } == 29)
  }

  @Test func turnsTheSignWhereTheDeviceCountsExport() throws {
    var choice = try profile("sunspec")
    choice.sunSpec?.isExportPositive = true
    let device = Device(
      base: 40000, [SunSpecTests.common, model203([18: 1234, 22: 0, 28: 5, 32: 0])])
    let meter = try found(device.discover(choice).step)
    let readout = values(meter, of: device)
    #expect(readout.value("power", of: meter) == Decimal(mantissa: -1234))
    #expect(readout.value("reactive_power", of: meter) == Decimal(mantissa: -5))
  }

  @Test func handsOutTheSerialNumberAsASecretOnly() throws {
    var common = SunSpecTests.common
    common.points.replaceSubrange(48..<51, with: [0x5465, 0x7374, 0x3132])
    let device = Device(base: 40000, [common, model203([18: 1, 22: 0])])
    let meter = try found(device.discover(try profile("sunspec")).step)
    let secrets = values(meter, of: device).secrets
    #expect(secrets.map(\.kind) == [.meterNumber])
  }

  @Test func leavesOutPointsBehindTheEndOfAShortModel() throws {
    var short = model203([18: 7, 22: 0])
    short.points.removeLast(105 - 30)
    let device = Device(base: 40000, [SunSpecTests.common, short])
    let meter = try found(device.discover(try profile("sunspec")).step)
    #expect(meter.fields.contains { $0.name == "power" })
    #expect(!meter.fields.contains { $0.name == "energy_import" })
  }

  @Test func endsAtLengthsThatLeaveTheAddressSpace() throws {
    var device = Device(base: 40000, [SunSpecTests.common])
    device.words[3] = 0xFFFF
    #expect(device.discover(try profile("sunspec")).step == .failed(.noMeter(models: [1])))
  }
}
