import OBISDecoder
import Testing

@testable import ChargingFeed

/// Signs, headroom and the hidden line, with the project's own numbers.
struct LineTests {
  private func read(_ sample: MeterSample, _ settings: EVSettings = supply()) -> LineCurrents? {
    LineCurrents(sample, settings)
  }

  @Test func headroomIsRoundedDownToATenth() throws {
    let lines = try #require(read(sample([12.44, -0, 23.95])))
    #expect(lines.headroom == LineValues(115, 240, 0))
    let over = try #require(read(sample([24.01, 0, 0])))
    #expect(over.headroom.l1 == -1)
    #expect(over.leastHeadroom(supply()) == -1)
  }

  @Test func exportOfALineFreesNoMoreThanTheFuse() throws {
    var exporting = sample([9, 9, 9])
    exporting.set(.importOfLine(0), Decimal(mantissa: 0))
    exporting.set(.exportOfLine(0), Decimal(mantissa: 2070))
    let lines = try #require(read(exporting))
    #expect(lines.amounts == LineValues(-9000, 9000, 9000))
    #expect(lines.headroom == LineValues(240, 150, 150))
    #expect(lines.quality(ofLine: 0) == .phasePower)
    #expect(lines.quality(ofLine: 1) == .magnitude)
  }

  @Test func betweenThreeWiresALineHasNoDirection() throws {
    var sample = sample([9, 9, 9])
    sample.set(.exportOfLine(0), Decimal(mantissa: 2070))
    let settings = supply { $0.grid = .it }
    let lines = try #require(read(sample, settings))
    #expect(lines.amounts.l1 == 9000)
    #expect(lines.headroom.l1 == 150)
  }

  @Test func aMissingLineIsNoSample() {
    #expect(read(sample([1, 2])) == nil)
    var hole = sample([1, 2, 3])
    hole.currents.l1 = nil
    #expect(read(hole, supply { $0.grid = .it }) == nil)
  }

  @Test(arguments: [nil, 0] as [Int64?])
  func aHiddenLineIsEstimatedOrLeftOut(second: Int64?) throws {
    var hidden = sample([10, 0, 14], watts: 4300)
    hidden.currents.l2 = second
    hidden.set(.reactiveImport, Decimal(mantissa: 800))
    for (choice, headroom) in [
      (MissingLine.estimate, Int64?.some(109)), (.worst, 11), (.ignore, nil),
    ] {
      let settings = supply {
        $0.grid = .it
        $0.missingLine = choice
      }
      let lines = try #require(read(hidden, settings))
      #expect(lines.headroom.l2 == headroom, "\(choice)")
      #expect(lines.headroom(for: .l2) == headroom)
      #expect(lines.headroom(for: .l1l3) == 100)
      #expect((lines.leastHeadroom(settings) == nil) == (choice == .ignore))
    }
  }

  @Test func theHiddenLineStaysWithinKirchhoffsBounds() {
    var random = Seeded(state: 0x4556)
    for _ in 0..<2000 {
      let first = Int64.random(in: 0...80_000, using: &random)
      let third = Int64.random(in: 0...80_000, using: &random)
      var given = MeterSample()
      given.importPower = Int64.random(in: 0...40_000, using: &random)
      given.reactiveImport = Int64.random(in: 0...10_000, using: &random)
      let line = HiddenLine(first: first, third: third, sample: given, isWorst: false)
      // One milliampere is what the rounding of roots may take.
      #expect(line.current >= line.bounds.lowerBound - 1, "\(first) \(third) \(given)")
      #expect(line.current <= line.bounds.upperBound + 1, "\(first) \(third) \(given)")
      #expect(line.current <= line.worst + 1, "\(first) \(third) \(given)")
    }
  }

  @Test func fusePowerIsThatOfTheNet() {
    #expect(EVSettings(grid: .tn, phases: 3, fuse: 25_000, margin: 1000).fusePower == 16_560)
    #expect(EVSettings(grid: .it, phases: 3, fuse: 40_000, margin: 2000).fusePower == 15_138)
    #expect(EVSettings(grid: .it, phases: 1, fuse: 63_000, margin: 2000).fusePower == 14_030)
    #expect(EVSettings(grid: .tn, phases: 1, fuse: 0, margin: .max).fusePower >= 1)
  }

  @Test(arguments: [0, 1, 2, 3, 4, 15, 16, 17, 1 << 40, (1 << 40) - 1, .max] as [UInt64])
  func squareRootIsTheFloor(value: UInt64) {
    let root = FixedPoint.squareRoot(value)
    #expect(root * root <= value)
    let (above, overflow) = (root + 1).multipliedReportingOverflow(by: root + 1)
    #expect(overflow || above > value)
  }

  @Test(arguments: [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (8, 3, 3), (7, 3, 2)])
  func halvesGoToTheEvenNumber(value: Int64, divisor: Int64, quotient: Int64) {
    #expect(FixedPoint.even(value, over: divisor) == quotient)
  }
}

/// A generator that prints as its seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
