import AllocationCounter
import OBISDecoder
import Testing

@testable import PrivacyFilter

struct LabelLinterTests {
  private func isPersonal(_ text: String, _ use: LabelLinter.Use = .label) -> Bool {
    do throws(ConsentError) {
      try LabelLinter.check(text, as: use, vault: IdentifierVault())
      return false
    } catch {
      return error.code == .labelPersonal
    }
  }

  @Test(
    "C13.36: personal labels are refused",
    arguments: [
      "571313999000000010", "010190-1234", "01010100050", "ola@x.no", "Ola Nordmann ola@x.no",
      "+45 12 34 56 78", "12345678", "Storgata 12", "Nørrebrogade 12B",
      "meter 571313999000000010 x",
    ])
  func c36PersonalLabelsAreRefused(text: String) {
    #expect(isPersonal(text))
  }

  @Test(arguments: [
    "home", "cabin", "Home 2", "EV feed", "meter-3", "Kitchen @ home", "G4", "2026", "A/B",
    "Gateway 12", "vej", "Plan 2026-01",
  ])
  func plainLabelsAreAccepted(text: String) {
    #expect(!isPersonal(text))
  }

  @Test("C13.36: topic roots hold no run of six digits") func c36TopicRootsHoldNoRunOfSixDigits() {
    #expect(isPersonal("gateway/5706567000000017", .topicRoot))
    #expect(isPersonal("gateway/123456", .topicRoot))
    #expect(!isPersonal("gateway/12345", .topicRoot))
    #expect(!isPersonal("gateway/5706567000000017", .ownTopic))
    #expect(isPersonal("gateway/571313999000000010", .ownTopic))
    #expect(isPersonal("gateway/0101901234", .ownTopic))
    #expect(isPersonal("gateway/01010100050", .ownTopic))
  }

  @Test func checkDigitsDecide() {
    #expect(LabelLinter.isGSRN("571313999000000010".utf8.map { $0 - 48 }))
    #expect(!LabelLinter.isGSRN("571313999000000011".utf8.map { $0 - 48 }))
    #expect(LabelLinter.isBirthNumber("01010100050".utf8.map { $0 - 48 }))
    #expect(!LabelLinter.isBirthNumber("01010100051".utf8.map { $0 - 48 }))
    #expect(!LabelLinter.isBirthNumber("01130100050".utf8.map { $0 - 48 }))
    #expect(LabelLinter.isCPR("0101901234".utf8.map { $0 - 48 }))
    #expect(!LabelLinter.isCPR("3202901234".utf8.map { $0 - 48 }))
  }

  @Test func valuesOfTheVaultAreRefusedInAnyCase() throws {
    var vault = IdentifierVault()
    let frame = Array("x4530303432303031323334353637383930\u{0}TESTmeter77".utf8)
    let isNew = vault.keep(
      Secret(kind: .meterNumber, code: nil, offset: 1, count: 34, isHex: true), in: frame.span)
    let isAgain = vault.keep(
      Secret(kind: .meterNumber, code: nil, offset: 1, count: 34, isHex: true), in: frame.span)
    vault.keep(
      Secret(kind: .unknown, code: nil, offset: 36, count: 11, isHex: false), in: frame.span)
    let isOutside = vault.keep(
      Secret(kind: .unknown, code: nil, offset: 40, count: 11, isHex: false), in: frame.span)
    let count = vault.count
    #expect(isNew && !isAgain && !isOutside && count == 3)
    for text in ["meter/E0042001234567890", "e0042001234567890", "a-testMETER77-b"] {
      var code: ConsentError.Code?
      do throws(ConsentError) {
        try LabelLinter.check(text, as: .ownTopic, vault: vault)
      } catch { code = error.code }
      #expect(code == .labelPersonal)
    }
    var code: ConsentError.Code?
    do throws(ConsentError) {
      try LabelLinter.check("meter/home", as: .topicRoot, vault: vault)
    } catch { code = error.code }
    #expect(code == nil)
  }

  @Test func errorsNeverEchoTheText() {
    var explanation = ""
    do throws(ConsentError) {
      try LabelLinter.check("01010100050", as: .label, vault: IdentifierVault())
    } catch { explanation = error.explanation + String(describing: error) }
    #expect(!explanation.isEmpty && !explanation.contains("01010100050"))
  }
}

struct VaultHeapTests {
  @Test func valueAlreadyHeldIsRecognisedWithoutHeap() {
    var vault = IdentifierVault()
    let frame = Array("TESTmeter77".utf8)
    let secret = Secret(kind: .meterNumber, code: nil, offset: 0, count: 11, isHex: false)
    vault.keep(secret, in: frame.span)
    let before = allocation_count()
    let span = frame.span
    for _ in 0..<1000 { vault.keep(secret, in: span) }
    let after = allocation_count()
    #expect(after == before)
  }
}
