import Foundation
import ModbusMeters
import Testing

/// `docs/meter-profiles.md` is true: its example is a profile, and it names what there is.
@Suite("The document of the profile format")
struct ProfileDocumentTests {
  private let text: String

  init() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    text = try String(
      contentsOf: root.appending(path: "docs/meter-profiles.md"), encoding: .utf8)
  }

  @Test func hasAnExampleWithoutAFault() throws {
    let parts = text.components(separatedBy: "```toml\n").dropFirst()
    #expect(!parts.isEmpty)
    for part in parts {
      let example = try #require(part.components(separatedBy: "```").first)
      let outcome = ProfileReader.read(example, id: "heat-pump", file: "heat-pump.toml")
      #expect(outcome.findings.map(\.description) == [])
      #expect(MeterPlanner(try #require(outcome.profile)).plan.fast.count == 2)
    }
  }

  @Test func namesEveryTypeEncodingAndGroup() {
    let words =
      RegisterType.allCases.map(\.rawValue) + ValueEncoding.allCases.map(\.rawValue)
      + ReadGroup.allCases.map(\.rawValue) + WordOrder.allCases.map(\.rawValue)
    for word in words { #expect(text.contains("`\(word)`"), "\(word)") }
  }

  /// A name stands there itself, or as part of a range of phases or tariffs.
  @Test(arguments: MeterQuantity.allCases) func namesEveryReading(quantity: MeterQuantity) {
    var name = quantity.rawValue
    for ending in ["_l1", "_l2", "_l3", "_t1", "_t2", "_t3", "_t4"] where name.hasSuffix(ending) {
      name.removeLast(3)
    }
    #expect(text.contains("`\(name)`") || text.contains("`\(name)_"), "\(name)")
  }
}
