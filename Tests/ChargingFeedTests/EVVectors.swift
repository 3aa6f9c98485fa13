import Foundation
import Testing

/// The vectors of the design's §6.9, from ../shared: read where they are, never copied.
enum EVVectors {
  /// One case: what a formula is given, and what it must give.
  struct Case: CustomTestStringConvertible, @unchecked Sendable {
    let id: String
    let function: String
    let input: Any
    let expected: Any
    var testDescription: String { "\(id) \(function)" }

    var fields: [String: Any] { input as? [String: Any] ?? [:] }
    var expectedFields: [String: Any] { expected as? [String: Any] ?? [:] }
    /// A number of the input, in thousandths.
    func thousandths(_ name: String) -> Int64? { EVVectors.thousandths(fields[name]) }
    /// Numbers of the input, in thousandths.
    func list(_ name: String) -> [Int64] { EVVectors.list(fields[name]) }
  }

  static let path = {
    let checkout = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let shared =
      ProcessInfo.processInfo.environment["GATEWAY_SHARED"]
      ?? checkout.deletingLastPathComponent().appendingPathComponent("shared").path
    return shared + "/ev/vectors.json"
  }()

  /// All of them; empty where ../shared is not there.
  static let all: [Case] = {
    guard let data = FileManager.default.contents(atPath: path),
      let list = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
    else { return [] }
    return list.map { item in
      Case(
        id: item["id"] as? String ?? "", function: item["fn"] as? String ?? "",
        input: item["input"] ?? NSNull(), expected: item["expect"] ?? NSNull())
    }
  }()

  /// The cases of these functions.
  static func of(_ functions: String...) -> [Case] {
    all.filter { functions.contains($0.function) }
  }

  static func thousandths(_ value: Any?) -> Int64? { scaled(value, 1000) }

  /// A number times a factor, rounded to a whole one; nil for null and for what is no number.
  static func scaled(_ value: Any?, _ factor: Double) -> Int64? {
    guard let number = value as? NSNumber else { return nil }
    return Int64((number.doubleValue * factor).rounded())
  }

  static func list(_ value: Any?) -> [Int64] {
    (value as? [Any] ?? []).compactMap { thousandths($0) }
  }
}
