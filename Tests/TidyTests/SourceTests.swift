import Testing

/// The rules, applied to this checkout.
struct SourceTests {
  static let sources = Checkout.sources(below: "Sources")
  static let everySwiftFile =
    sources + Checkout.sources(below: "Tests") + Checkout.sources(below: "Benchmarks")

  @Test func findsTheSources() {
    #expect(Self.sources.count > 30)
    #expect(Set(Self.sources.map(\.target)).isSuperset(of: ["OBISDecoder", "GatewayAgent"]))
  }

  @Test func importsOnlyWhatTheRoomMay() {
    expectNone(ImportRules.findings(in: Self.sources))
  }

  @Test func keepsFilesAndFunctionsShort() {
    expectNone(Self.everySwiftFile.flatMap(LengthRules.findings(in:)))
  }

  @Test func avoidsTrapsAndPrints() {
    expectNone(Self.sources.flatMap(WordRules.findings(in:)))
  }

  @Test func leavesNothingUnfinished() {
    let swift = Self.everySwiftFile.flatMap { WordRules.leftovers(in: $0.lines, of: $0.path) }
    let scripts = ["scripts", "Tests", "Benchmarks", "deploy", "docs"].flatMap { folder in
      Checkout.files(below: folder, withExtensions: ["sh", "py", "md", "toml", "yaml", "c", "h"])
    }
    expectNone(
      swift
        + scripts.flatMap { path in
          WordRules.leftovers(
            in: Checkout.text(path)?.split(separator: "\n", omittingEmptySubsequences: false) ?? [],
            of: path)
        })
  }

  @Test func opensSocketsOnlyInFewRooms() {
    expectNone(Self.sources.flatMap(PrivacyRules.sockets(in:)))
  }

  @Test func keepsSecretsUnprintable() {
    expectNone(Self.sources.flatMap(PrivacyRules.speakingSecrets(in:)))
    #expect(Self.sources.contains { $0.path.hasSuffix("OBISDecoder/Secret.swift") })
  }

  @Test func keepsTextOutOfTheLog() {
    expectNone(Self.sources.flatMap(PrivacyRules.logParameters(in:)))
  }
}
