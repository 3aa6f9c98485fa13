import Testing

@testable import PrivacyFilter

/// Vectors of the privacy design §C6: the exact names that the inputs there give.
struct PseudonymTests {
  static let a0 = [UInt8](repeating: 0xA0, count: 16)
  static let b1 = [UInt8](repeating: 0xB1, count: 16)

  @Test(
    "C13.7: pseudonyms are those of the design",
    arguments: [
      ("eliq", UInt8(0xA0), UInt32(0), UInt8(0), "m-jdj2mreiudcxubv2"),
      ("eliq", 0xA0, 1, 0, "m-enz3a7ic26dwl6wg"),
      ("enode", 0xA0, 0, 0, "m-3al62us4kqyctfdb"),
      ("enode", 0xB1, 0, 0, "m-ilvudwohxemqbfxz"),
      ("eliq", 0xA0, 0, 1, "m-5b4wdviuu2feun2r"),
    ])
  func c7PseudonymsAreThoseOfTheDesign(
    recipient: String, salt: UInt8, rotation: UInt32, channel: UInt8, expected: String
  ) {
    #expect(
      pseudonyms.meter(
        recipient: recipient, salt: [UInt8](repeating: salt, count: 16), rotation: rotation,
        source: sourceID, channel: channel) == expected)
  }

  @Test("C13.7: client i ds and phases are those of the design")
  func c7ClientIDsAndPhasesAreThoseOfTheDesign() {
    #expect(pseudonyms.clientID(recipient: "eliq", salt: Self.a0) == "ga-khovnmtr7hd573hs")
    #expect(pseudonyms.clientID(recipient: "enode", salt: Self.b1) == "ga-tjlzpcfx4a5qrhfj")
    #expect(pseudonyms.phaseSeconds(recipient: "eliq", salt: Self.a0) == 21)
    #expect(pseudonyms.phaseSeconds(recipient: "enode", salt: Self.b1) == 3)
  }

  @Test("C13.8: two grants of one recipient share no name")
  func c8TwoGrantsOfOneRecipientShareNoName() throws {
    let first = try compiled(terms(eliqProfile), salt: 0xA0, connection: 1)
    let second = try compiled(terms(eliqProfile), salt: 0xB1, connection: 2)
    #expect(first[0].pseudonym.string != second[0].pseudonym.string)
    #expect(first[0].place.string != second[0].place.string)
    #expect(first[0].connection != second[0].connection)
    #expect(
      pseudonyms.clientID(recipient: "eliq", salt: Self.a0)
        != pseudonyms.clientID(recipient: "eliq", salt: Self.b1))
  }

  @Test("C13.9: pseudonym turns after ninety days") func c9PseudonymTurnsAfterNinetyDays() throws {
    let agreed = terms(eliqProfile)
    let day: Int64 = 86_400_000
    #expect(Pseudonyms.rotation(of: agreed, at: agreed.validFrom + 90 * day - 1) == 0)
    #expect(Pseudonyms.rotation(of: agreed, at: agreed.validFrom + 90 * day) == 1)
    #expect(try compiled(agreed, rotation: 1)[0].pseudonym.string == "m-enz3a7ic26dwl6wg")
    #expect(Pseudonyms.rotation(of: terms(localProfile, house), at: .max) == 0)
  }

  @Test func base32IsThatOfTheStandard() {
    #expect(Pseudonyms.base32(Array("foobar".utf8)) == "mzxw6ytboi")
    #expect(Pseudonyms.base32(Array("fooba".utf8)) == "mzxw6ytb")
    #expect(Pseudonyms.base32([]) == "")
  }
}
