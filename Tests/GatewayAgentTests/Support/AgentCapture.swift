import Foundation
import Testing

@testable import GatewayAgent

/// What an agent with every grant writes while it reads some frames, by place: `wire`, `log` in full,
/// `disk` and `control`.
///
/// It lives in a process of its own, so that standard error is this agent's alone.
enum AgentCapture {
  /// Captures one life.
  ///
  /// - Parameters:
  ///   - house: whether the house's own grant runs beside that of a recipient.
  ///   - damaged: whether each frame also comes cut, and with one byte flipped, at each offset.
  static func outbound(
    of frames: [[UInt8]], house: Bool, damaged: Bool = false
  ) async throws -> [String: [UInt8]] {
    let directory = LoopHarness.temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      [
        frames = frames as [[UInt8]], house = house as Bool, damaged = damaged as Bool,
        directory = directory as String
      ] in
      try AgentCapture.live(frames, house: house, damaged: damaged, writingTo: directory)
    }
    return try collect(log: try #require(result).standardErrorContent, in: directory)
  }

  /// What a life left in `directory`, with its log, whose lines must be codes and numbers.
  static func collect(log: [UInt8], in directory: String) throws -> [String: [UInt8]] {
    var outbound = ["log": log]
    for place in ["wire", "disk", "control"] {
      outbound[place] = Array(try Data(contentsOf: URL(filePath: directory + "/" + place)))
    }
    let lines = String(decoding: outbound["log"] ?? [], as: UTF8.self).split(separator: "\n")
    #expect(lines.contains { $0.hasPrefix("METER_FRESH") }, "the log is not captured")
    for line in lines {
      #expect(line.wholeMatch(of: /[A-Z_]+( -?\d+)*( \(suppressed \d+\))?/) != nil, "\(line)")
    }
    return outbound
  }

  private static func live(
    _ frames: [[UInt8]], house: Bool, damaged: Bool, writingTo directory: String
  ) throws {
    Log.level = .debug
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    try bench.start()
    if house { _ = try bench.grant(.house { $0.channels = [1, 2, 3, 4] }) }
    let outside = try bench.grant(.everything)
    try bench.connect()
    for frame in frames {
      try send(frame, to: bench)
      guard damaged else { continue }
      for offset in frame.indices {
        var flipped = frame
        flipped[offset] ^= UInt8(1 << (offset % 8))
        // A whole frame behind each shows that the decoder still runs.
        try send(Array(frame[..<offset]) + frame, to: bench)
        try send(flipped + frame, to: bench)
      }
    }
    bench.advance(to: bench.time.milliseconds + 3_600_000)
    bench.agent.everyMinute()
    let data = bench.externalData.count
    try #require(data >= frames.count)
    try bench.expect {
      wire.publishes.count { $0.topic.hasPrefix("gateway/") && !$0.topic.hasSuffix("/status") }
        == data
    }
    var control: [UInt8] = []
    for answer in [
      bench.answer(.status), bench.answer(.withdraw, outside), bench.answer(.grantList),
      bench.answer(.receipt, outside), bench.answer(.report),
    ] { control += Array(try JSONEncoder().encode(answer)) }
    try bench.stop()
    try bench.expect { wire.clients.allSatisfy { !$0.isOpen } }
    for (place, bytes) in [
      ("wire", wire.clients.flatMap { $0.bytes + [0] }), ("control", control),
      ("disk", try files(in: bench.configuration.stateDirectory)),
    ] { try Data(bytes).write(to: URL(filePath: directory + "/" + place)) }
  }

  /// Sends bytes that end with a whole frame, and waits until that is read.
  private static func send(_ bytes: [UInt8], to bench: AgentBench) throws {
    bench.advance(to: bench.time.milliseconds + 10_000)
    let feed = bench.agent.feeds[0]
    let before = feed.frames
    bench.meters[0].send(bytes)
    try bench.expect { feed.frames > before }
  }

  /// Every file of the state directory, one after the other.
  static func files(in directory: String) throws -> [UInt8] {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    #expect(names.contains("state.sqlite3") && names.contains("denylist.bin"), "\(names)")
    return try names.flatMap { name in
      try Data(contentsOf: URL(filePath: directory + "/" + name)) + [0]
    }
  }
}

extension ProposalRequest {
  /// Every category of privacy.md C3 but identifiers and what is local only, as finely as it comes.
  static var everything: ProposalRequest {
    made("custom", "bench") {
      $0.legalName = "Bench AS"
      $0.country = "NO"
      $0.categories = [
        "E1", "E2", "E3", "E4", "E5", "P1", "P2", "P3", "V1", "A1", "Q1", "F1", "D1", "O1", "T1",
        "L1", "M1", "M2", "M3", "X1", "X2", "N1",
      ]
      $0.channels = [1, 2, 3, 4]
      $0.granularity = "G0"
      $0.quantum = "R0"
      $0.absolute = true
    }
  }
}
