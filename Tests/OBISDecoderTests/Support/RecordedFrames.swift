import Foundation
import OBISDecoder
import Testing

/// One file of ../shared/frames with what its manifest says of it.
///
/// `p1` and `hdlc` tests share this: `RecordedFrames.all(in: "hdlc")` gives the other family. Fields
/// that only one family has (`expected_named`, `expected_normalised`) are in `manifest`.
struct RecordedFrame: CustomTestStringConvertible, Sendable {
  /// A value that the manifest expects and that carries a unit, in base units.
  struct Expected: Sendable {
    /// The manifest's key without `#2` and suffixes: `1-0:1.8.1`.
    var key: String
    var value: OBISDecoder.Decimal
    /// The unit's symbol as `Unit.symbol` prints it.
    var unit: String
  }

  /// Path below ../shared/frames: `p1/broken/xx_minimal_stream.txt`.
  var file: String
  var bytes: [UInt8]
  /// The whole manifest entry.
  var manifest: JSON

  var testDescription: String { file }
  var isBroken: Bool { manifest["broken"].bool ?? false }
  /// Every identifier that the manifest found in the bytes, in the forms it occurs in.
  var identifiers: [String] { manifest["identifiers"].array.compactMap(\.string) }

  /// Whether this release must decode it: plain, one frame a message, not Slovenian.
  var isSelected: Bool {
    let framing = manifest["framing"].string ?? ""
    return !isBroken && manifest["key"] == .null && framing != "hdlc-segmented"
      && !framing.contains("gbt") && !framing.contains("glo")
      && manifest["country"].string != "SI"
  }

  /// All expected values with a unit, also those within lists of values.
  var expected: [Expected] {
    manifest["expected"].members.sorted { $0.key < $1.key }.flatMap { key, entry in
      let code = String(key.prefix { $0 != "#" })
      let parts = entry["values"].array.isEmpty ? [entry] : entry["values"].array
      return parts.compactMap { expectation(code, $0) }
    }
  }

  /// What one part of an expected entry asks for; nil if it carries no unit.
  ///
  /// `raw` is the printed text in P1; in DLMS it is unscaled, and `value` is meant. A unit unknown
  /// to `BaseUnit` stays as it is, so that the comparison fails and shows it.
  private func expectation(_ key: String, _ part: JSON) -> Expected? {
    guard let unit = part["unit"].string,
      let number = file.hasPrefix("p1/") ? part["raw"].string : part["value"].digits
    else { return nil }
    let base = BaseUnit(unit)
    guard let value = exactDecimal(number, power: base?.power ?? 0) else { return nil }
    return Expected(key: key, value: value, unit: base?.symbol ?? unit)
  }
}

/// The files of ../shared/frames, or of `$GATEWAY_SHARED/frames`; empty where that is absent.
enum RecordedFrames {
  static let folder: URL? = {
    let environment = ProcessInfo.processInfo.environment["GATEWAY_SHARED"]
    let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .appendingPathComponent("../../../../../shared")
    let shared = environment.map { URL(fileURLWithPath: $0) } ?? repository
    let frames = shared.appendingPathComponent("frames").standardizedFileURL
    return FileManager.default.fileExists(atPath: frames.path) ? frames : nil
  }()

  static var isPresent: Bool { folder != nil }

  /// What a skipped test prints.
  static let absence: Comment = "../shared/frames is absent: recorded frames are NOT tested"

  /// The files of one family that the manifest lists, such as `p1` or `hdlc`.
  static func all(in family: String) -> [RecordedFrame] {
    entries.filter { $0["family"].string == family }.compactMap { entry in
      guard let file = entry["file"].string, let bytes = read(file) else { return nil }
      return RecordedFrame(file: file, bytes: bytes, manifest: entry)
    }
  }

  /// The files of one folder, named by their file: `quirks` is in no manifest.
  static func files(in name: String) -> [RecordedFrame] {
    guard let folder else { return [] }
    let path = folder.appendingPathComponent(name).path
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.sorted().compactMap { file in
      guard let bytes = read("\(name)/\(file)") else { return nil }
      return RecordedFrame(file: "\(name)/\(file)", bytes: bytes, manifest: .null)
    }
  }

  private static let entries: [JSON] = {
    guard let folder,
      let data = try? Data(contentsOf: folder.appendingPathComponent("manifest.json")),
      let manifest = try? JSONDecoder().decode(JSON.self, from: data)
    else { return [] }
    return manifest["entries"].array
  }()

  private static func read(_ file: String) -> [UInt8]? {
    folder.flatMap { try? Data(contentsOf: $0.appendingPathComponent(file)) }.map { [UInt8]($0) }
  }
}

/// A printed unit as base unit and power of ten, read here without the decoder's help.
struct BaseUnit {
  var symbol: String
  var power: Int8

  init?(_ text: String) {
    let lower = text.lowercased()
    let symbols = [
      "w": "W", "wh": "Wh", "var": "var", "varh": "varh", "va": "VA", "vah": "VAh", "v": "V",
      "a": "A", "hz": "Hz", "m3": "m3", "j": "J", "s": "s",
    ]
    if let symbol = symbols[lower] {
      (self.symbol, power) = (symbol, 0)
      return
    }
    let powers: [Character: Int8] = ["k": 3, "M": 6, "G": 9]
    guard let prefix = text.first, let power = powers[prefix],
      let symbol = symbols[String(lower.dropFirst())]
    else { return nil }
    (self.symbol, self.power) = (symbol, power)
  }
}

/// A printed number times 10^`power`, exact.
func exactDecimal(_ text: String, power: Int8) -> OBISDecoder.Decimal? {
  let parts = text.split(separator: ".", omittingEmptySubsequences: false)
  guard parts.count <= 2, let mantissa = Int64(parts.joined()) else { return nil }
  let decimals = Int8(parts.count == 2 ? parts[1].count : 0)
  return OBISDecoder.Decimal(mantissa: mantissa, exponent: power - decimals)
}
