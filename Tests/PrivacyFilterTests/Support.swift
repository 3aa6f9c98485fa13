import CCrypto
import OBISDecoder

@testable import PrivacyFilter

/// HMAC-SHA-256 of libcrypto.
func hmacSHA256(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
  var digest = [UInt8](repeating: 0, count: 32)
  var length: UInt32 = 0
  unsafe HMAC(
    EVP_sha256(), key, Int32(key.count), message, message.count, &digest, &length)
  return digest
}

/// Names made from the installation secret 00…1f of the vectors.
let pseudonyms = Pseudonyms(installSecret: (0..<32).map { UInt8($0) }, hmac: hmacSHA256)

/// The source of the vectors.
let sourceID = UniqueID(parsing: "7b1f0c52-3a6e-4d0e-9a55-0c1d2e3f4a5b") ?? randomID(1)
let grantID = UniqueID(parsing: "5f0e2d3c-0000-4000-8000-000000000001") ?? randomID(2)

func randomID(_ seed: UInt8) -> UniqueID {
  guard let id = UniqueID(bytes: [UInt8](repeating: seed, count: 16)) else {
    preconditionFailure("16 bytes are an id")
  }
  return id
}

/// Milliseconds since 1970 of a time of 2026-01-15, or of a full RFC 3339 time.
func at(_ text: String) -> Int64 {
  let full = text.count == 8 ? "2026-01-15T\(text)Z" : text
  guard let instant = Timestamp.parse(full) else {
    preconditionFailure("a time of the form 2026-01-15T14:00:00Z")
  }
  return instant
}

let company = Recipient(
  id: "eliq", legalName: "Eliq AB", orgNo: "556000-0000", role: .processor, country: "SE",
  onBehalfOf: "elekt", authority: "datatilsynet.no")
let house = Recipient(
  id: "home", legalName: "Home", role: .inHouse, country: "DK", authority: "datatilsynet.dk")

func notice() -> Notice {
  Notice(
    sha256: "22db4f0d2fbb4bd830dd855ed62a5781870d2d6ebfd697b69727d1d8461162b9", lang: "da",
    title: "Elekt privatlivserklæring 3.2", blob: "notices/22db4f0d")
}

func profile(
  _ name: String, _ categories: CategorySet, _ granularity: Granularity,
  change: (inout Profile) -> Void = { _ in }
) -> Profile {
  var result = Profile(
    schema: "gateway-profile/1", name: name, enabled: true, purposes: Purpose.allCases,
    roles: [.processor, .controller], bases: [.a, .b, .f], categories: categories, optional: [],
    granularity: granularity, fineGranularity: nil, fineRequired: false, floors: false,
    quantum: .r0, minDelay: 0, identifiers: [.pseudonym], absolute: false, validityHours: 8760,
    maxValidityHours: 8784, rotateDays: 90, reviewEveryDays: 365, ageAttestation: false,
    retention: ["R-WITHDRAW"])
  change(&result)
  return result
}

let eliqProfile = profile("eliq-disaggregation", [.e3, .e4, .t1, .x1, .x2], .g3) {
  $0.optional = [.x1, .x2]
  $0.quantum = .r2
  $0.minDelay = 60
  $0.bases = [.f]
}
let localProfile = profile("local-automation", CategorySet(rawValue: 0x001D_FFFF), .g0) {
  $0.roles = [.inHouse]
  $0.bases = []
  $0.maxValidityHours = nil
  $0.validityHours = nil
  $0.rotateDays = 0
  $0.absolute = true
}
let customProfile = profile("custom", CategorySet(rawValue: 0x00FF_FFFF), .g0) {
  $0.floors = true
  $0.absolute = true
  $0.bases = [.a]
  $0.validityHours = 2160
}

func terms(
  _ profile: Profile, _ recipient: Recipient = company,
  change: (inout GrantTerms) -> Void = { _ in }
) -> GrantTerms {
  var result = GrantTerms(
    profile: profile, recipient: recipient, purpose: "disaggregation",
    basis: profile.bases.last ?? .unknown, sources: [sourceID],
    destination: Destination(
      broker: "eliq-eu", topicRoot: recipient.role == .inHouse ? "meter" : "gateway/eliq", qos: 1,
      retain: false, country: "SE"),
    notice: notice(), validFrom: at("2026-01-01T00:05:00Z"))
  change(&result)
  return result
}

