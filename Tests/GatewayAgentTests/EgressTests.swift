import Foundation
import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent
@testable import MeterSimulator

/// A scanner that finds nothing proves nothing: the vector of privacy.md C10.
struct IdentifierFormsTests {
  static let texts = [
    ("text", "e0042001234567890"), ("reversed", "0987654321002400E"),
    ("hex", "4530303432303031323334353637383930"),
    ("hex of reversed", "3039383736353433323130303234303045"),
    ("separated hex", "45:30:30:34:32:30:30:31:32:33:34:35:36:37:38:39:30"),
    ("separated hex", "45 30 30 34 32 30 30 31 32 33 34 35 36 37 38 39 30"),
    ("separated hex", "45-30-30-34-32-30-30-31-32-33-34-35-36-37-38-39-30"),
    ("digits", "00420012"), ("digits", "34567890"), ("base64", "RTAwNDIwMDEyMzQ1Njc4OT"),
    ("base64", "UwMDQyMDAxMjM0NTY3ODkw"), ("base64", "FMDA0MjAwMTIzNDU2Nzg5M"),
    ("base32", "IUYDANBSGAYDCMRTGQ2TMNZYHEYA"), ("base32", "AFCTAMBUGIYDAMJSGM2DKNRXHA4TA"),
    ("base32", "AEAUKMBQGQZDAMBRGIZTINJWG44DSMA"),
    (
      "\\u escapes",
      #"\u0045\u0030\u0030\u0034\u0032\u0030\u0030\u0031\u0032\u0033\u0034"#
        + #"\u0035\u0036\u0037\u0038\u0039\u0030"#
    ),
    ("percent escapes", "%45%30%30%34%32%30%30%31%32%33%34%35%36%37%38%39%30"),
    ("md5", "7ce8c3801f573203a0df1db651e38503"),
    ("sha1", "f4ce4c5e5e51169d5f81bbcb8984e6d90ecc5773"),
    ("sha256", "ee9131ebeabd0538b34ac42e3cf7610db4383179b8094c6b639fd31a361a8ff1"),
  ]
  /// In hexadecimal.
  static let binaries = [
    ("packed BCD", "0042001234567890"), ("reversed BCD", "9078563412004200"),
    ("big-endian", "26332caaa2d2"), ("little-endian", "d2a2aa2c3326"),
    ("UTF-16", "45003000300034003200300030003100320033003400350036003700380039003000"),
    ("UTF-16", "00450030003000340032003000300031003200330034003500360037003800390030"),
  ]

  private func names(in bytes: [UInt8], of identifier: String) -> [String] {
    var index = FormIndex<Int>()
    index.add(IdentifierForms.all(of: [Array(identifier.utf8)]), of: 0)
    return index.search(bytes).map(\.form.name)
  }

  @Test("each form of E0042001234567890 is found", arguments: texts)
  func findsText(form: String, hidden: String) {
    #expect(names(in: Array("x\(hidden)y".utf8), of: "E0042001234567890").contains(form))
  }

  @Test("each binary form of E0042001234567890 is found", arguments: binaries)
  func findsBytes(form: String, hidden: String) throws {
    let bytes = try #require(IdentifierForms.decodedHex(Array(hidden.utf8)))
    #expect(names(in: [1] + bytes + [2], of: "E0042001234567890").contains(form))
  }

  @Test("the text that hexadecimal stands for is found, and part of a long message")
  func findsWhatIsMeant() {
    let hex = "4530303432303031323334353637383930"
    #expect(names(in: Array("..E0042001234567890..".utf8), of: hex).contains("text"))
    let message = "Dear customer, your meter will be read by our people on Monday"
    #expect(names(in: Array(message.dropFirst(9).prefix(31).utf8), of: message) == ["text"])
  }

