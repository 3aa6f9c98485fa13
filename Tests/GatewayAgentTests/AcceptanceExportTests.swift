import PrivacyFilter
import Testing

@testable import ConsentLedger
@testable import GatewayAgent

/// What the household stores of its use, and takes along.
struct AcceptanceExportTests {
  private func export(
    _ bench: AgentBench, seconds: Int64 = 3600, _ change: (inout ControlRequest) -> Void = { _ in }
  ) -> ControlResponse {
    var request = ControlRequest(verb: .export)
    request.export = ExportRequest(seconds: seconds)
    change(&request)
    return bench.agent.answer(request, by: AgentBench.owner)
  }

  private func bench() throws -> AgentBench {
    let bench = try AgentBench(at: at("14:00:00"))
    try bench.start()
    return bench
  }

  /// An hour whose import register grows from 3 579 772 to 3 580 245 Wh.
  private func hour(_ bench: AgentBench, without range: Range<Int64> = 0..<0) throws {
    let start = at("14:00:00")
    for instant in stride(from: start, through: start + 3_600_000, by: 30_000)
    where !range.contains(instant) {
      var telegram = Telegram(gas: false)
      telegram.importTariff1 = 1_234_094 + Int((instant - start) * 473 / 3_600_000)
      try bench.telegram(telegram, at: instant)
    }
  }

  @Test("C13.50: an hour of CSV under the design's header, with no identifier in it")
  func exportsAnHour() throws {
    let bench = try bench()
    try hour(bench)
    let view = try #require(export(bench).export)
    let csv = String(decoding: Export.csv(view.rows), as: UTF8.self)
    let lines = csv.split(separator: "\n")
    #expect(lines.first == "time_utc,duration_s,quantity,value,unit,quality")
    #expect(lines.contains("2026-01-15T14:00:00Z,3600,energy_import,473,Wh,ok"))
    #expect(lines.contains("2026-01-15T14:00:00Z,3600,energy_export,0,Wh,ok"))
    #expect(lines.count == 3 && view.next == nil)
    for form in ["E0042001234567890", "4530303432", "KUNDE", "4B554E4445", "TST5", "3580245"] {
      #expect(!csv.contains(form))
    }
    let quarters = try #require(export(bench, seconds: 900).export).rows
    #expect(
      quarters.filter { $0.quantity == "energy_import" }.map(\.value) == [
        "118", "118", "118", "119",
      ])
    #expect(try Fixture.types(bench).suffix(2) == ["EXPORT", "EXPORT"])
  }

  @Test("C13.51: after an hour no form of any number is in the state directory")
  func storesNoIdentifier() throws {
    let bench = try bench()
    try hour(bench)
    bench.agent.everyMinute()
    try bench.stop()
    for name in FileAccess.names(in: bench.configuration.stateDirectory) {
      let bytes = try FileAccess.read(
        bench.configuration.stateDirectory + "/" + name, limit: 1 << 24)
      for form in ["E0042001234567890", "4530303432303031", "KUNDE 12345678", "TST5", "HANP-0001"] {
        #expect(!bytes.contains(Array(form.utf8)), "\(form) in \(name)")
      }
    }
  }

  @Test("a time without a meter is bridged exactly, also over a restart")
  func bridgesWhatWasNotRead() throws {
    let bench = try bench()
    try hour(bench, without: at("14:10:00")..<at("14:40:00"))
    let rows = try #require(export(bench, seconds: 900).export).rows
    let imports = rows.filter { $0.quantity == "energy_import" }
    #expect(imports.map(\.duration_s) == [1800, 900, 900])
    #expect(imports.map(\.quality) == ["bridged", "part", "ok"])
    #expect(imports.compactMap { Int($0.value) }.reduce(0, +) == 473)

    let other = try self.bench()
    try other.telegram(Telegram(gas: false), at: at("14:00:00"))
    try other.stop()
    try other.start()
    var telegram = Telegram(gas: false)
    telegram.importTariff1 += 100
    try other.telegram(telegram, at: at("14:07:00"))
    telegram.importTariff1 += 11
    try other.telegram(telegram, at: at("14:15:00"))
    let again = try #require(export(other, seconds: 900).export).rows
    #expect(again.first { $0.quantity == "energy_import" }?.value == "111")
    #expect(again.first?.quality == "ok")
  }

  @Test("C13.25: what a restricted grant may not have is kept in the house all the same")
  func keepsHistoryWhileRestricted() throws {
    let bench = try AgentBench(at: at("14:00:00"))
    _ = bench.addWire()
    var grant = ""
    try Seed.prepare(bench) { grant = try $0.eliq() }
    try bench.start()
    #expect(bench.answer(.restrict, grant).ok)
    try hour(bench)
    #expect(bench.externalData.isEmpty)
    #expect(export(bench).export?.rows.first?.value == "473")
  }

  @Test(
    "export asks for a fresh proof, a known meter and a whole window; history can be switched off")
  func refusesWhatItCannotGive() throws {
    let bench = try bench()
    #expect(export(bench) { $0.provenSecondsAgo = 301 }.code == "E_REAUTH")
    #expect(export(bench, seconds: 60).code == "E_FLOOR")
    #expect(export(bench) { $0.export?.meter = "cellar" }.code == "E_GRANT_UNKNOWN")
    #expect(export(bench) { $0.export?.from = "yesterday" }.code == "E_LIMIT")
    #expect(export(bench) { $0.export = nil }.code == "E_STATE")
    let other = try AgentBench(at: at("14:00:00"))
    other.configuration.keepsHistory = false
    try other.start()
    try hour(other)
    #expect(export(other).export?.rows.isEmpty == true)
    #expect(ExportView.decimal(-1_250) == "-1.25" && ExportView.decimal(5) == "0.005")
  }
}

private enum Fixture {
  static func types(_ bench: AgentBench) throws -> [String] {
    var types: [String] = []
    _ = try bench.agent.store.ledger.walk { record, _ in types.append(record.type) }
    return types
  }
}