func compiled(
  _ terms: GrantTerms, role: Role = .processor, salt: UInt8 = 0xA0, rotation: UInt32 = 0,
  connection: UInt8 = 0, publishesValues: Bool = false, state: GrantState = .active,
  enodeUser: String? = nil
) throws -> [CompiledGate] {
  let grant = Grant(
    id: grantID, version: 1, supersedes: nil, terms: terms, state: state, decidedBy: "uid:1000",
    decidedAt: terms.validFrom)
  var context = CompilationContext(
    sources: [GateSource(id: sourceID, index: 0, nickname: "home")],
    salt: [UInt8](repeating: salt, count: 16), rotation: rotation, connection: connection,
    grantIndex: 0, publishesValues: publishesValues, pseudonyms: pseudonyms)
  context.enodeUser = enodeUser
  return try grant.compile(role: role, context)
}

/// A release, copied so that it can be compared.
struct Sent: Equatable {
  var topic: String
  var payload: String
  var kind: Release.Kind
  var qos: UInt8
  var retain: Bool
  var expirySeconds: UInt32
  var gateIndex: UInt8
  var epoch: UInt32

  init(_ release: borrowing Release) {
    topic = release.topicText
    payload = release.payloadText
    kind = release.kind
    qos = release.qos
    retain = release.retain
    expirySeconds = release.expirySeconds
    gateIndex = release.gateIndex
    epoch = release.epoch
  }
}

/// A copy of a release that may not be there.
func copied(_ release: borrowing Release?) -> Sent? {
  switch release {
  case .some(let present): Sent(present)
  case .none: nil
  }
}

/// A gate bank with its one meter: frames go in by name of the quantity, releases come out.
struct Bench: ~Copyable {
  var bank = GateBank()
  var snapshot = Snapshot()
  var sent: [Sent] = []
  var clockTrusted = true
  private var sequence: UInt64 = 0

  init(_ gates: [CompiledGate], at now: Int64) {
    for (index, gate) in gates.enumerated() {
      precondition(bank.install(gate, at: index, now: now), "the bench has room for its gates")
    }
  }

  mutating func frame(at now: Int64, _ readings: [Reading]) {
    sequence += 1
    snapshot.begin(source: 0, sequence: sequence, receivedAt: now)
    for reading in readings { snapshot.record(reading) }
    snapshot.end()
    var out: [Sent] = []
    bank.process(snapshot, at: now, clockTrusted: clockTrusted) { out.append(Sent($0)) }
    sent += out
  }

  mutating func tick(at now: Int64) {
    var out: [Sent] = []
    bank.tick(at: now, clockTrusted: clockTrusted) { out.append(Sent($0)) }
    sent += out
  }

  /// Calls `tick` at each of its deadlines up to and including `end`.
  mutating func run(until end: Int64) -> [Int64] {
    var deadlines: [Int64] = []
    while let next = bank.nextDeadline(), next <= end, deadlines.count < 1000 {
      deadlines.append(next)
      tick(at: next)
    }
    return deadlines
  }
}

func reading(
  _ code: OBISCode, _ mantissa: Int64, _ exponent: Int8 = 0, _ unit: Unit,
  medium: Medium = .electricity, time: MeterTime? = nil
) -> Reading {
  Reading(
    code: code, value: Decimal(mantissa: mantissa, exponent: exponent), unit: unit, medium: medium,
    time: time, offset: 0, count: 0)
}

func importPower(_ watts: Int64) -> Reading { reading(OBISCode(1, 0, 1, 7, 0), watts, .watt) }
func exportPower(_ watts: Int64) -> Reading { reading(OBISCode(1, 0, 2, 7, 0), watts, .watt) }
func importEnergy(_ wattHours: Int64) -> Reading {
  reading(OBISCode(1, 0, 1, 8, 0), wattHours, .wattHour)
}

func reading(_ code: OBISCode, _ mantissa: Int64, _ unit: Unit) -> Reading {
  reading(code, mantissa, 0, unit)
}

/// A generator that prints as its seed.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
