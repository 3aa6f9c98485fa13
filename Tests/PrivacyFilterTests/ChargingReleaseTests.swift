import OBISDecoder
import Testing

@testable import PrivacyFilter

/// The charging feed's way in and out: only through an in-house gate that holds every category.
struct ChargingReleaseTests {
  private func bench(
    _ categories: CategorySet = CategorySet(rawValue: 0x001D_FFFF),
    change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> Bench {
    let gates = try compiled(
      terms(localProfile, house) {
        $0.categories = categories
        change(&$0)
      }, role: .inHouse)
    return Bench(gates, at: at("13:30:00"))
  }

  private func sent(
    _ bench: inout Bench, _ topic: ChargingTopic, expiry: UInt32 = 0, at now: Int64
  ) -> Sent? {
    var document = ByteBuffer<4096>()
    document.append("{}")
    var out: Sent?
    bench.bank.emit(document, as: topic, expirySeconds: expiry, through: 0, at: now) {
      out = Sent($0)
    }
    return out
  }

  @Test func documentsHaveTheirTopicsAndLives() throws {
    var bench = try bench()
    let now = at("13:30:10")
    let name = try #require(FixedText<112>("garage"))
    let foreign = try #require(FixedText<112>("openWB/mqtt/counter/4/get/power"))
    for (topic, text, expiry, qos, retain, kind) in [
      (
        ChargingTopic.state, "meter/home/ev/state", UInt32(0), UInt8(0), false,
        Release.Kind.charging
      ),
      (.limit, "meter/home/ev/limit", 25, 1, true, .charging),
      (.limit, "meter/home/ev/limit", 0, 1, false, .charging),
      (.interval, "meter/home/ev/interval", 0, 0, false, .charging),
      (.power, "meter/home/ev/power", 0, 0, false, .charging),
      (.current(line: 0), "meter/home/ev/current/l1", 0, 0, false, .charging),
      (.headroom(line: 2), "meter/home/ev/headroom/l3", 0, 0, false, .charging),
      (.maxImportWatts, "meter/home/ev/max_import_w", 0, 0, false, .charging),
      (.maxImportAmperes, "meter/home/ev/max_import_a", 0, 0, false, .charging),
      (.charger(name), "meter/home/ev/charger/garage", 0, 0, false, .charging),
      (.hour, "meter/home/hour", 0, 1, true, .record),
      (.capacity, "meter/home/capacity", 0, 1, true, .record),
      (.sink(foreign, retained: true), "openWB/mqtt/counter/4/get/power", 25, 0, true, .sink),
      (.sink(foreign, retained: false), "openWB/mqtt/counter/4/get/power", 0, 0, false, .sink),
    ] {
      let release = sent(&bench, topic, expiry: expiry, at: now)
      #expect(release?.topic == text)
      #expect(release?.expirySeconds == expiry && release?.qos == qos && release?.retain == retain)
      #expect(release?.kind == kind && release?.gateIndex == 0, "\(text)")
    }
    let counters = bench.bank.counters(at: 0)
    #expect(counters.released == 14)
  }

  @Test func aGrantWithoutOneCategoryReleasesNothingOfIt() throws {
    let live: CategorySet = [.p1, .p2, .p3, .v1, .a1, .q1]
    for missing in [CategorySet.p1, .p2, .p3, .v1, .a1, .q1] {
      var bench = try bench(live.subtracting(missing))
      #expect(sent(&bench, .limit, at: at("13:30:10")) == nil)
      #expect(sent(&bench, .state, at: at("13:30:10")) == nil)
    }
    var bench = try bench(live)
    #expect(sent(&bench, .limit, at: at("13:30:10")) != nil)
    #expect(sent(&bench, .hour, at: at("13:30:10")) == nil)
    #expect(sent(&bench, .capacity, at: at("13:30:10")) == nil)
    var energy = try self.bench([.e1, .e2, .e3, .e4, .d1])
    #expect(sent(&energy, .hour, at: at("13:30:10")) != nil)
    #expect(sent(&energy, .capacity, at: at("13:30:10")) != nil)
    #expect(sent(&energy, .limit, at: at("13:30:10")) == nil)
  }

  @Test func anEndedOrStoppedGateReleasesNothing() throws {
    var bench = try bench { $0.validUntil = at("13:31:00") }
    #expect(sent(&bench, .limit, at: at("13:30:59")) != nil)
    #expect(sent(&bench, .limit, at: at("13:31:00")) == nil)
    bench.bank.stop(0, at: at("13:30:59"))
    #expect(sent(&bench, .limit, at: at("13:30:59")) == nil)
  }

  @Test func aGateForOutsideReleasesNothing() throws {
    let gates = try compiled(
      terms(customProfile) { $0.categories = CategorySet(rawValue: 0x00FF_FFFF) })
    var bench = Bench(gates, at: at("13:30:00"))
    #expect(sent(&bench, .limit, at: at("13:30:10")) == nil)
  }

  @Test func valuesComeOnlyThroughAnInHouseGateThatHoldsThem() throws {
    var narrow = try bench(.p1)
    narrow.frame(at: at("13:30:10"), [importPower(473), exportPower(5)])
    let power = narrow.bank.value(of: Quantity(22), in: narrow.snapshot, through: 0)
    let export = narrow.bank.value(of: Quantity(24), in: narrow.snapshot, through: 0)
    let voltage = narrow.bank.value(of: Quantity(31), in: narrow.snapshot, through: 0)
    #expect(power == Decimal(mantissa: 473) && export == nil && voltage == nil)
    let other = narrow.bank.value(of: Quantity(22), in: narrow.snapshot, through: 1)
    #expect(other == nil)
    narrow.bank.stop(0, at: at("13:30:11"))
    let stopped = narrow.bank.value(of: Quantity(22), in: narrow.snapshot, through: 0)
    #expect(stopped == nil)
  }

  @Test func limitIsNotKeptWithoutExpiry() throws {
    var bench = try bench()
    var document = ByteBuffer<4096>()
    document.append("{}")
    bench.bank.emit(
      document, as: .limit, expirySeconds: 25, through: 0, at: at("13:30:10")
    ) { release in
      var release = release
      release.forbidStorage()
      #expect(!release.retain && release.expirySeconds == 0 && release.qos == 1)
    }
  }
}
