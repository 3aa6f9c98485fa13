import ConsentLedger
import Glibc
import MeterSimulator
import OBISDecoder
import PrivacyFilter

/// The demo: a simulated household, a private broker, the agent between them, and two recipients.
///
/// All of it runs on one loop, except the broker, which is a process of its own.
final class DemoWorld {
  /// How many times faster household and gateway live.
  static let rate = 60
  /// How often the table is drawn, in milliseconds.
  private static let drawMilliseconds = 1000

  private let loop: EventLoop
  private let directory: DemoDirectory
  private let broker: DemoBroker
  private let clock = GatewayClock(rate: DemoWorld.rate)
  private let line: TerminalTarget
  private let agent: Agent
  private let viewer: MosquittoConnection
  private let player: Player
  private let seconds: Int?
  private var view = DemoView()
  private var drawTimer: Timer?
  private var drawnLines = 0
  private var began: Int64 = 0

  /// Builds the world; `seconds` nil runs until Ctrl-C.
  init(seconds: Int?, seed: UInt64) throws(CommandFailure) {
    self.seconds = seconds
    directory = try DemoDirectory()
    broker = try DemoBroker(in: directory.path)
    do throws(SystemError) {
      loop = try EventLoop()
      line = try TerminalTarget(link: nil, on: loop)
    } catch {
      throw .failed("\(error.call): \(error.text)")
    }
    agent = try Agent(
      Self.configuration(in: directory.path, device: line.place, port: broker.port),
      clock: clock, on: loop)
    viewer = MosquittoConnection(
      BrokerSettings(
        host: "127.0.0.1", port: broker.port, clientID: "demo-viewer", isDedicated: false),
      on: loop)
    guard var meter = SimulatedMeter(name: "nl-dsmr5", seed: seed) else {
      throw .failed("the simulator has no meter nl-dsmr5")
    }
    let start = clock.now()
    var texts: [String] = []
    for identifier in meter.next(at: start).identifiers
    where !texts.contains(identifier.text) && identifier.kind != .meterType {
      texts.append(identifier.text)
    }
    view.identifiers = texts
    var source = SimulationSource(meter, start: start, rate: Self.rate, frames: nil, isPaced: true)
    player = Player(to: line, on: loop) { source.next() }
    player.showsProgress = false
  }

  private static func configuration(
    in directory: String, device: String, port: UInt16
  ) -> Configuration {
    var configuration = Configuration(timeZone: .system())
    configuration.stateDirectory = directory + "/state"
    configuration.controlSocket = directory + "/control.sock"
    configuration.meters = [
      Configuration.Meter(
        name: "home",
        input: .serial(
          path: device, SerialSettings(speed: 115_200, dataBits: 8, parity: .none, stopBits: 1)),
        dialect: nil, clockOffsetMinutes: configuration.timeZone.standardOffsetMinutes)
    ]
    configuration.brokers = [Configuration.Broker(name: "demo", host: "127.0.0.1", port: port)]
    return configuration
  }

  /// Runs it; returns whether both recipients received something.
  func run() throws(CommandFailure) -> Bool {
    do throws(SystemError) {
      try loop.handleSignals([SIGINT, SIGTERM]) { [unowned self] _ in end() }
    } catch {
      throw .failed("\(error.call): \(error.text)")
    }
    agent.onFrame = { [unowned self] feed in note(feed) }
    viewer.onMessage = { [unowned self] topic, payload in received(topic, payload) }
    viewer.subscribe("#")
    viewer.start()
    agent.start()
    try grantBoth()
    player.start()
    began = GatewayClock.monotonicMilliseconds()
    if let seconds { loop.schedule(afterMilliseconds: seconds * 1000) { [unowned self] in end() } }
    drawTimer = loop.timer { [unowned self] in draw() }
    drawTimer?.arm(afterMilliseconds: Self.drawMilliseconds)
    loop.run()
    broker.stop()
    return view.house.count > 0 && view.app.count > 0
  }

  // MARK: - Consent

  private func grantBoth() throws(CommandFailure) {
    let house = ProposalRequest(
      profile: "local-automation", recipient: "home-assistant", absolute: false, meters: [],
      broker: "demo", retain: false)
    var app = house
    app.profile = "app-insight"
    app.recipient = "demo-app"
    app.legalName = "Demo App AS"
    app.country = "NO"
    app.basis = "a"
    try grant(house)
    try grant(app)
  }

  private func grant(_ proposal: ProposalRequest) throws(CommandFailure) {
    let me = Authority.uid(getuid())
    let proposed = agent.answer(ControlRequest(verb: .grantPropose, proposal: proposal), by: me)
    guard let id = proposed.grant?.id else {
      throw .failed("\(proposed.code ?? ""): \(proposed.message ?? "no proposal")")
    }
    let accepted = agent.answer(ControlRequest(verb: .grantAccept, grant: id), by: me)
    guard accepted.ok else {
      throw .failed("\(accepted.code ?? ""): \(accepted.message ?? "not accepted")")
    }
  }

  // MARK: - Watching

  private func note(_ feed: MeterFeed) {
    view.telegrams += 1
    for number in 0..<Quantity.idBound {
      let quantity = Quantity(rawValue: UInt8(number))
      guard let value = feed.snapshot.value(of: quantity) else { continue }
      view.meter["\(quantity.name)"] = "\(value) \(quantity.unit.symbol)"
    }
  }

  private func received(_ topic: Span<UInt8>, _ payload: Span<UInt8>) {
    let name = Self.text(topic)
    if name == "meter/home/state" {
      view.house = DemoDocument(
        topic: name, payload: Self.text(payload), count: view.house.count + 1)
    } else if name.hasPrefix("gateway/demo-app/"), name.hasSuffix("/e1") {
      view.app = DemoDocument(
        topic: name, payload: Self.text(payload), count: view.app.count + 1)
    }
  }

  private static func text(_ bytes: Span<UInt8>) -> String {
    var units: [UInt8] = []
    for index in bytes.indices { units.append(bytes[index]) }
    return String(decoding: units, as: UTF8.self)
  }

  private func draw() {
    drawTimer?.arm(afterMilliseconds: Self.drawMilliseconds)
    let elapsed = Int((GatewayClock.monotonicMilliseconds() - began) / 1000)
    guard Terminal.isOutput else {
      try? Terminal.line(view.summary(seconds: elapsed))
      return
    }
    let lines = view.lines(seconds: elapsed)
    let up = drawnLines > 0 ? "\u{1B}[\(drawnLines)A" : ""
    try? Terminal.write(Array((up + lines.map { "\u{1B}[K\($0)\n" }.joined()).utf8))
    drawnLines = lines.count
  }

  // MARK: - Ending

  private func end() {
    drawTimer?.cancel()
    drawTimer = nil
    player.cancel()
    viewer.stop()
    agent.stop { [unowned self] in loop.stop() }
  }
}
