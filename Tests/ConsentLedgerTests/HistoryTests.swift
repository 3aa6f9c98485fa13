import PrivacyFilter
import Testing

@testable import ConsentLedger

/// The household's own history: windows, what ages, what is forgotten.
@Suite struct HistoryTests {
  private let start = Fixture.start
  private static let quarter: Int64 = 900_000

  private func value(
    _ number: Int64, _ amount: Int64, seconds: Int64 = 900, _ quality: HistoryQuality = .ok
  ) -> HistoryValue {
    HistoryValue(
      quantity: 0, at: start + number * Self.quarter, seconds: seconds, thousandths: amount,
      quality: quality)
  }

  private func source() throws -> UniqueID {
    try #require(UniqueID(parsing: Fixture.source))
  }

  private func read(
    _ store: ConsentStore, seconds: Int64, from: Int64 = 0, limit: Int = .max
  ) throws -> (values: [HistoryValue], next: Int64?) {
    try store.history(of: source(), from: from, to: .max, seconds: seconds, limit: limit)
  }

  @Test func addsUpWindowsAndSaysHowWhole() throws {
    let fixture = try Fixture()
    let values =
      (0..<4).map { value($0, 100) } + [value(4, 100), value(5, 100)]
      + [value(8, 900, seconds: 5400, .bridged), value(14, 100, .part), value(15, 100)]
    try fixture.store.keepHistory(values, bases: [], of: try source())
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    #expect(try read(reopened, seconds: 900).values == values)
    let hours = try read(reopened, seconds: 3600).values
    #expect(hours.map(\.thousandths) == [400, 200, 900, 200])
    #expect(hours.map(\.quality) == [.ok, .part, .bridged, .part])
    #expect(hours.map(\.seconds) == [3600, 3600, 5400, 3600])
    let day = try read(reopened, seconds: 86_400).values
    #expect(day.map(\.thousandths) == [1700] && day.map(\.quality) == [.part])
    let part = try read(reopened, seconds: 3600, limit: 2)
    #expect(part.values == Array(hours.prefix(2)))
    let rest = try read(reopened, seconds: 3600, from: try #require(part.next))
    #expect(part.values + rest.values == hours && rest.next == nil)
  }

  @Test func keepsQuartersFor400DaysAndHoursForThreeYears() throws {
    let fixture = try Fixture()
    let values = (0..<8).map { value($0, 100) } + [value(8, 100)]
    try fixture.store.keepHistory(values, bases: [], of: try source())
    func sweep(_ days: Int64, hours: Int64 = 0) throws {
      let now = start + days * Fixture.day + hours * Fixture.hour
      try fixture.store.sweepHistory(at: now) { CivilDate(of: $0, offsetSeconds: 0) }
    }
    try sweep(400)
    #expect(try read(fixture.store, seconds: 900).values == values)
    for _ in 0..<2 { try sweep(400, hours: 1) }
    #expect(
      try read(fixture.store, seconds: 900).values.map(\.seconds) == [
        3600, 900, 900, 900, 900, 900,
      ])
    try sweep(401)
    let hours = try read(fixture.store, seconds: 3600).values
    #expect(hours.map(\.thousandths) == [400, 400, 100])
    #expect(hours.map(\.quality) == [.ok, .ok, .part])
    try sweep(3 * 365 + 1)
    #expect(try read(fixture.store, seconds: 3600).values.isEmpty == false)
    try sweep(3 * 365 + 2)
    #expect(try read(fixture.store, seconds: 3600).values.isEmpty)
    try fixture.store.verify(knownHead: nil)
  }

  @Test func keepsBasesAndForgetsAllWhenErased() throws {
    let fixture = try Fixture()
    let base = HistoryBase(quantity: 0, at: start, thousandths: 7, isExact: true)
    try fixture.store.keepHistory([value(0, 4711)], bases: [base], of: try source())
    let (_, reopened) = try fixture.afterPowerCut(at: start)
    #expect(try reopened.historyBases(of: try source()) == [base])
    #expect(try fixture.store.eraseHistory() == 1)
    #expect(try read(fixture.store, seconds: 900).values.isEmpty)
    #expect(try fixture.store.historyBases(of: try source()).isEmpty)
  }
}