  @Test("nothing is found where nothing is, and what says nothing is not looked for")
  func findsNothingElse() {
    let state = Array(#"meter/home/state {"active_power_import_w":473,"seq":4200123}"#.utf8)
    #expect(names(in: state, of: "E0042001234567890") == [])
    for short in ["state", "000000000000"] { #expect(names(in: state + [48], of: short) == []) }
  }
}

/// No form of any identifier leaves, whatever frame comes in and although everything grantable is
/// granted, beside random grants; what the agent writes is scanned as raw bytes, log and state
/// directory included.
///
/// Runs 10 frames of each model; `GATEWAY_FRAMES=100000` sets the number of all models together.
/// Frames that were recorded, and a whole household's, are in Tests/EndToEnd/test_egress.py.
@Suite(.serialized) struct EgressTests {
  /// Models in clear: an agent that was given no key reads nothing in the others.
  static let names = MeterModel.all.filter { $0.key == nil }.map(\.name)
  static let total = ProcessInfo.processInfo.environment["GATEWAY_FRAMES"].flatMap { Int($0) }
  /// Frames that go through one life of the agent.
  static let batch = total == nil ? 10 : 50

  @Test("C13.40: no random frame of any model leaks an identifier", arguments: names)
  func leaksNoIdentifier(name: String) async throws {
    let perModel = ((Self.total ?? 0) + Self.names.count - 1) / Self.names.count
    for number in 0..<max(1, (perModel + Self.batch - 1) / Self.batch) {
      let sample = EgressSample(model: name, seed: 6 << 32 | UInt64(number), count: Self.batch)
      let leaks = try await leaks(of: sample, in: outbound(of: sample))
      let text = Set(leaks).sorted().joined(separator: "\n")
      #expect(leaks.isEmpty, "\(text)\n\(sample.paste)")
      if !leaks.isEmpty { return }
    }
  }

  @Test("every model's frames hold identifiers, but those of Aidon's Swedish list, which has none")
  func framesHoldIdentifiers() {
    let without = Self.names.filter { name in
      EgressSample(model: name, seed: 6 << 32, count: Self.batch).frames.allSatisfy { frame in
        frame.identifiers.allSatisfy { !IdentifierForms.isTelling(Array($0.text.utf8)) }
      }
    }
    #expect(without == ["se-aidon"])
  }

  @Test("an identifier that is let out on purpose is found in each place")
  func findsWhatLeavesOnPurpose() async throws {
    var sample = EgressSample(model: "nl-dsmr5", seed: 6 << 32, count: 1)
    sample.plant = .leak
    let leaks = try await leaks(of: sample, in: outbound(of: sample))
    for place in ["wire", "log", "disk", "control"] {
      #expect(leaks.contains { $0.hasSuffix("in \(place)") }, "\(place)")
    }
  }

  @Test("bytes that are there with another identifier as well are chance")
  func takesCoincidenceForChance() async throws {
    var sample = EgressSample(model: "nl-dsmr5", seed: 6 << 32, count: 1)
    sample.plant = .coincidence
    let outbound = try await outbound(of: sample)
    #expect(!sample.index.search(outbound["wire"] ?? []).isEmpty)
    #expect(try await leaks(of: sample, in: outbound) == [])
  }

  // MARK: - Judging

  /// What of the sample's identifiers is in its output and not by chance: `KIND of frame N …`.
  ///
  /// Bytes are an identifier's if the same frames bring them forth again, under other salts and
  /// secrets, and do not with another identifier in its place.
  private func leaks(
    of sample: EgressSample, in outbound: [String: [UInt8]]
  ) async throws -> [String] {
    let frames = sample.frames
    let index = sample.index
    var leaks: [String] = []
    var runs: [EgressSample.Place?: [String: [UInt8]]] = [:]
    for (place, bytes) in outbound.sorted(by: { $0.key < $1.key }) {
      for hit in index.search(bytes) {
        var other = sample
        other.change = hit.owner
        if runs[nil] == nil { runs[nil] = try await self.outbound(of: sample) }
        if runs[hit.owner] == nil { runs[hit.owner] = try await self.outbound(of: other) }
        guard hit.form.occurs(in: runs[nil]?[place] ?? []) else { continue }
        let isChanged = other.identifier(at: hit.owner) != sample.identifier(at: hit.owner)
        if isChanged, hit.form.occurs(in: runs[hit.owner]?[place] ?? []) { continue }
        let kind = frames[hit.owner.frame].identifiers[hit.owner.identifier].kind
        leaks.append("\(kind) of frame \(hit.owner.frame) as \(hit.form.name) in \(place)")
      }
    }
    return leaks
  }

  // MARK: - Running

  /// Everything that an agent writes while it reads the sample's frames, by place.
  ///
  /// It lives in a process of its own, so that standard error is this agent's alone.
  private func outbound(of sample: EgressSample) async throws -> [String: [UInt8]] {
    let directory = LoopHarness.temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) { [sample = sample as EgressSample, directory = directory as String] in
      try EgressRun(sample).live(writingTo: directory)
    }
    return try AgentCapture.collect(log: try #require(result).standardErrorContent, in: directory)
  }
}

/// Random frames of a model, all of them from one seed.
struct EgressSample: Codable, Sendable {
  /// An identifier by the numbers of its frame and of itself.
  struct Place: Codable, Hashable, Sendable {
    var frame: Int
    var identifier: Int
  }

  /// What the run lets out on purpose.
  enum Plant: Codable, Sendable {
    case nothing
    /// The first telling identifier, in each place.
    case leak
    /// The same bytes, whatever the identifier is.
    case coincidence
  }

  var model: String
  var seed: UInt64
  var count: Int
  /// The identifier that is another one.
  var change: Place?
  var plant = Plant.nothing

  init(model: String, seed: UInt64, count: Int) {
    self.model = model
    self.seed = seed
    self.count = count
  }

  /// The frames, with the changed identifier.
  var frames: [SimulatedFrame] {
    guard let model = MeterModel.named(model) else { return [] }
    var state = RandomState(seed: seed)
    return (0..<count).map { number in
      var other = state
      var frame = state.frame(of: model)
      guard let change, change.frame == number else { return frame }
      if frame.canBeDisguised {
        frame.disguise(change.identifier)
      } else {
        frame = other.frame(of: model, withOtherIdentity: true)
      }
      return frame
    }
  }

  /// The text of an identifier, nil where there is none.
  func identifier(at place: Place) -> String? {
    let frames = frames
    guard frames.indices.contains(place.frame) else { return nil }
    let identifiers = frames[place.frame].identifiers
    return identifiers.indices.contains(place.identifier) ? identifiers[place.identifier].text : nil
  }

  /// Every form of every identifier, as frames and texts spell them.
  var index: FormIndex<Place> {
    var index = FormIndex<Place>()
    for (number, frame) in frames.enumerated() {
      for (place, identifier) in frame.identifiers.enumerated() {
        // What is too short stays so where a frame spells it in hexadecimal.
        let text = Array(identifier.text.utf8)
        guard identifier.text.count >= 6, IdentifierForms.isTelling(text) else { continue }
        index.add(
          IdentifierForms.all(of: [identifier.bytes, text]),
          of: Place(frame: number, identifier: place))
      }
    }
    return index
  }

  /// The frames as Swift to paste.
  var paste: String {
    """
    var state = RandomState(seed: 0x\(String(seed, radix: 16)))
    let model = try #require(MeterModel.named("\(model)"))
    let frames = (0..<\(count)).map { _ in state.frame(of: model) }
    """
  }
}

/// One life of an agent with every grant, in the process that calls it.
private struct EgressRun {
  private let sample: EgressSample
  private let frames: [SimulatedFrame]

  init(_ sample: EgressSample) {
    self.sample = sample
    frames = sample.frames
  }

  /// Sends the frames and writes what left to `wire`, `disk` and `control` in a directory.
  func live(writingTo directory: String) throws {
    try #require(frames.count == sample.count)
    Log.level = .debug
    let bench = try AgentBench(at: at("13:00:00"))
    let wire = bench.addWire()
    bench.configuration.homeAssistant.enabled = true
    bench.configuration.inHouse.valueTopics = true
    if sample.plant != .nothing { bench.configuration.brokers[0].username = planted }
    try bench.start()
    let house = try bench.grant(.house { $0.channels = [1, 2, 3, 4] })
    let outside = try bench.grant(.everything)
    let more = grantAtRandom(on: bench)
    try bench.connect()
    try send(to: bench)
    try sendDamaged(to: bench)
    bench.advance(to: bench.time.milliseconds + 3_600_000)
    bench.agent.everyMinute()
    let data = bench.sent.count { $0.topic.hasSuffix("/live") || $0.topic.hasSuffix("/state") }
    try bench.expect {
      wire.publishes.count { $0.topic.hasSuffix("/live") || $0.topic.hasSuffix("/state") } == data
    }
    var control: [UInt8] = []
    for answer in [
      bench.answer(.status), bench.answer(.withdraw, outside), bench.answer(.grantList),
      bench.answer(.receipt, house), bench.answer(.receipt, outside),
    ] { control += Array(try JSONEncoder().encode(answer)) }
    try bench.stop()
    try bench.expect { wire.clients.allSatisfy { !$0.isOpen } }
    #expect(wire.clients.count == 2 + more)
    if sample.plant == .leak {
      control += IdentifierForms.hex(Array(planted.utf8))
      LoopHarness.write(
        String(planted.reversed()), to: bench.configuration.stateDirectory + "/planted")
      let digits = planted.utf8.filter(IdentifierForms.isDigit).suffix(18)
      Log.event(.info, "PLANTED", Int64(String(decoding: digits, as: UTF8.self)) ?? 0)
    }
    for (place, bytes) in [
      ("wire", wire.clients.flatMap { $0.bytes + [0] }), ("control", control),
      ("disk", try AgentCapture.files(in: bench.configuration.stateDirectory)),
    ] { try Data(bytes).write(to: URL(filePath: directory + "/" + place)) }
  }

  /// Puts up to three random grants in force; returns how many are.
  ///
  /// What no profile allows is refused, and left out.
  private func grantAtRandom(on bench: AgentBench) -> Int {
    var random = RandomSource(seed: RandomSource.mixed(sample.seed))
    var count = 0
    for number in 0..<random.integer(in: 0...3) {
      let asked = bench.agent.answer(
        ControlRequest(verb: .grantPropose, proposal: .random("more-\(number)", &random)),
        by: AgentBench.owner)
      guard let id = asked.grant?.id else { continue }
      var acceptance = ControlRequest(verb: .grantAccept, grant: id)
      acceptance.confirmed = ConfirmedRequest(fine: true, age: true, household: true)
      if bench.agent.answer(acceptance, by: AgentBench.owner).ok { count += 1 }
    }
    return count
  }

  /// Sends every frame; what has values must come out on both sides, or the scan is blind.
  ///
  /// With an identifier as its user name the agent ends its grants at the first frame.
  private func send(to bench: AgentBench) throws {
    for (number, frame) in frames.enumerated() {
      bench.advance(to: bench.time.milliseconds + 10_000)
      let before = bench.sent.count
      try bench.frame(frame.bytes)
      guard sample.plant == .nothing, frame.expected.contains(where: \.isRequired) else { continue }
      let new = bench.sent[before...].filter { !$0.payload.isEmpty }
      #expect(new.contains { $0.isExternal }, "frame \(number)\n\(sample.paste)")
      #expect(
        new.contains { $0.topic.hasSuffix("/state") }, "frame \(number)\n\(sample.paste)")
    }
    #expect(bench.agent.feeds[0].frames == UInt64(frames.count), "\(sample.paste)")
  }

  /// Sends a few frames under a wrong checksum: errors must not speak either.
  private func sendDamaged(to bench: AgentBench) throws {
    for frame in frames.prefix(3) where frame.hasChecksum {
      var bytes = frame.bytes
      guard let end = frame.checksumPlace else { continue }
      bytes[end] ^= 1
      try bench.frame(bytes)
    }
  }

  /// An identifier of the first frame; for a coincidence the one that it has unchanged.
  private var planted: String {
    var source = sample
    if sample.plant == .coincidence { source.change = nil }
    let known = source.frames.first?.identifiers ?? []
    return known.first { $0.kind == .meterNumber && $0.text.utf8.count > 8 }?.text ?? ""
  }
}

extension ProposalRequest {
  /// A recipient's wish that may be granted or not.
  fileprivate static func random(
    _ recipient: String, _ random: inout RandomSource
  ) -> ProposalRequest {
    let every = everything.categories ?? []
    return made("custom", recipient) {
      $0.legalName = "Bench AS"
      $0.country = "NO"
      $0.categories = every.filter { _ in random.chance(oneIn: 2) }
      $0.channels = [1, 2, 3, 4].filter { _ in random.chance(oneIn: 2) }
      $0.granularity = "G\(random.integer(in: 0...5))"
      $0.quantum = "R\(random.integer(in: 0...4))"
      $0.absolute = random.chance(oneIn: 2)
    }
  }
}
