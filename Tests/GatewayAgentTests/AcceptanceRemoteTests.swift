import ConsentLedger
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// What recipients can ask for over MQTT, and what they cannot.
struct AcceptanceRemoteTests {
  private let bench: AgentBench
  private let broker: Broker

  init() throws {
    bench = try AgentBench(at: at("13:00:00"))
    broker = Broker()
    broker.start()
    bench.addBroker(broker.port)
    bench.configuration.proposalBroker = "home"
    try bench.start()
    try bench.expect {
      if case .connected? = bench.agent.proposalConnection?.state { true } else { false }
    }
  }

  private var grants: [GrantView] { bench.answer(.grantList).grants ?? [] }

  private static let ask =
    #"{"v":1,"profile":"eliq-disaggregation","name":"Eliq AB","country":"SE","basis":"f","#
    + #""granularity":"G4","text":"We show what uses your power."}"#

  /// Publishes as a recipient would and lets the agent hear it.
  private func say(_ text: String, as recipient: String = "eliq") throws {
    let speaker = try #require(RawSubscriber(port: broker.port, name: "speaker"))
    speaker.publish(topic: "gateway/propose/" + recipient, payload: text)
    bench.idle(milliseconds: 80)
  }

  @Test func hearsAProposalThatReleasesNothing() throws {
    try say(Self.ask)
    let grant = try #require(grants.first)
    #expect(grants.count == 1 && grant.state == "proposed" && grant.recipient == "eliq")
    #expect(grant.granularity == "G4")
    #expect(grant.notice?.contains("They say: We show what uses your power.") == true)
    #expect(grant.notice?.contains("[ ] X1") == true)
    #expect(bench.agent.links.allSatisfy { $0 == nil })
    try say(Self.ask)
    #expect(grants.count == 1)
    bench.time.milliseconds += 60_000
    try say(Self.ask)
    #expect(grants.count == 2)
  }

  @Test(
    "C13.27: too long, too fine or with unknown keys a proposal is dropped",
    arguments: [
      Self.ask.replacing(#""text":"We"#, with: #""text":""# + String(repeating: "a", count: 501)),
      Self.ask.replacing("G4", with: "G0"), Self.ask.replacing(#""v":1"#, with: #""v":2"#),
      Self.ask.replacing(#""v":1"#, with: #""v":1,"state":"active""#),
      Self.ask.replacing(#""text":"We"#, with: "\"text\":\"\\u202eWe"),
      Self.ask.replacing("eliq-disaggregation", with: "local-automation"),
      Self.ask.replacing(#""basis":"f""#, with: #""basis":"c""#),
      Self.ask + String(repeating: " ", count: 4097 - Self.ask.utf8.count),
    ])
  func dropsWhatIsNoProposal(_ text: String) throws {
    try say(text)
    #expect(grants.isEmpty)
    // What is wrong is the message, not the way: the same recipient is heard a minute later.
    bench.time.milliseconds += 60_000
    try say(Self.ask)
    #expect(grants.count == 1)
  }

  @Test("C13.27: the 17th that waits is refused")
  func keepsSixteenAtMost() throws {
    for number in 0..<17 {
      let ask = try #require(
        { if case .ask(let ask) = RemoteMessage(Array(Self.ask.utf8)) { ask } else { nil } }())
      bench.agent.attend(.ask(ask), of: "app-\(number)", over: "home")
    }
    #expect(grants.count == 16)
    #expect(grants.allSatisfy { $0.state == "proposed" })
  }

  @Test func letsARecipientEndItsOwnGrantsOnly() throws {
    try say(Self.ask)
    let id = try #require(grants.first?.id)
    #expect(bench.answer(.grantAccept, id).ok)
    let other = try bench.grant(.minutePower())
    try bench.connect()
    try say(#"{"v":1,"end":"all"}"#, as: "nobody")
    #expect(grants.filter { $0.state == "active" }.count == 2)
    try say(#"{"v":1,"end":"\#(other)"}"#)
    #expect(grants.filter { $0.state == "active" }.count == 2)
    try say(#"{"v":1,"end":"all"}"#)
    #expect(grants.first { $0.id == id }?.state == "revokedByRecipient")
    #expect(grants.first { $0.id == other }?.state == "active")
    let receipt = bench.answer(.receipt, id).receipt
    #expect(receipt?.contains(#""dpv:isIndicatedBy":"recipient""#) == true)
  }

  @Test func letsNobodyBecomeSomebodyElse() throws {
    let elsewhere = Self.ask.replacing("Eliq AB", with: "Other Company AB")
      .replacing(#""country":"SE""#, with: #""country":"US""#)
    try say(Self.ask)
    bench.time.milliseconds += 60_000
    try say(elsewhere)
    let recipients = try bench.agent.store.recipients()
    #expect(recipients.map(\.legalName) == ["Eliq AB"])
    #expect(grants.allSatisfy { $0.notice?.contains("Eliq AB (SE)") == true })
  }
}
