import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct ProfilesTests {
  @Test func holdsTheProfilesOfTheFirstRelease() {
    #expect(
      Profiles.all.map(\.profile.name) == [
        "local-automation", "app-insight", "eliq-disaggregation", "enode-smartcharge", "custom",
      ])
    #expect(Profiles.all.count == Profiles.files.count)
    #expect(Profiles.named("marketing") == nil)
  }

  @Test(arguments: Profiles.files.map(\.name))
  func isNamedAsItsFileAndExplained(_ name: String) throws {
    let document = try #require(Profiles.named(name))
    #expect(document.profile.name == name)
    #expect(document.explanation.hasSuffix("."))
    #expect(!document.source.isEmpty)
    #expect(document.profile.optional.isSubset(of: document.profile.categories))
    #expect(document.profile.categories.isDisjoint(with: .identifiers))
  }

  /// The table of privacy design C4.
  @Test(arguments: [
    ("local-automation", Granularity.g0, Rounding.r0, UInt32(0)), ("app-insight", .g2, .r1, 0),
    ("eliq-disaggregation", .g3, .r2, 60), ("enode-smartcharge", .g3, .r2, 30),
  ])
  func hasTheCeilingOfTheDesign(
    _ name: String, _ granularity: Granularity, _ rounding: Rounding, _ delay: UInt32
  ) throws {
    let profile = try #require(Profiles.named(name)).profile
    #expect(profile.granularity == granularity)
    #expect(profile.quantum == rounding)
    #expect(profile.minDelay == delay)
    #expect(profile.identifiers == [.pseudonym])
  }
}
