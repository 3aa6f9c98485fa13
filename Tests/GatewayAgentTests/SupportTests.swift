import Foundation
import OBISDecoder
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// What goes to a stranger who looks for a fault (privacy.md C10).
struct SupportTests {
  private static let number = "E0042001234567890"

  private func bench() throws -> AgentBench {
    let bench = try AgentBench(at: at("13:00:00"), meters: ["kitchen-cellar"])
    let wire = bench.addWire(name: "my-own-broker")
    bench.configuration.brokers[0].username = "somebody-here"
    try bench.start()
    _ = try bench.grant(.house { $0.broker = "my-own-broker" })
    try bench.connect()
    try bench.telegrams(from: at("13:00:00"), to: at("13:00:30"))
    try bench.expect { !wire.publishes.isEmpty }
    return bench
  }

  @Test("the bundle tells states and counts, and nobody's names")
  func tellsStatesAndCounts() throws {
    let bench = try bench()
    let text = try #require(bench.answer(.support).support)
    let bundle = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let meters = try #require(bundle["meters"] as? [[String: Any]])
    #expect(meters.count == 1)
    #expect(meters[0]["frames"] as? Int == Int(bench.agent.feeds[0].frames))
    #expect(meters[0]["input"] as? String == "serial")
    #expect(meters[0]["speed"] as? Int == 115_200)
    #expect((meters[0]["port"] as? [String: Any])?["state"] as? String == "open")
    let connections = try #require(bundle["connections"] as? [[String: Any]])
    #expect(connections.first?["user"] as? Bool == true)
    #expect((connections.first?["sent"] as? Int ?? 0) > 0)
    let grants = try #require(bundle["grants"] as? [[String: Any]])
    #expect(grants.first?["profile"] as? String == "local-automation")
    for hidden in [
      "kitchen-cellar", "my-own-broker", "somebody-here", "127.0.0.1", "home-assistant",
      bench.directory, Self.number, "TST5", "KUNDE", "3580245",
    ] { #expect(!text.contains(hidden), "\(hidden)") }
  }

  @Test("with an identifier in it there is no bundle")
  func refusesIdentifier() throws {
    let bench = try bench()
    // The kernel's release is the one text in it that is not ours.
    var name = utsname()
    #expect(unsafe uname(&name) == 0)
    let release = unsafe withUnsafeBytes(of: name.release) { raw in
      unsafe Array(raw.prefix { $0 != 0 })
    }
    try #require(release.count >= IdentifierVault.shortestBytes)
    bench.agent.vault.insert(
      Secret(kind: .meterNumber, code: nil, offset: 0, count: release.count, isHex: false),
      in: release.span, source: 0)
    let answer = bench.answer(.support)
    #expect(answer.support == nil)
    #expect(answer.code == "E_LABEL_PERSONAL")
  }
}
