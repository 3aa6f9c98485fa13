import ConsentLedger
import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// An agent with meters on pseudo-terminals, on a clock that the test moves.
final class AgentBench {
  /// One release that the agent handed to a connection.
  struct Sent: Equatable {
    var topic: String
    var payload: String
    var qos: UInt8
    var isRetained: Bool
    var expirySeconds: UInt32
    var isExternal: Bool
    var at: Int64
  }

  static let owner = Authority.uid(1000)

  let loop: EventLoop
  let time: ManualTime
  let directory: String
  let clock: GatewayClock
  var configuration: Configuration
  private(set) var running: Agent?
  private(set) var meters: [TestTerminal] = []
  /// Every release, in order.
  private(set) var sent: [Sent] = []
  private var control: ControlServer?
  /// What has to be turned beside the loop.
  var wires: [WireBroker] = []

  /// Prepares directory and configuration; `start()` makes the agent.
  init(at start: Int64, meters names: [String] = ["home"], isSynchronised: Bool = true) throws {
    ProcessSetup.prepare()
    loop = try EventLoop()
    time = ManualTime(start, isSynchronised: isSynchronised)
    clock = GatewayClock(time)
    directory = LoopHarness.temporaryDirectory()
    configuration = Configuration(timeZone: .utc)
    configuration.stateDirectory = directory + "/state"
    configuration.controlSocket = directory + "/control.sock"
    configuration.clockTrust = .system
    configuration.homeAssistant.enabled = false
    for name in names {
      let path = directory + "/" + name
      meters.append(TestTerminal(at: path))
      let line = SerialSettings(speed: 115_200, dataBits: 8, parity: .none, stopBits: 1)
      configuration.meters.append(
        Configuration.Meter(
          name: name, input: .serial(path: path, line), dialect: nil, clockOffsetMinutes: 60))
    }
  }

  deinit {
    running = nil
    _ = unsafe system("rm -r \(directory)")
  }

  /// Adds a broker on this port.
  func addBroker(_ port: UInt16, name: String = "home") {
    configuration.brokers.append(
      Configuration.Broker(name: name, host: "127.0.0.1", port: port))
  }

  /// Adds a broker that records.
  func addWire(name: String = "home") -> WireBroker {
    let wire = WireBroker()
    wires.append(wire)
    addBroker(wire.port, name: name)
    return wire
  }

  var agent: Agent {
    guard let running else { preconditionFailure("the test starts the agent first") }
    return running
  }

  /// Starts the agent and waits until its ports are open.
  func start() throws {
    let agent = try Agent(configuration, clock: clock, on: loop)
    running = agent
    agent.onPublished = { [unowned self] release in
      sent.append(
        Sent(
          topic: release.topicText, payload: release.payloadText, qos: release.qos,
          isRetained: release.retain, expirySeconds: release.expirySeconds,
          isExternal: release.isExternal, at: time.milliseconds))
    }
    agent.start()
    try expect { agent.feeds.allSatisfy { $0.portState == .open } }
  }

  /// Opens the control socket.
  func serve() throws {
    control = try ControlServer(path: configuration.controlSocket, on: loop) {
      [unowned self] request, authority in agent.answer(request, by: authority)
    }
  }

  /// Closes the control socket.
  func stopServing() { control = nil }

  /// Ends the agent as SIGTERM does.
  func stop() throws {
    var isDone = false
    agent.stop { isDone = true }
    try expect { isDone }
    running = nil
  }

  /// Drops the agent as a kill does: nothing is said or written.
  func kill() {
    for feed in agent.feeds { feed.stop() }
    for case .some(let link) in agent.links { link.connection.stop() }
    running = nil
  }

  /// Plugs a meter in again.
  func plug(_ meter: Int) {
    meters[meter] = TestTerminal(at: directory + "/" + configuration.meters[meter].name)
  }

  // MARK: - Turning

