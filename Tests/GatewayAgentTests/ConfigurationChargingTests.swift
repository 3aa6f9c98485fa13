import ChargingFeed
import Testing

@testable import GatewayAgent

/// `[ev]`: what is read, and the one line that says what is wrong.
struct ConfigurationChargingTests {
  private static let head = """
    meters = [{ port = "stdin" }]
    brokers = [{ host = "127.0.0.1" }]
    [ev]
    enabled = true

    """

  private func read(_ text: String) -> Configuration.Charging? {
    guard
      case .usable(let configuration) = ConfigurationReader.test.read(
        Array(text.utf8), file: "c.toml")
    else { return nil }
    return configuration.charging
  }

  @Test func theFuseIsEnough() throws {
    let charging = try #require(read(Self.head + "main_fuse_a = 25"))
    #expect(
      charging.settings == EVSettings(grid: .tn, phases: 3, fuse: 25_000, margin: 1000))
    #expect(charging.meter == 0 && charging.retainsLimit && charging.sinks.isEmpty)
    #expect(charging.settings.staleAfterSeconds == nil)
  }

  @Test func withoutEnabledThereIsNoFeed() {
    #expect(read("meters = [{ port = \"stdin\" }]\n[ev]\nmain_fuse_a = 25") == nil)
    #expect(
      ConfigurationReader.test.lines("meters = [{ port = \"stdin\" }]\n[ev]\nenabled = false") == []
    )
  }

  @Test func enodeDocumentsWantAName() {
    func user(_ text: String) -> String? {
      let all = "meters = [{ port = \"stdin\" }]\n[enode]\n" + text
      guard
        case .usable(let configuration) = ConfigurationReader.test.read(
          Array(all.utf8), file: "c.toml")
      else { return "unusable" }
      return configuration.enodeUser
    }
    #expect(user("enabled = true") == "home")
    #expect(user("enabled = true\nuser_id = \"the_House-2\"") == "the_House-2")
    #expect(user("user_id = \"home\"") == nil)
    for bad in ["", "a b", "å", "a\\\"b", String(repeating: "a", count: 17)] {
      #expect(user("enabled = true\nuser_id = \"\(bad)\"") == "unusable", "\(bad)")
    }
    #expect(user("enabled = true\nuserid = \"home\"") == "unusable")
  }

  @Test func readsEveryKey() throws {
    let charging = try #require(
      read(
        """
        [[meters]]
        name = "shed"
        port = "stdin"
        [[meters]]
        name = "home"
        port = "tcp://127.0.0.1:1"
        [[brokers]]
        name = "home"
        host = "127.0.0.1"
        [ev]
        enabled = true
        meter = "home"
        grid = "IT"
        phases = 3
        main_fuse_a = 31.5
        margin_a = 0.5
        it_l2 = "worst"
        it_l2_margin_a = 3
        stale_after_s = 12
        hold_s = 90
        retain_limit = "never"
        [ev.capacity]
        model = "peaks"
        target_kw = 5.5
        steps_kw = [2, 5]
        n_peaks = 5
        distinct = "week"
        windows = [{ months = [11, 12, 1], weekdays = [1, 2], from = "06:00", to = "20:30" }]
        weights = [{ from = "22:00", to = "06:00", factor = 0.5 }, { months = [7], factor = 0.25 }]
        floor_kw = 2.5
        policy = "average"
        margin_kw = 0.2
        [[ev.charger]]
        name = "garage"
        connection = "L1-L3"
        min_a = 7
        max_a = 32
        step_a = 0.5
        failsafe_a = 0
        draw_topic = "garage/draw"
        [[ev.sink]]
        broker = "home"
        type = "everest"
        topic = "everest_api/1/limits"
        charger = "garage"
        """))
    var settings = EVSettings(grid: .it, phases: 3, fuse: 31_500, margin: 500)
    settings.missingLine = .worst
    settings.estimateMargin = 3000
    settings.staleAfterSeconds = 12
    settings.holdSeconds = 90
    var capacity = CapacitySettings(model: .peaks, target: 5500)
    capacity.steps = [2000, 5000]
    capacity.peakCount = 5
    capacity.distinct = .week
    capacity.windows = [
      TariffHours(months: [11, 12, 1], weekdays: [1, 2], from: 360, to: 1230)
    ]
    capacity.weights = [
      .init(hours: TariffHours(from: 1320, to: 360), thousandths: 500),
      .init(hours: TariffHours(months: [7]), thousandths: 250),
    ]
    capacity.floor = 2500
    capacity.policy = .average
    capacity.margin = 200
    settings.capacity = capacity
    settings.chargers = [
      ChargerSettings(
        name: "garage", connection: .l1l3, minimum: 7000, maximum: 32_000, step: 500, failsafe: 0,
        hasDraw: true)
    ]
    #expect(
      charging
        == Configuration.Charging(
          settings: settings, meter: 1, retainsLimit: false, drawTopics: ["garage/draw"],
          sinks: [
            Configuration.Sink(
              broker: "home", kind: .everest, topic: "everest_api/1/limits", charger: 0)
          ]))
  }

  /// Lines from 5 on, and the error.
  private static let cases: [(String, String)] = [
    ("", "c.toml:3: ev.main_fuse_a: expected the main fuse in ampere, from 6 to 400, found none"),
    (
      "main_fuse_a = 5",
      "c.toml:5: ev.main_fuse_a: expected a number from 6 to 400, three decimals at most, found 5"
    ),
    (
      "main_fuse_a = 25\nmargin_a = 13",
      "c.toml:6: ev.margin_a: expected at most half of main_fuse_a, found 13.0"
    ),
    (
      "main_fuse_a = 25\nmargin_a = 1.0005",
      "c.toml:6: ev.margin_a: expected a number from 0 to 100, three decimals at most, "
        + "found a number with decimals"
    ),
    (
      "main_fuse_a = 25\nphases = 2", "c.toml:6: ev.phases: expected 1 or 3, found 2"
    ),
    (
      "main_fuse_a = 25\nmeter = \"shed\"",
      "c.toml:6: ev.meter: expected the name of a meter of this file, found \"shed\""
    ),
    (
      "main_fuse_a = 25\nstale_after_s = \"soon\"",
      "c.toml:6: ev.stale_after_s: expected a whole number from 2 to 600, found \"soon\""
    ),
    (
      "main_fuse_a = 25\nphases = 1\n[[ev.charger]]\nname = \"g\"\nconnection = \"L1+L2+L3\"",
      "c.toml:9: ev.charger.connection: expected \"L1\", as phases is 1, found \"L1+L2+L3\""
    ),
    (
      "main_fuse_a = 25\ngrid = \"IT\"\n[[ev.charger]]\nname = \"g\"\nconnection = \"L1\"",
      "c.toml:9: ev.charger.connection: expected two lines or \"L1+L2+L3\": IT has no neutral, "
        + "found \"L1\""
    ),
    (
      "main_fuse_a = 25\n[[ev.charger]]\nname = \"g\"\nconnection = \"L1-L2\"",
      "c.toml:8: ev.charger.connection: expected one line or \"L1+L2+L3\": TN has 400 V between "
        + "lines, found \"L1-L2\""
    ),
    (
      "main_fuse_a = 25\n[[ev.charger]]\nname = \"g\"\nfailsafe_a = 5.5",
      "c.toml:8: ev.charger.failsafe_a: expected 0 for a pause, or from min_a to max_a, found 5.5"
    ),
    (
      "main_fuse_a = 25\n[ev.capacity]\ntarget_kw = 5",
      "c.toml:7: ev.capacity.target_kw: expected a model beside it, found none"
    ),
    (
      "main_fuse_a = 25\n[ev.capacity]\nmodel = \"no_step\"",
      "c.toml:6: ev.capacity.target_kw: expected the mean in kW that is to be kept below, found none"
    ),
    (
      "main_fuse_a = 25\n[ev.capacity]\nmodel = \"no_step\"\ntarget_kw = 5\nsteps_kw = [5, 2]",
      "c.toml:9: ev.capacity.steps_kw: expected edges that ascend, found others"
    ),
    (
      "main_fuse_a = 25\n[ev.capacity]\nmodel = \"peaks\"\ntarget_kw = 5\n"
        + "windows = [{ from = \"6\" }]",
      "c.toml:9: ev.capacity.windows.from: expected a time of day such as \"06:00\", found \"6\""
    ),
    (
      "main_fuse_a = 25\n[[ev.sink]]\nbroker = \"home\"\ntype = \"goe\"\ntopic = \"go-e/+/set\"",
      "c.toml:9: ev.sink.topic: expected a topic of at most 100 bytes without +, #, leading $ or "
        + "empty levels, found \"go-e/+/set\""
    ),
    (
      "main_fuse_a = 25\n[[ev.sink]]\nbroker = \"home\"\ntype = \"everest\"\ntopic = \"e\"",
      "c.toml:8: ev.sink.type: expected a charger with a draw_topic for type \"everest\", found none"
    ),
    (
      "main_fuse_a = 25\ngrid = \"TT\"\nit_l2 = \"ignore\"\n[[ev.sink]]\nbroker = \"home\"\n"
        + "type = \"smartevse\"\ntopic = \"e\"",
      "c.toml:10: ev.sink.type: expected it_l2 other than \"ignore\": SmartEVSE wants every line, "
        + "found \"smartevse\""
    ),
    (
      "main_fuse_a = 25\n[[ev.sink]]\nbroker = \"away\"\ntype = \"goe\"\ntopic = \"e\"",
      "c.toml:7: ev.sink.broker: expected the name of a broker of this file, found \"away\""
    ),
    (
      "main_fuse_a = 25\nmargn_a = 1",
      "c.toml:6: ev.margn_a: expected a key of [ev], found an unknown key "
        + "(did you mean \"margin_a\"?)"
    ),
  ]

  @Test(arguments: cases)
  func saysInOneLineWhatIsWrong(text: String, line: String) {
    #expect(ConfigurationReader.test.lines(Self.head + text) == [line])
  }
}
