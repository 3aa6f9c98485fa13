import FoundationEssentials
import OBISDecoder
import PrivacyFilter

/// Sixteen grants, as many as a busy household might have: one in-house, fifteen outside on every rung.
enum Gates {
  static let count = 16
  private static let meter = "7b1f0c52-3a6e-4d0e-9a55-0c1d2e3f4a5b"
  /// 2026-01-01 00:00 UTC, in milliseconds.
  static let start: Int64 = 1_767_225_600_000

  /// Installs the first `count` of them; false if one does not compile.
  ///
  /// `isWide` makes all of them external ones with every category that a recipient can be granted.
  static func install(
    in bank: inout GateBank, count: Int = count, isWide: Bool = false, now: Int64
  ) -> Bool {
    guard let id = UniqueID(parsing: meter) else { return false }
    // The names it makes are not the point here: any function of its input will do.
    let pseudonyms = Pseudonyms(installSecret: [UInt8](repeating: 7, count: 32)) { key, message in
      var state: UInt64 = 0xCBF2_9CE4_8422_2325
      return (0..<32).map { index in
        for byte in key + message { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return UInt8(truncatingIfNeeded: state >> UInt64(index % 8 * 8))
      }
    }
    for index in 0..<count {
      let context = CompilationContext(
        sources: [GateSource(id: id, index: 0, nickname: "home")],
        salt: [UInt8](repeating: UInt8(index), count: 16), rotation: 0, connection: UInt8(index),
        grantIndex: UInt8(index), publishesValues: false, pseudonyms: pseudonyms)
      do {
        let grant = try JSONDecoder().decode(
          Grant.self, from: Data(json(index, isWide: isWide).utf8))
        let gates = try grant.compile(role: index == 0 && !isWide ? .inHouse : .processor, context)
        guard let gate = gates.first, bank.install(gate, at: index, now: now) else { return false }
      } catch {
        print("grant \(index): \(error)")
        return false
      }
    }
    return true
  }

  private static func json(_ index: Int, isWide: Bool) -> String {
    let rungs = isWide ? ["G2", "G3", "G4"] : ["G1", "G2", "G3", "G4", "G5"]
    let isInHouse = index == 0 && !isWide
    let granularity = isInHouse ? "G0" : rungs[index % rungs.count]
    let categories =
      isInHouse
      ? #""E1","E2","P1","P3","P2","V1","A1","Q1","F1","O1","T1","C1""#
      : #""E3","E4","P1","P3","P2","V1","A1","Q1","F1""#
        + (isWide ? #","E1","E2","E5","D1","O1","L1""# : "")
    let place = isInHouse ? "meter" : "gateway/r\(index)"
    return """
      {"schema":"gateway-consent/1","id":"5f0e2d3c-0000-4000-8000-0000000000\(index + 10)","version":1,
      "supersedes":null,"sources":["\(meter)"],"profile":"custom","recipient":"recipient-\(index)",
      "purpose":"insight","basis":"a","basisText":null,"categories":[\(categories)],"optional":[],
      "channels":[],"granularity":"\(granularity)","quantum":"R\(index % 3)","minDelay":0,
      "fineConfirmed":true,"identifier":"pseudonym","absolute":\(isWide),"rotateDays":0,
      "validFrom":"2026-01-01T00:00:00Z","validUntil":"2027-01-01T00:00:00Z","reviewEveryDays":365,
      "retention":"R-WITHDRAW","destination":{"broker":"b","topicRoot":"\(place)","qos":0,
      "retain":false,"country":"NO","route":"direct","transfer":"none","mqtt5Expiry":true},
      "aggregate":null,"notice":{"sha256":"\(String(repeating: "0", count: 64))","lang":"en",
      "title":"t","blob":"b"},"ageAttested":true,"householdInformed":true,"state":"active",
      "decidedBy":"uid:0","decidedAt":"2026-01-01T00:00:00Z"}
      """
  }

  /// What the gates let out, folded so that no work can be left out.
  struct Outcome {
    var releases = 0
    var bytes = 0
    var fold: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func take(_ release: consuming Release) {
      releases += 1
      bytes += release.topicCount + release.payloadCount
      let first = release.withPayload { $0.isEmpty ? 0 : UInt64($0[$0.count - 1]) }
      fold = (fold ^ first ^ UInt64(release.payloadCount)) &* 0x100_0000_01B3
    }
  }

  /// Prints one line: the whole way from bytes to payloads, beside decoding alone; and a stop.
  static func measure(_ corpus: Corpus, rounds: Int) -> Bool {
    var outcome = Outcome()
    var isInstalled = true
    var stop = UInt64.max
    let decode = best(of: rounds) {
      var counting = CountingSink()
      var decoder = MeterDecoder(DecoderOptions())
      decoder.push(corpus.bytes.span, to: &counting)
    }
    var gated = UInt64.max
    for _ in 0..<rounds {
      var sink = GateSink(start: start)
      // Grants are compiled when consent changes, not for a frame.
      isInstalled = install(in: &sink.bank, now: start) && isInstalled
      var decoder = MeterDecoder(DecoderOptions())
      let began = nanoseconds()
      decoder.push(corpus.bytes.span, to: &sink)
      decoder.finish(to: &sink)
      gated = min(gated, nanoseconds() - began)
      outcome = sink.outcome
      let stopping = nanoseconds()
      _ = sink.bank.stop(1, at: sink.now)
      stop = min(stop, nanoseconds() - stopping)
    }
    let frames = UInt64(corpus.frameCount)
    print(
      """
      \(corpus.name) through \(count) gates: \(ratio(gated, decode)) times decoding alone, \
      \(gated / frames) ns a frame, \(outcome.releases) releases of \(outcome.bytes) bytes, \
      fold \(String(outcome.fold, radix: 16)); stop of a gate \(stop) ns (goal 1,000,000)
      """)
    return isInstalled && outcome.releases >= corpus.frameCount && stop < 1_000_000
  }
}

/// The agent's path between decoder and output: snapshot, gates, releases.
struct GateSink: ~Copyable, FrameSink {
  var bank = GateBank()
  var outcome = Gates.Outcome()
  var now: Int64
  private var snapshot = Snapshot()
  private var sequence: UInt64 = 0

  init(start: Int64) {
    now = start
    snapshot.begin(source: 0, sequence: 1, receivedAt: start)
  }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) { snapshot.record(reading) }
  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {}
  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) { snapshot.recordProblem() }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    snapshot.meterTime = summary.meterTime
    snapshot.end()
    var outcome = outcome
    bank.process(snapshot, at: now, clockTrusted: true) { outcome.take($0) }
    self.outcome = outcome
    sequence += 1
    now += 1000
    snapshot.begin(source: 0, sequence: sequence + 1, receivedAt: now)
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {}
  mutating func discarded(_ count: Int, at offset: UInt64) {}
}
