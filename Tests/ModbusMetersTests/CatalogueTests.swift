import ModbusMeters
import Testing

@Suite("Built-in profiles")
struct CatalogueTests {
  static let ids = MeterCatalogue(own: []).ids

  @Test func knowsSeventyModelsAndMore() {
    #expect(CatalogueTests.ids.count >= 70)
  }

  @Test(arguments: ids) func hasNothingWrongWith(id: String) throws {
    let text = try #require(MeterCatalogue.text(of: id))
    let outcome = ProfileReader.read(text, id: id, file: "\(id).toml")
    #expect(outcome.findings.map(\.description) == [])
    let profile = try #require(outcome.profile)
    #expect(profile.serial != nil || profile.tcp != nil)
    #expect(text.hasPrefix("# Source: "))
  }

  /// Every value lies in one block, no block is too long, and lengths differ where they can.
  @Test(arguments: ids) func plansEveryValueOf(id: String) throws {
    let profile = try #require(MeterCatalogue(own: []).profile(id))
    let plan = MeterPlanner(profile).plan
    for block in plan.all { #expect(block.count <= profile.limits.maxRegisters) }
    for field in profile.fields {
      for range in field.ranges {
        #expect(
          (plan.fast + plan.slow).contains { block in
            block.function == field.register.function && block.range.lowerBound <= range.lowerBound
              && range.upperBound <= block.range.upperBound
          }, "\(id) \(field.name)")
      }
    }
    let counts = plan.all.map(\.count)
    #expect((Set(counts).count == counts.count) == (plan.resync == nil))
    if let resync = plan.resync { #expect(!counts.contains(resync.count)) }
  }

  @Test func readsTheFortyValuesOfAnSDM630InTwoRequests() throws {
    let profile = try #require(MeterCatalogue(own: []).profile("eastron-sdm630"))
    let plan = MeterPlanner(profile).plan
    #expect(
      plan.fast == [
        ReadBlock(function: .input, address: 0, count: 80),
        ReadBlock(function: .input, address: 342, count: 22),
      ])
    #expect(plan.slow == [])
  }
}