  /// Turns everything until `condition` holds, 10 s at most.
  func expect(
    _ location: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
  ) throws {
    var failure: (any Error)?
    let isMet = LoopHarness.run(loop) {
      for wire in wires { wire.turn() }
      do {
        return try condition()
      } catch {
        failure = error
        return true
      }
    }
    if let failure { throw failure }
    try #require(isMet, sourceLocation: location)
  }

  /// Turns everything for a while, so that what must not come would have come.
  func idle(milliseconds: Int = 60) {
    _ = LoopHarness.run(loop, withinMilliseconds: milliseconds) {
      for wire in wires { wire.turn() }
      return false
    }
  }

  /// Waits until every connection stands.
  func connect(_ location: SourceLocation = #_sourceLocation) throws {
    try expect(location) { agent.links.allSatisfy { $0?.isConnected ?? true } }
  }

  /// Sends a frame to a meter's port and waits until the agent has taken it.
  func frame(_ bytes: [UInt8], meter: Int = 0) throws {
    let feed = agent.feeds[meter]
    let before = feed.frames + feed.rejected
    meters[meter].send(bytes)
    try expect { feed.frames + feed.rejected > before }
  }

  /// Sends a telegram at `instant`.
  func telegram(
    _ telegram: Telegram = .f1, at instant: Int64, meter: Int = 0
  ) throws {
    advance(to: instant)
    try frame(telegram.bytes, meter: meter)
  }

  /// Moves the clock, with a tick wherever the agent would have woken up.
  func advance(to instant: Int64) {
    var last = Int64.min
    while let deadline = agent.bank.nextDeadline(), deadline <= instant, deadline > last {
      last = deadline
      time.milliseconds = max(time.milliseconds, deadline)
      agent.tick()
    }
    time.milliseconds = instant
    agent.tick()
  }

  // MARK: - Consent

  /// Proposes and accepts as the owner, who confirms everything; returns the grant's id.
  func grant(_ proposal: ProposalRequest, ticked: [String] = []) throws -> String {
    let proposed = agent.answer(
      ControlRequest(verb: .grantPropose, proposal: proposal), by: Self.owner)
    let id = try #require(proposed.grant?.id, "\(proposed.code ?? "") \(proposed.message ?? "")")
    var acceptance = ControlRequest(verb: .grantAccept, grant: id, optional: ticked)
    acceptance.confirmed = ConfirmedRequest(fine: true, age: true, household: true)
    let accepted = agent.answer(acceptance, by: Self.owner)
    #expect(accepted.ok, "\(accepted.code ?? "") \(accepted.message ?? "")")
    return id
  }

  /// Asks something about a grant as the owner.
  func answer(_ verb: ControlRequest.Verb, _ grant: String? = nil) -> ControlResponse {
    agent.answer(ControlRequest(verb: verb, grant: grant), by: Self.owner)
  }

  /// The data that left for outside, without notices.
  var externalData: [Sent] { sent.filter { $0.isExternal && !$0.topic.hasSuffix("/status") } }
}

extension ProposalRequest {
  /// A proposal that narrows nothing.
  static func made(
    _ profile: String, _ recipient: String, _ change: (inout ProposalRequest) -> Void = { _ in }
  ) -> ProposalRequest {
    var request = ProposalRequest(
      profile: profile, recipient: recipient, absolute: false, meters: [], broker: "home",
      retain: false)
    change(&request)
    return request
  }

  /// The house's own: every value as it comes.
  static func house(
    _ change: (inout ProposalRequest) -> Void = { _ in }
  ) -> ProposalRequest { made("local-automation", "home-assistant", change) }

  /// Power, by the minute, in steps of 10 W.
  static func minutePower(
    _ recipient: String = "first-app", _ change: (inout ProposalRequest) -> Void = { _ in }
  ) -> ProposalRequest {
    made("custom", recipient) {
      $0.legalName = "Example Power AS"
      $0.country = "NO"
      $0.categories = ["P1", "P3"]
      $0.granularity = "G2"
      $0.quantum = "R1"
      change(&$0)
    }
  }
}
