import ConsentLedger
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Random bytes, but for what privacy.md C6 takes as given.
private final class GivenRandom {
  /// What the next draw of as many bytes gives.
  var next: [UInt8] = []

  func draw(_ count: Int) -> [UInt8] {
    // 32 bytes are drawn for the install secret only.
    if count == 32 { return Array(0..<32) }
    guard next.count == count else { return Crypto.random(count) }
    defer { next = [] }
    return next
  }
}

/// A consent store as an earlier run of the agent would have left it, with the secrets of C6.
struct Seed {
  static let source = "7b1f0c52-3a6e-4d0e-9a55-0c1d2e3f4a5b"
  /// `gateway/eliq/…` and client id that follow from salt a0.
  static let eliqPlace = "gateway/eliq/m-jdj2mreiudcxubv2"
  static let eliqClient = "ga-khovnmtr7hd573hs"
  /// Since when every seeded grant is in force.
  static let start = at("2026-01-01T00:05:00Z")

  private let store: ConsentStore
  private let random: GivenRandom
  private let source: UniqueID

  /// Fills the store of a bench, whose meter `home` gets C6's id, and closes it.
  static func prepare(_ bench: AgentBench, _ fill: (Seed) throws -> Void) throws {
    try fill(Seed(bench))
  }

  private init(_ bench: AgentBench) throws {
    let random = GivenRandom()
    self.random = random
    store = try ConsentStore(
      directory: bench.configuration.stateDirectory, at: Self.start, random: random.draw)
    source = try #require(UniqueID(parsing: Self.source))
    random.next = source.bytes
    #expect(try store.sourceID(of: "home") == source)
  }

  /// Puts the Eliq grant of C5 in force, changed as wanted, with 16 times `salt`.
  @discardableResult
  func eliq(
    salt: UInt8 = 0xA0, recipient: String = "eliq", base: Int64? = nil,
    _ change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> String {
    let who = Recipient(
      id: recipient, legalName: "Eliq AB", role: .processor, country: "SE",
      authority: "imy.se")
    return try grant("eliq-disaggregation", who, "disaggregation", .f, salt, base) {
      $0.granularity = .g4
      change(&$0)
    }
  }

  /// Puts power by the minute in force, with 16 times `salt`.
  @discardableResult
  func minutePower(
    salt: UInt8, _ change: (inout GrantTerms) -> Void = { _ in }
  ) throws -> String {
    let who = Recipient(
      id: "first-app", legalName: "Example Power AS", role: .controller, country: "NO",
      authority: "datatilsynet.no")
    return try grant("custom", who, "insight", .a, salt, nil) {
      $0.categories = [.p1, .p3]
      $0.granularity = .g2
      $0.quantum = .r1
      change(&$0)
    }
  }

  /// Puts a grant of the profile `enode-smartcharge` in force, with 16 times `salt`.
  @discardableResult
  func enode(salt: UInt8, _ change: (inout GrantTerms) -> Void = { _ in }) throws -> String {
    let who = Recipient(
      id: "enode", legalName: "Enode AS", role: .processor, country: "NO",
      authority: "datatilsynet.no")
    return try grant(Profile.enode, who, "smartCharging", .b, salt, nil, change)
  }

  private func grant(
    _ profile: String, _ recipient: Recipient, _ purpose: String, _ basis: Basis, _ salt: UInt8,
    _ base: Int64?, _ change: (inout GrantTerms) -> Void
  ) throws -> String {
    try store.register(recipient, by: AgentBench.owner, at: Self.start)
    var terms = GrantTerms(
      profile: try #require(Profiles.named(profile)).profile, recipient: recipient,
      purpose: purpose, basis: basis, sources: [source],
      destination: Destination(
        broker: "home", topicRoot: "gateway/" + recipient.id, qos: 1, retain: false,
        country: recipient.country),
      notice: Notice(
        sha256: Crypto.sha256Text("text"), lang: "en", title: "text", blob: "notices/text"),
      validFrom: Self.start)
    change(&terms)
    let id = try store.propose(
      terms, by: AgentBench.owner, at: Self.start, vault: IdentifierVault())
    random.next = [UInt8](repeating: salt, count: 16)
    _ = try store.accept(
      id, ticked: [], confirmed: Confirmations(fine: true), by: AgentBench.owner, at: Self.start,
      vault: IdentifierVault())
    #expect(try store.grant(id).pseudonymSalt == [UInt8](repeating: salt, count: 16))
    if let base {
      try store.saveBases(
        [BaseRegister(quantity: 10, thousandths: base)], of: id, source: Self.source + "/0")
    }
    return id.text
  }
}

extension AgentBench {
  /// Sends a telegram every 30 s, from `start` on and before `end`.
  func telegrams(
    from start: Int64, to end: Int64, _ change: (inout Telegram, Int64) -> Void = { _, _ in }
  ) throws {
    for instant in stride(from: start, to: end, by: 30_000) {
      var telegram = Telegram(gas: false)
      change(&telegram, instant)
      try self.telegram(telegram, at: instant)
    }
  }
}
