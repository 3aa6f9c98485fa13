import Foundation
import OBISDecoder
import Testing

@testable import GatewayAgent
@testable import MeterSimulator

/// Every model of the simulator and every recorded frame, redacted.
@Suite struct RedactionModelTests {
  private static let start: Int64 = 1_768_435_200_000

  @Test(arguments: MeterModel.all.map(\.name))
  func redactsEveryModel(name: String) throws {
    var meter = try #require(SimulatedMeter(name: name, seed: 11))
    var stream: [UInt8] = []
    var identifiers: [SimulatedIdentifier] = []
    var time = Self.start
    // Over a full hour, in which the long lists come.
    for frame in 0..<6 {
      time = frame == 3 ? Self.start + 3_600_000 : meter.nextDue(after: time)
      let next = meter.next(at: time)
      stream += next.bytes
      identifiers += next.identifiers
    }
    let key = meter.model.key.map(DecodedFrame.hex)
    let authenticationKey = meter.model.authenticationKey.map(DecodedFrame.hex)
    let before = try Redacting.frames(stream, key, authenticationKey)
    let (bytes, report) = try Redacting.redact(
      stream, key: key, authenticationKey: authenticationKey)
    #expect(report.keptFrames == before.frames.count)
    #expect(report.unreadableFrames == 0)
    #expect(report.droppedBytes == 0)
    let after = try Redacting.frames(bytes, RedactionKey.key, RedactionKey.authenticationKey)
    #expect(after.rejections.isEmpty)
    #expect(after.frames.count == before.frames.count)
    #expect(before.frames.count >= 3)
    for (left, right) in zip(before.frames, after.frames) {
      #expect(right.saysTheSame(as: left))
    }
    Redacting.expectNone(of: identifiers.filter(Redacting.isReplaced).map(\.bytes), in: bytes)
  }

  @Test(.enabled(if: RecordedCaptures.isPresent, RecordedCaptures.absence))
  func redactsEveryRecordedFrame() throws {
    var kept = 0
    for recorded in RecordedCaptures.all() {
      let before = try Redacting.frames(recorded.bytes, recorded.key, recorded.authenticationKey)
      guard !before.frames.isEmpty,
        !before.frames.contains(where: {
          $0.problemCodes.contains(.encrypted)
        })
      else { continue }
      let result: (bytes: [UInt8], report: RedactionReport)
      do {
        result = try Redacting.redact(
          recorded.bytes, key: recorded.key, authenticationKey: recorded.authenticationKey)
      } catch {
        // Every frame of it has parts that nobody can read.
        #expect(
          before.frames.allSatisfy { !$0.problemCodes.isEmpty }, "\(recorded.file): \(error)")
        continue
      }
      let sound = before.frames.filter { $0.problemCodes.isEmpty }
      #expect(result.report.keptFrames >= sound.count, "\(recorded.file)")
      let after = try Redacting.frames(
        result.bytes, RedactionKey.key, RedactionKey.authenticationKey)
      #expect(after.rejections.isEmpty, "\(recorded.file)")
      #expect(after.frames.count == result.report.keptFrames, "\(recorded.file)")
      kept += after.frames.count
      let telling = recorded.identifiers.filter { !Redacting.isPublic($0) }
      Redacting.expectNone(of: telling.map { Array($0.utf8) }, in: result.bytes, recorded.file)
    }
    #expect(kept > 60)
  }

  @Test func refusesAnEncryptedRecordingWithoutItsKey() throws {
    for model in MeterModel.all where model.key != nil {
      var meter = try #require(SimulatedMeter(name: model.name, seed: 11))
      let bytes = meter.next(at: Self.start).bytes
      #expect(throws: RedactionRefusal.needsKey) { try Redacting.redact(bytes) }
      #expect(throws: RedactionRefusal.wrongKey) {
        try Redacting.redact(bytes, key: String(repeating: "5A", count: 16))
      }
    }
  }
}

extension Redacting {
  /// What the decoder makes of a stream.
  static func frames(
    _ bytes: [UInt8], _ key: String?, _ authenticationKey: String?
  ) throws -> RedactionCollector {
    var collector = RedactionCollector()
    var decoder = MeterDecoder(DecoderOptions())
    var cipher = try keys(key, authenticationKey)
    decoder.push(bytes.span, with: &cipher, to: &collector)
    decoder.finish(with: &cipher, to: &collector)
    return collector
  }

  /// Whether a text stays: maker and kind of meter, which are no identifiers of a household.
  static func isPublic(_ text: String) -> Bool {
    ["AIDON_V", "Kamstrup_V", "KFM_", "MA"].contains { text.hasPrefix($0) }
  }

  static func isReplaced(_ identifier: SimulatedIdentifier) -> Bool {
    !isPublic(String(decoding: identifier.bytes, as: UTF8.self))
  }

  /// Expects that none of the identifiers occurs, in any form.
  static func expectNone(of spellings: [[UInt8]], in bytes: [UInt8], _ file: String = "") {
    for spelling in Set(spellings) where IdentifierForms.isTelling(spelling) {
      var index = FormIndex<Int>()
      index.add(IdentifierForms.all(of: [spelling]), of: 0)
      for hit in index.search(bytes) {
        Issue.record("\(file): \(hit.form.name) of \(String(decoding: spelling, as: UTF8.self))")
      }
    }
  }
}

/// The files of ../shared/frames with their keys.
struct RecordedCaptures {
  var file: String
  var bytes: [UInt8]
  var identifiers: [String]
  var key: String?
  var authenticationKey: String?

  private struct Manifest: Decodable {
    struct Key: Decodable {
      var gue: String?
      var gak: String?
    }
    struct Entry: Decodable {
      var file: String
      var identifiers: [String]?
      var key: Key?
    }
    var entries: [Entry]
  }

  private static let folder: URL? = {
    let environment = ProcessInfo.processInfo.environment["GATEWAY_SHARED"]
    let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
      .appendingPathComponent("../../../../shared")
    let shared = environment.map { URL(fileURLWithPath: $0) } ?? repository
    let frames = shared.appendingPathComponent("frames").standardizedFileURL
    return FileManager.default.fileExists(atPath: frames.path) ? frames : nil
  }()

  static var isPresent: Bool { folder != nil }
  static let absence: Comment = "../shared/frames is absent: recorded frames are NOT redacted"

  static func all() -> [RecordedCaptures] {
    guard let folder,
      let data = try? Data(contentsOf: folder.appendingPathComponent("manifest.json")),
      let manifest = try? JSONDecoder().decode(Manifest.self, from: data)
    else { return [] }
    return manifest.entries.compactMap { entry in
      guard let bytes = try? Data(contentsOf: folder.appendingPathComponent(entry.file)) else {
        return nil
      }
      return RecordedCaptures(
        file: entry.file, bytes: [UInt8](bytes), identifiers: entry.identifiers ?? [],
        key: entry.key?.gue, authenticationKey: entry.key?.gak)
    }
  }
}
