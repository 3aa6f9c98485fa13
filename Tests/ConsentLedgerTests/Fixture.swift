import PrivacyFilter
import Testing

@testable import ConsentLedger

/// Random bytes that are the same in every run: 0, 1, 2 … in each draw after the draw's number.
final class CountedRandom {
  private var draws: UInt8 = 0

  func bytes(_ count: Int) -> [UInt8] {
    draws &+= 1
    return (0..<count).map { UInt8(truncatingIfNeeded: $0) &+ draws }
  }
}

/// A store in a directory of its own, with the recipients that the tests use.
struct Fixture {
  /// 2026-01-01T00:00:00Z.
  static let start: Int64 = 1_767_225_600_000
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 86_400_000
  static let owner = Authority.uid(1000)

  let directory: TemporaryDirectory
  let store: ConsentStore

  init() throws {
    directory = TemporaryDirectory()
    store = try Fixture.prepare(directory)
  }

  /// A new store that knows the tests' recipients.
  @discardableResult
  static func prepare(_ directory: TemporaryDirectory) throws -> ConsentStore {
    let store = try open(directory, at: start)
    for recipient in [elekt, eliq, house] {
      try store.register(recipient, by: owner, at: start)
    }
    return store
  }

  static func open(_ directory: TemporaryDirectory, at now: Int64) throws -> ConsentStore {
    try ConsentStore(directory: directory.path, at: now, random: Crypto.random)
  }

  /// A store on what a power cut would leave of this one now.
  func afterPowerCut(at now: Int64) throws -> (TemporaryDirectory, ConsentStore) {
    let copy = directory.copy()
    return (copy, try Fixture.open(copy, at: now))
  }

  /// A grant to Eliq in force since `at`.
  func grantInForce(at now: Int64) throws -> UniqueID {
    let id = try propose(Fixture.terms(), at: now)
    try accept(id, at: now)
    return id
  }

  /// Tombstone and record, as the agent does them.
  func withdraw(_ id: UniqueID, at now: Int64) throws {
    try store.tombstone(id, .withdrawal, by: Fixture.owner, at: now)
    try store.recordEnd(id)
  }

  /// The types of all records, in order.
  func recordTypes() throws -> [String] { try Fixture.recordTypes(of: store) }

  static func recordTypes(of store: ConsentStore) throws -> [String] {
    var types: [String] = []
    _ = try store.ledger.walk { record, _ in types.append(record.type) }
    return types
  }
}

/// Expects a refusal with this code.
func refuses<Result>(
  _ code: ConsentError.Code, _ location: SourceLocation = #_sourceLocation,
  _ work: () throws -> Result
) {
  let error = #expect(throws: StoreError.self, sourceLocation: location) { _ = try work() }
  if case .consent(let refusal) = error {
    #expect(refusal.code == code, sourceLocation: location)
  } else {
    Issue.record("no refusal with a code", sourceLocation: location)
  }
}
