import ModbusMeters
import OBISDecoder
import Testing

/// A profile of the given value lines, and the words that a meter answers with.
struct Bench {
  let profile: MeterProfile
  var image = RegisterImage()

  /// Makes a meter of `values`, TOML lines of `[values]`; `more` are further tables.
  init(
    _ order: WordOrder, _ values: String, more: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let text = """
      [meter]
      vendor = "Test"
      model = "Bench"
      function = 3
      word_order = "\(order.rawValue)"
      max_gap = 20
      \(more)
      [values]
      \(values)
      """
    let outcome = ProfileReader.read(text, id: "bench", file: "bench.toml")
    profile = try #require(
      outcome.profile, "\(outcome.findings.map(\.description))", sourceLocation: sourceLocation)
  }

  /// Answers a block from `address` on.
  mutating func answer(_ address: UInt16, _ words: String) {
    let words = words.split(separator: " ").compactMap { UInt16($0, radix: 16) }
    image.store(words, of: ReadBlock(function: .holding, address: address, count: words.count))
  }

  /// What became of a value.
  func outcome(_ name: String) throws -> FieldOutcome {
    let index = try #require(profile.fields.firstIndex { $0.name == name })
    var copy = image
    return RegisterDecoding(profile).read(&copy).outcomes[index]
  }

  /// The value as printed in its base unit, nil where there is none.
  func value(_ name: String) throws -> String? {
    guard case .value(let value, _, _) = try outcome(name) else { return nil }
    return value.description
  }
}
