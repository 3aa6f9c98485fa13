import AllocationCounter
import OBISDecoder
import Testing

@testable import PrivacyFilter

struct GateBankTests {
  private func custom(
    _ categories: CategorySet, _ granularity: Granularity, salt: UInt8 = 0xA0,
    change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> [CompiledGate] {
    try compiled(
      terms(customProfile) {
        $0.categories = categories
        $0.granularity = granularity
        $0.validUntil = at("2026-12-31T00:00:00Z")
        change(&$0)
      }, salt: salt)
  }

  @Test("C13.1: nothing leaves without a gate") func c1NothingLeavesWithoutAGate() {
    var bench = Bench([], at: 0)
    for second in 0..<100 { bench.frame(at: Int64(second) * 1000, [importPower(473)]) }
    #expect(bench.sent.isEmpty)
    let deadline = bench.bank.nextDeadline()
    #expect(deadline == nil)
  }

  @Test("C13.1: only an active grant has gates", arguments: GrantState.allCases)
  func onlyAnActiveGrantHasGates(_ state: GrantState) throws {
    let asked = terms(localProfile, house)
    if state == .active {
      #expect(try !compiled(asked, role: .inHouse, state: state).isEmpty)
    } else {
      #expect(throws: ConsentError(.state, "")) {
        try compiled(asked, role: .inHouse, state: state)
      }
    }
  }

  @Test("C13.2: unknown codes change nothing") func c2UnknownCodesChangeNothing() throws {
    func run(_ extra: [Reading]) throws -> ([Sent], UInt64) {
      let gates = try custom([.p1, .p3, .v1, .t1], .g2) + custom([.p1], .g0, salt: 0xB1)
      var bench = Bench(gates, at: at("13:30:00"))
      for second in stride(from: 0, through: 60, by: 10) {
        bench.frame(
          at: at("13:30:00") + Int64(second) * 1000, [importPower(473), exportPower(0)] + extra)
      }
      _ = bench.run(until: at("13:32:00"))
      return (bench.sent, bench.bank.unknownDropped)
    }
    let plain = try run([])
    let odd = try run([reading(OBISCode(0, 0, 99, 9, 9), 1234, .one)])
    #expect(plain.0 == odd.0 && !plain.0.isEmpty)
    #expect(plain.1 == 0 && odd.1 == 7)
  }

  @Test("C13.11: sub meters have their own pseudonym and times of full hours")
  func c11SubMetersHaveTheirOwnPseudonymAndTimesOfFullHours() throws {
    let granted = try custom([.e3, .m1], .g4) { $0.channels = [1] }
    #expect(granted.map { $0.pseudonym.string } == ["m-jdj2mreiudcxubv2", "m-5b4wdviuu2feun2r"])
    let gas = reading(OBISCode(0, 1, 24, 2, 1), 123_456, -3, .cubicMetre, medium: .gas)
    var bench = Bench(granted, at: at("14:00:00"))
    for second in stride(from: 0, through: 3600, by: 10) {
      bench.frame(at: at("14:00:00") + Int64(second) * 1000, [importEnergy(5), gas])
    }
    _ = bench.run(until: at("15:01:30"))
    #expect(bench.sent.count == 2)
    #expect(
      bench.sent.last?.payload
        == #"{"v":1,"time":"2026-01-15T14:00:00Z","window_s":3600,"quality":"ok","#
        + #""gas_volume_m3":0}"#)
    let without = try custom([.e3], .g4)
    #expect(without.count == 1)
  }

