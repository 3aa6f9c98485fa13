import OBISDecoder
import Testing

@testable import PrivacyFilter

/// Documents in Enode's shape (ev-charging.md §7.7): exact, of the window alone, and only if asked for.
struct EnodeDocumentTests {
  private static let quarter: Int64 = 900_000
  private static let enode = profile("enode-smartcharge", [.e3, .e4, .p1, .p3], .g3) {
    $0.quantum = .r2
    $0.minDelay = 30
  }

  private func gates(
    user: String? = "home", rotation: UInt32 = 0, change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> [CompiledGate] {
    try compiled(
      terms(Self.enode) {
        $0.validUntil = at("2026-12-31T00:00:00Z")
        change(&$0)
      }, rotation: rotation, enodeUser: user)
  }

  /// Frames every 10 s, with the power of `watts` and registers that grow with it.
  private func feed(
    _ bench: inout Bench, from start: Int64, to end: Int64, watts: Int64, exported: Int64? = nil
  ) {
    for now in stride(from: start, to: end, by: 10_000) {
      let energy = importEnergy(5_000_000 + (now - at("13:00:00")) * watts / 3_600_000)
      var readings = [importPower(watts), energy]
      if let exported { readings.append(exportPower(exported)) }
      bench.frame(at: now, readings)
    }
  }

  private func documents(_ bench: borrowing Bench, _ leaf: String) -> [String] {
    bench.sent.filter { $0.topic.hasSuffix("/enode/" + leaf) }.map(\.payload)
  }

  private func text(_ gate: CompiledGate) -> String {
    var out = ByteBuffer<4096>()
    gate.enode.writeMeter(to: &out)
    return out.text
  }

  private let identity =
    #"{"id":"UUID","userId":"home","vendor":"LOCAL_HAN","#
  private let nothing =
    #""information":{"brand":null,"model":null,"siteName":null},"#
  private let place =
    #""location":{"id":null,"latitude":null,"longitude":null,"lastUpdated":null},"#
    + #""scopes":["meter:read:data"]}"#

  @Test func theMeterIsTheWindowAndNothingElse() throws {
    let granted = try gates()
    let id = text(granted[0])
    var bench = Bench(granted, at: at("13:30:00"))
    feed(&bench, from: at("13:30:00"), to: at("13:47:00"), watts: 7_749, exported: 0)
    _ = bench.run(until: at("13:47:00"))
    let meter = documents(bench, "meter")
    #expect(
      meter == [
        identity.replacing("UUID", with: id)
          + #""lastSeen":"2026-01-15T13:45:00Z","isReachable":true,"# + nothing
          + #""energyState":{"power":7.7,"lastUpdated":"2026-01-15T13:30:00Z"},"# + place
      ])
    let events = documents(bench, "events").filter { !$0.contains("heartbeat") }
    #expect(events.count == 1)
    #expect(events[0].hasPrefix(#"[{"event":"user:meter:discovered","createdAt":"2026-01-15T13:4"#))
    #expect(
      events[0].hasSuffix(
        #","version":"2024-10-01","user":{"id":"home"},"meter":"# + meter[0]
          + #","updatedFields":[]}]"#))
    let place = granted[0].topicText
    #expect(bench.sent.allSatisfy { $0.topic.hasPrefix(place + "/") && !$0.retain })
    #expect(bench.sent.allSatisfy { $0.qos == 1 && $0.expirySeconds == 1800 && $0.kind == .data })
  }

  @Test func exportIsNegativeAndAChangeIsTold() throws {
    var bench = Bench(try gates(), at: at("13:30:00"))
    feed(&bench, from: at("13:30:00"), to: at("13:45:00"), watts: 1_000, exported: 0)
    feed(&bench, from: at("13:45:00"), to: at("14:02:00"), watts: 0, exported: 2_500)
    _ = bench.run(until: at("14:02:00"))
    let events = documents(bench, "events").filter { $0.contains("user:meter:updated") }
    #expect(events.count == 1)
    #expect(events[0].contains(#""power":-2.5,"#))
    #expect(
      events[0].contains(
        #""updatedFields":["lastSeen","energyState.power","energyState.lastUpdated"]"#))
    var without = Bench(try gates { $0.categories = [.e3, .p1] }, at: at("13:30:00"))
    feed(&without, from: at("13:30:00"), to: at("13:47:00"), watts: 0, exported: 2_500)
    _ = without.run(until: at("13:47:00"))
    #expect(documents(without, "meter").first?.contains(#""power":0,"#) == true)
  }

  @Test func aSilentMeterIsNotReachableAndHasNoPower() throws {
    var bench = Bench(try gates(), at: at("13:30:00"))
    feed(&bench, from: at("13:30:00"), to: at("13:46:00"), watts: 1_000)
    _ = bench.run(until: at("14:32:00"))
    let last = documents(bench, "meter")
    #expect(last.count == 4)
    #expect(
      last[1].contains(#""lastSeen":"2026-01-15T13:45:00Z","isReachable":false"#)
        && last[1].contains(#""power":null,"lastUpdated":"2026-01-15T13:30:00Z""#))
    let events = documents(bench, "events").filter { !$0.contains("heartbeat") }
    // It went silent once; that it stays so is no news.
    #expect(events.count == 2)
    #expect(events[1].contains(#""updatedFields":["isReachable","energyState.power"]"#))
    let beats = documents(bench, "events").filter { $0.contains("heartbeat") }
    #expect(beats.count == 12)
    #expect(
      beats[0].hasPrefix(#"[{"event":"system:heartbeat","createdAt":""#)
        && beats[0].hasSuffix(#"Z","version":"2024-10-01","pendingEvents":0}]"#))
  }

  @Test func anHourIsTheSumOfItsQuarters() throws {
    var bench = Bench(try gates(), at: at("13:30:00"))
    feed(&bench, from: at("13:30:00"), to: at("16:02:00"), watts: 4_000)
    _ = bench.run(until: at("16:02:00"))
    // 13:00 was joined late.
    #expect(
      documents(bench, "hour") == [
        #"{"v":1,"start":"2026-01-15T14:00:00Z","end":"2026-01-15T15:00:00Z","import_kwh":4,"#
          + #""export_kwh":null}"#,
        #"{"v":1,"start":"2026-01-15T15:00:00Z","end":"2026-01-15T16:00:00Z","import_kwh":4,"#
          + #""export_kwh":null}"#,
      ])
    var hourly = Bench(try gates { $0.granularity = .g4 }, at: at("13:30:00"))
    feed(&hourly, from: at("13:30:00"), to: at("15:02:00"), watts: 4_000)
    _ = hourly.run(until: at("15:02:00"))
    #expect(documents(hourly, "hour").last?.contains(#""import_kwh":4,"#) == true)
  }

  @Test func aGapWithinTheHourLeavesItUnknown() throws {
    var bench = Bench(try gates { $0.categories = .e3 }, at: at("13:45:00"))
    feed(&bench, from: at("13:45:00"), to: at("14:15:00"), watts: 4_000)
    _ = bench.run(until: at("14:30:59"))
    feed(&bench, from: at("14:31:00"), to: at("15:02:00"), watts: 4_000)
    _ = bench.run(until: at("15:02:00"))
    #expect(
      documents(bench, "hour") == [
        #"{"v":1,"start":"2026-01-15T14:00:00Z","end":"2026-01-15T15:00:00Z","import_kwh":null}"#
      ])
    #expect(documents(bench, "meter").allSatisfy { $0.contains(#""power":null"#) })
  }

  @Test func thereAreNoneUnlessTheHouseholdAndTheProfileSaySo() throws {
    let refused = [
      try gates(user: nil), try gates { $0.profile = "custom" },
      try gates { $0.granularity = .g5 }, try gates(user: String(repeating: "a", count: 17)),
    ]
    for granted in refused {
      var bench = Bench(granted, at: at("13:30:00"))
      feed(&bench, from: at("13:30:00"), to: at("13:47:00"), watts: 1_000)
      _ = bench.run(until: at("13:47:00"))
      #expect(bench.sent.allSatisfy { !$0.topic.contains("/enode/") })
      let deletion = copied(GateEpilogue(granted[0]).deletion(at: 0))
      #expect(deletion == nil)
    }
  }

  @Test func theIdComesFromThePseudonymUnderTheKey() throws {
    let first = try gates()[0]
    let again = try gates()[0]
    let turned = try gates(rotation: 1)[0]
    #expect(text(first) == text(again))
    #expect(text(first) != text(turned))
    let salt = [UInt8](repeating: 0xA0, count: 16)
    #expect(text(first) == pseudonyms.uuid(of: first.pseudonym.string, salt: salt)?.text)
    let id = try #require(UniqueID(parsing: text(first)))
    #expect(id.bytes[6] >> 4 == 8 && id.bytes[8] >> 6 == 2)
    let other = Pseudonyms(installSecret: [UInt8](repeating: 9, count: 32), hmac: hmacSHA256)
    #expect(other.uuid(of: first.pseudonym.string, salt: salt) != id)
  }

  @Test func theEndDeletesTheMeterAndARestartDoesNotDiscoverItAgain() throws {
    let gate = try gates()[0]
    let copy = copied(GateEpilogue(gate).deletion(at: at("14:00:00")))
    let deletion = try #require(copy)
    #expect(deletion.topic == gate.topicText + "/enode/events")
    #expect(deletion.payload.hasPrefix(#"[{"event":"user:meter:deleted","#))
    #expect(deletion.payload.contains(#""power":null"#) && !deletion.retain)
    #expect(deletion.kind == .notice && deletion.qos == 1)
    var bench = Bench([gate], at: at("13:30:00"))
    bench.bank.restoreBase(5_000_000_000, of: .intervalImport, at: 0)
    feed(&bench, from: at("13:30:00"), to: at("13:47:00"), watts: 1_000)
    _ = bench.run(until: at("13:47:00"))
    let events = documents(bench, "events").filter { !$0.contains("heartbeat") }
    #expect(events.count == 1 && events[0].contains("user:meter:updated"))
  }

  @Test func aDoubtfulClockStopsTheHeartbeatWithoutWork() throws {
    var bench = Bench(try gates(), at: at("13:30:00"))
    bench.tick(at: at("13:30:00"))
    bench.clockTrusted = false
    bench.tick(at: at("13:36:00"))
    #expect(bench.sent.isEmpty)
    let deadline = bench.bank.nextDeadline()
    #expect(deadline == nil)
  }
}
