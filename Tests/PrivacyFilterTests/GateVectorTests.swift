import OBISDecoder
import Testing

@testable import PrivacyFilter

/// Acceptance tests of the privacy design §C13 that live in the gates; names carry their numbers.
struct GateVectorTests {
  private func minutePower() throws -> [CompiledGate] {
    try compiled(
      terms(customProfile) {
        $0.categories = [.p1, .p3]
        $0.granularity = .g2
        $0.quantum = .r1
        $0.validFrom = at("13:00:00")
        $0.validUntil = at("2026-02-15T13:00:00Z")
      })
  }

  private func hourlyEnergy(
    _ categories: CategorySet = .e3, until: String = "2027-01-01T00:05:00Z"
  ) throws -> [CompiledGate] {
    try compiled(
      terms(eliqProfile) {
        $0.categories = categories
        $0.granularity = .g4
        $0.validUntil = at(until)
      })
  }

  @Test("C13.3: minute mean is rounded half to even under fixed keys")
  func c3MinuteMeanIsRoundedHalfToEvenUnderFixedKeys() throws {
    var bench = Bench(try minutePower(), at: at("13:30:00"))
    for (index, watts) in [473, 480, 1990, 2010, 500, 473].enumerated() {
      bench.frame(
        at: at("13:30:00") + Int64(index) * 10_000, [importPower(Int64(watts)), exportPower(0)])
    }
    _ = bench.run(until: at("13:31:30"))
    #expect(
      bench.sent.map(\.payload) == [
        #"{"v":1,"time":"2026-01-15T13:30:00Z","window_s":60,"quality":"ok","#
          + #""active_power_import_w":990,"active_power_export_w":0}"#
      ])
    #expect(bench.sent.first?.topic.hasSuffix("/e1") == true)
  }

  @Test("C13.4: interval is the difference of rounded differences")
  func c4IntervalIsTheDifferenceOfRoundedDifferences() throws {
    var bench = Bench(try hourlyEnergy(), at: at("14:00:00"))
    bench.bank.restoreBase(3_579_000_000, of: Quantity(10), at: 0)
    for second in stride(from: 0, to: 3600, by: 10) {
      bench.frame(
        at: at("14:00:00") + Int64(second) * 1000,
        [importEnergy(3_579_772 + Int64(second) * 400 / 3600)])
    }
    bench.frame(at: at("15:00:00"), [importEnergy(3_580_245)])
    _ = bench.run(until: at("15:01:21"))
    #expect(
      bench.sent.map(\.payload) == [
        #"{"v":1,"time":"2026-01-15T14:00:00Z","window_s":3600,"quality":"ok","energy_import_wh":470}"#
      ])
    #expect(bench.sent.first?.topic == "gateway/eliq/m-jdj2mreiudcxubv2/e60")
  }

  @Test func payloadIsThatOfThePrivacyDesign() throws {
    var bench = Bench(try hourlyEnergy([.e3, .e4, .t1]), at: at("14:00:00"))
    bench.bank.restoreBase(3_579_000_000, of: Quantity(10), at: 0)
    let export = reading(OBISCode(1, 0, 2, 8, 0), 111_222, .wattHour)
    let tariff = reading(OBISCode(0, 0, 96, 14, 0), 2, .one)
    for second in stride(from: 0, to: 3600, by: 10) {
      bench.frame(
        at: at("14:00:00") + Int64(second) * 1000, [importEnergy(3_579_772), export, tariff])
    }
    bench.frame(at: at("15:00:00"), [importEnergy(3_580_245), export, tariff])
    _ = bench.run(until: at("15:01:21"))
    #expect(
      bench.sent.map(\.payload) == [
        #"{"v":1,"time":"2026-01-15T14:00:00Z","window_s":3600,"quality":"ok","#
          + #""energy_import_wh":470,"energy_export_wh":0,"tariff":2}"#
      ])
  }

  @Test("C13.19: nothing is published from the end on") func c19NothingIsPublishedFromTheEndOn()
    throws
  {
    var bench = Bench(try hourlyEnergy(until: "2026-01-15T10:00:00Z"), at: at("07:59:30"))
    for second in stride(from: 0, through: 3 * 3600, by: 10) {
      let now = at("08:00:00") + Int64(second) * 1000
      _ = bench.run(until: now)
      bench.frame(at: now, [importEnergy(1000 + Int64(second))])
    }
    let deadlines = bench.run(until: at("11:30:00"))
    #expect(bench.sent.count == 1)
    #expect(bench.sent.first?.payload.contains("2026-01-15T08:00:00Z") == true)
    let lastAt = bench.bank.counters(at: 0).lastAt
    #expect(lastAt == at("09:01:21"))
    #expect(deadlines.allSatisfy { $0 < at("10:00:00") })
  }

  @Test(
    "C13.20: expiry is the rest of the grant or two windows",
    arguments: [
      ("2026-01-15T14:03:21Z", 120), ("2026-01-15T14:59:00Z", 3459), ("2027-01-01T00:05:00Z", 7200),
    ])
  func c20ExpiryIsTheRestOfTheGrantOrTwoWindows(until: String, seconds: Int) throws {
    var bench = Bench(try hourlyEnergy(until: until), at: at("13:00:00"))
    for second in stride(from: 0, through: 3600, by: 10) {
      bench.frame(at: at("13:00:00") + Int64(second) * 1000, [importEnergy(1000 + Int64(second))])
    }
    _ = bench.run(until: at("14:01:21"))
    #expect(bench.sent.map(\.expirySeconds) == [UInt32(seconds)])
  }

  @Test("C13.21: dated grants are held until the clock is trusted")
  func c21DatedGrantsAreHeldUntilTheClockIsTrusted() throws {
    var bench = Bench(
      try hourlyEnergy() + compiled(terms(localProfile, house), role: .inHouse), at: 0)
    bench.clockTrusted = false
    for second in 0..<100 {
      bench.frame(at: Int64(second) * 1000, [importEnergy(5000), importPower(473)])
    }
    #expect(bench.sent.count == 100)
    #expect(bench.sent.allSatisfy { $0.topic == "meter/home/state" })
    bench.clockTrusted = true
    for second in stride(from: 0, through: 3600, by: 10) {
      bench.frame(at: at("13:00:00") + Int64(second) * 1000, [importEnergy(5000)])
    }
    _ = bench.run(until: at("14:01:21"))
    #expect(bench.sent.filter { $0.topic.hasPrefix("gateway") }.count == 1)
  }

  @Test("C13.22: no window is repeated after the clock fell back")
  func c22NoWindowIsRepeatedAfterTheClockFellBack() throws {
    var bench = Bench(try minutePower(), at: at("13:30:00"))
    for second in stride(from: 0, through: 3600, by: 10) {
      let now = at("13:30:00") + Int64(second) * 1000
      _ = bench.run(until: now)
      bench.frame(at: now, [importPower(500)])
    }
    let before = bench.sent.count
    #expect(before > 55)
    bench.frame(at: at("13:30:10"), [importPower(600)])
    let isHeld = bench.bank.isClockHeld
    #expect(isHeld)
    for second in stride(from: 20, through: 1200, by: 10) {
      bench.frame(at: at("13:30:00") + Int64(second) * 1000, [importPower(600)])
    }
    #expect(bench.sent.count == before)
    bench.bank.acceptClock(at("13:51:00"))
    for second in stride(from: 1260, through: 7200, by: 10) {
      let now = at("13:30:00") + Int64(second) * 1000
      _ = bench.run(until: now)
      bench.frame(at: now, [importPower(600)])
    }
    let times = bench.sent.map { $0.payload.dropFirst(15).prefix(20) }
    #expect(times == times.sorted())
    #expect(Set(times).count == times.count)
    #expect(bench.sent.count > before + 30)
  }

  @Test("C13.52: missing quantity is null under the same keys")
  func c52MissingQuantityIsNullUnderTheSameKeys() throws {
    var bench = Bench(try minutePower(), at: at("13:30:00"))
    for second in stride(from: 0, to: 60, by: 10) {
      bench.frame(at: at("13:30:00") + Int64(second) * 1000, [importPower(473)])
    }
    _ = bench.run(until: at("13:31:30"))
    #expect(
      bench.sent.first?.payload.hasSuffix(
        #""active_power_import_w":470,"active_power_export_w":null}"#) == true)
  }

  @Test("C13.53: unplugged reader yields gaps on schedule")
  func c53UnpluggedReaderYieldsGapsOnSchedule() throws {
    var bench = Bench(try hourlyEnergy([.e3, .t1]), at: at("08:00:00"))
    var deadlines: [Int64] = []
    for second in stride(from: 0, through: 3600, by: 10) {
      let now = at("08:00:00") + Int64(second) * 1000
      deadlines += bench.run(until: now)
      bench.frame(at: now, [importEnergy(1000 + Int64(second))])
    }
    deadlines += bench.run(until: at("12:59:50"))
    #expect(bench.sent.count == 4)
    let gap = #""quality":"gap","energy_import_wh":null,"tariff":null}"#
    #expect(bench.sent.dropFirst().allSatisfy { $0.payload.hasSuffix(gap) })
    let sending = deadlines.filter { $0 % 3_600_000 == 81_000 }
    #expect(Set(sending) == Set((9...12).map { at("00:01:21") + Int64($0) * 3_600_000 }))
    // The register's growth over the gap comes out when it is back, whole.
    for second in stride(from: 0, through: 3600, by: 10) {
      let now = at("13:00:00") + Int64(second) * 1000
      _ = bench.run(until: now)
      bench.frame(at: now, [importEnergy(20_000 + Int64(second))])
    }
    _ = bench.run(until: at("14:01:21"))
    let tail = bench.sent.suffix(2).map { $0.payload.split(separator: "quality").last ?? "" }
    #expect(tail.first == #"":"gap","energy_import_wh":null,"tariff":null}"#)
    #expect(tail.last == #"":"bridged","energy_import_wh":19000,"tariff":null}"#)
  }

  @Test("C13.14: stop purges the pending window") func c14StopPurgesThePendingWindow() throws {
    var bench = Bench(try hourlyEnergy(), at: at("09:00:00"))
    for second in stride(from: 0, to: 3600, by: 10) {
      bench.frame(at: at("09:00:00") + Int64(second) * 1000, [importEnergy(1000)])
    }
    let purged = bench.bank.stop(0, at: at("10:00:00"))
    #expect(purged == 1)
    let deadlines = bench.run(until: at("11:30:00"))
    #expect(deadlines.isEmpty)
    bench.frame(at: at("10:00:10"), [importEnergy(1010)])
    bench.tick(at: at("10:01:21"))
    #expect(bench.sent.isEmpty)
    let rest = bench.bank.gate(at: 0)
    #expect(rest == nil)
  }
}