  @Test func liveRecipientsGetFixedKeysAndCountedRegisters() throws {
    var bench = Bench(try custom([.e3, .p1, .p3], .g0), at: at("13:30:00"))
    bench.frame(at: at("13:30:07") + 900, [importPower(473), importEnergy(3_580_245)])
    bench.frame(at: at("13:30:17"), [exportPower(20)])
    bench.frame(at: at("13:30:27"), [importEnergy(3_580_250)])
    let keys = #""energy_import_since_start_wh":"#
    #expect(
      bench.sent.map(\.payload) == [
        #"{"v":1,"time":"2026-01-15T13:30:07Z",\#(keys)0,"active_power_import_w":473,"#
          + #""active_power_export_w":null}"#,
        #"{"v":1,"time":"2026-01-15T13:30:17Z",\#(keys)null,"active_power_import_w":null,"#
          + #""active_power_export_w":20}"#,
        #"{"v":1,"time":"2026-01-15T13:30:27Z",\#(keys)5,"active_power_import_w":null,"#
          + #""active_power_export_w":null}"#,
      ])
    #expect(bench.sent.first?.topic == "gateway/eliq/m-jdj2mreiudcxubv2/live")
  }

  @Test func absoluteRegistersHaveTheirOwnKey() throws {
    var bench = Bench(
      try custom([.e1, .e3], .g4) {
        $0.absolute = true
        $0.quantum = .r1
      }, at: at("14:00:00"))
    for second in stride(from: 0, through: 3600, by: 10) {
      bench.frame(at: at("14:00:00") + Int64(second) * 1000, [importEnergy(3_580_245)])
    }
    _ = bench.run(until: at("15:01:30"))
    #expect(
      bench.sent.first?.payload.hasSuffix(
        #""energy_import_register_wh":3580245,"energy_import_wh":0}"#) == true)
  }

  @Test("a grant of registers without the flag has none of them", arguments: [false, true])
  func namesRegistersOnlyWithTheFlag(isAbsolute: Bool) throws {
    let gates = try custom([.e1, .e2, .e3, .e4], .g4) { $0.absolute = isAbsolute }
    let gate = try #require(gates.first)
    let registers = Quantity.all.filter { $0.category == .e1 || $0.category == .e2 }
    #expect(!registers.isEmpty)
    for quantity in registers where quantity.isForRecipients && quantity.channel == 0 {
      #expect(gate.allowed.contains(quantity) == isAbsolute, "\(quantity.key)")
    }
  }

  @Test func hourlyRegisterThatComesAfterTheHourCountsForTheHourBefore() throws {
    // Norwegian meters send power every few seconds, registers some seconds after each full hour.
    var bench = Bench(try custom([.e3], .g4), at: at("08:00:00"))
    var register: Int64 = 1000
    for second in stride(from: 0, through: 4 * 3600 + 120, by: 10) {
      let now = at("08:00:00") + Int64(second) * 1000
      _ = bench.run(until: now)
      if second % 3600 == 10 {
        bench.frame(at: now, [importPower(473), importEnergy(register)])
        register += 500
      } else {
        bench.frame(at: now, [importPower(473)])
      }
    }
    #expect(bench.sent.map { $0.number("energy_import_wh") } == [500, 500, 500, 500])
    #expect(bench.sent.allSatisfy { $0.payload.contains(#""quality":"ok""#) })
  }

  @Test func registerThatGoesBackNeverBecomesEnergy() throws {
    var bench = Bench(try custom([.e3], .g4), at: at("08:00:00"))
    for second in stride(from: 0, through: 3 * 3600 + 120, by: 10) {
      let now = at("08:00:00") + Int64(second) * 1000
      _ = bench.run(until: now)
      let value = second == 5400 ? 7 : 1_000_000 + second / 36
      bench.frame(at: now, [importEnergy(Int64(value))])
    }
    #expect(bench.sent.map { $0.number("energy_import_wh") } == [100, nil, 100])
  }

  @Test func dayWindowsLieBetweenTheStartsGiven() throws {
    var bench = Bench(try custom([.e3, .p1], .g5), at: at("2026-03-28T23:00:00Z"))
    // The 29th of March 2026 has 23 hours in Copenhagen.
    let starts = [
      at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z"), at("2026-03-30T22:00:00Z"),
    ]
    bench.bank.setDayStarts(starts.span)
    for minute in stride(from: 0, through: 47 * 60 + 5, by: 1) {
      let now = at("2026-03-28T23:00:00Z") + Int64(minute) * 60_000
      _ = bench.run(until: now)
      bench.frame(at: now, [importEnergy(Int64(minute)), importPower(60)])
    }
    #expect(
      bench.sent.map(\.payload) == [
        #"{"v":1,"day":"2026-03-29","quality":"ok","energy_import_wh":1380}"#,
        #"{"v":1,"day":"2026-03-30","quality":"ok","energy_import_wh":1440}"#,
      ])
    #expect(bench.sent.first?.topic.hasSuffix("/day") == true)
  }

  @Test func lastHourIsThatOfTheFullHourBefore() throws {
    var bench = Bench(try custom([.e5], .g4), at: at("08:00:00"))
    for second in stride(from: 0, through: 3 * 3600 + 120, by: 10) {
      let now = at("08:00:00") + Int64(second) * 1000
      _ = bench.run(until: now)
      bench.frame(at: now, [importEnergy(1000 + Int64(second) / 10)])
    }
    #expect(bench.sent.map { $0.number("energy_import_last_hour_wh") }.last == 360)
    #expect(bench.sent.allSatisfy { $0.payload.contains(#""energy_export_last_hour_wh":null"#) })
  }

  @Test func firstWindowIsAPartOrIsNotReleased() throws {
    func first(from start: String) throws -> String? {
      var bench = Bench(try custom([.p1], .g4), at: at(start))
      var now = at(start)
      while now <= at("14:05:00") {
        _ = bench.run(until: now)
        bench.frame(at: now, [importPower(500)])
        now += 10_000
      }
      return bench.sent.first.map { String($0.payload.dropFirst(15).prefix(64)) }
    }
    let part = try first(from: "13:20:00")
    #expect(part == #"2026-01-15T13:00:00Z","window_s":3600,"quality":"part","active_p"#)
    #expect(try first(from: "13:40:00") == nil)
  }

  @Test func brokerWithoutExpiryGetsNothingToKeep() throws {
    var bench = Bench(try custom([.p1], .g0) { $0.destination.retain = true }, at: at("13:30:00"))
    bench.snapshot.begin(source: 0, sequence: 1, receivedAt: at("13:30:00"))
    bench.snapshot.record(importPower(473))
    bench.snapshot.end()
    var out: [Sent] = []
    bench.bank.process(bench.snapshot, at: at("13:30:00"), clockTrusted: true) {
      (release: consuming Release) in
      out.append(Sent(release))
      release.forbidStorage()
      out.append(Sent(release))
    }
    #expect(out.map(\.qos) == [1, 0])
    #expect(out.map(\.retain) == [true, false])
    #expect(out.map(\.expirySeconds) == [300, 0])
  }

  @Test func stoppedGateMakesItsQueuedReleasesStale() throws {
    var bench = Bench(try custom([.p1], .g0), at: at("13:30:00"))
    bench.frame(at: at("13:30:00"), [importPower(473)])
    let sent = try #require(bench.sent.first)
    let before = bench.bank.isCurrent(gateIndex: sent.gateIndex, epoch: sent.epoch)
    bench.bank.stop(0, at: at("13:30:01"))
    let after = bench.bank.isCurrent(gateIndex: sent.gateIndex, epoch: sent.epoch)
    let isInstalled = bench.bank.install(try custom([.p1], .g0)[0], at: 0, now: at("13:30:02"))
    let again = bench.bank.isCurrent(gateIndex: sent.gateIndex, epoch: sent.epoch)
    #expect(before && !after && isInstalled && !again)
  }

  @Test func gatesOutOfRangeOrTwiceAreRefused() throws {
    let gate = try custom([.p1], .g2)[0]
    var bench = Bench([gate], at: at("13:30:00"))
    for index in [-1, 0, 32] {
      let isInstalled = bench.bank.install(gate, at: index, now: at("13:30:00"))
      #expect(!isInstalled)
    }
  }

  @Test func compiledGateIsSmall() {
    #expect(MemoryLayout<CompiledGate>.size <= 256)
    #expect(MemoryLayout<GateBank>.size <= 256 * 1024)
  }

  @Test("C13.57: sixteen gates run without heap") func c57SixteenGatesRunWithoutHeap() throws {
    var gates: [CompiledGate] = []
    for number in 0..<15 {
      let rung: Granularity = [.g0, .g1, .g2, .g3, .g4][number % 5]
      gates += try custom(
        [.e3, .e4, .p1, .p2, .p3, .v1, .a1, .q1, .t1, .o1], rung, salt: UInt8(number))
    }
    gates += try compiled(terms(localProfile, house), role: .inHouse, publishesValues: true)
    var bank = GateBank()
    for (index, gate) in gates.enumerated() {
      precondition(bank.install(gate, at: index, now: at("13:00:00")), "room for 16 gates")
    }
    var snapshot = Snapshot()
    let quantities = Quantity.all.filter { QuantityTable.entries[Int($0.rawValue)].cde != 0 }
      .prefix(40)
    let readings = quantities.map { quantity in
      let cde = QuantityTable.entries[Int(quantity.rawValue)].cde
      return reading(
        OBISCode(
          1, 0, UInt8(cde >> 16), UInt8(truncatingIfNeeded: cde >> 8),
          UInt8(truncatingIfNeeded: cde)), 1000, quantity.unit)
    }
    #if DEBUG
      let frames = 100_000 / readings.count
    #else
      let frames = 1_000_000 / readings.count
    #endif
    let start = at("13:00:00")
    var releases = 0
    var before: UInt64 = 0
    for frame in 0..<(frames + 100) {
      if frame == 100 { before = allocation_count() }
      let now = start + Int64(frame) * 1000
      snapshot.begin(source: 0, sequence: UInt64(frame), receivedAt: now)
      for index in readings.indices {
        var reading = readings[index]
        reading.value.mantissa += Int64(frame)
        snapshot.record(reading)
      }
      snapshot.end()
      bank.process(snapshot, at: now, clockTrusted: true) { release in
        release.withPayload { releases += $0.count > 0 ? 1 : 0 }
      }
      bank.tick(at: now, clockTrusted: true) { _ in releases += 1 }
    }
    let after = allocation_count()
    #expect(after - before == 0)
    #expect(releases > frames * 4)
    let control = [UInt8](repeating: 0, count: releases)
    #expect(allocation_count() > after && control.count == releases)
  }
}
