import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct HouseholdTests {
  @Test func knowsAMeterByTheSameRandomIdAfterRestart() throws {
    let fixture = try Fixture()
    let home = try fixture.store.sourceID(of: "home")
    #expect(try fixture.store.sourceID(of: "home") == home)
    #expect(try fixture.store.sourceID(of: "barn") != home)
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(try reopened.sourceID(of: "home") == home)
  }

  @Test func keepsTheTextThatWasShown() throws {
    let fixture = try Fixture()
    let text = "Elekt AS: strømdata til Eliq AB, timeforbrug, 2026-01-01"
    let notice = try Fixture.terms().notice
    try fixture.store.keepNotice(text, notice)
    try fixture.store.keepNotice(text, notice)
    let (_, reopened) = try fixture.afterPowerCut(at: Fixture.start)
    #expect(try reopened.notice(notice.sha256) == text)
    #expect(try reopened.notice("00") == nil)
    refuses(.noticeMissing) { try fixture.store.keepNotice(text + ".", notice) }
  }

  @Test func keepsNoTopicOfAnUnknownGrant() throws {
    let fixture = try Fixture()
    let unknown = try #require(UniqueID(bytes: [UInt8](repeating: 9, count: 16)))
    refuses(.grantUnknown) { try fixture.store.addRetainedTopics(["a"], of: unknown) }
    refuses(.grantUnknown) { try fixture.store.saveBases([], of: unknown, source: "a") }
  }
}
