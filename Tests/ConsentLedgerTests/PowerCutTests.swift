import Glibc
import PrivacyFilter
import Testing

@testable import ConsentLedger

@Suite struct PowerCutTests {
  /// Acceptance test 45: the log ends anywhere inside the transaction of a withdrawal.
  @Test("C13.45: a power cut inside the transaction of a withdrawal leaves it denied and recorded")
  func recordsAWithdrawalWhoseTransactionWasTorn() throws {
    let fixture = try Fixture()
    let id = try fixture.grantInForce(at: Fixture.start)
    let at = Fixture.start + Fixture.hour
    try fixture.store.tombstone(id, .withdrawal, by: Fixture.owner, at: at)
    let before = fixture.directory.bytes(of: "state.sqlite3-wal").count
    try fixture.store.recordEnd(id)
    let log = fixture.directory.bytes(of: "state.sqlite3-wal")
    #expect(log.count > before)
    for length in stride(from: before + 16, to: log.count, by: 997) {
      let copy = fixture.directory.copy()
      copy.write(Array(log.prefix(length)), to: "state.sqlite3-wal")
      let store = try Fixture.open(copy, at: at + Fixture.day)
      #expect(store.recoveries == [.tornTransaction, .endRecorded], "cut at \(length)")
      #expect(try store.activeGrants(at: at).isEmpty)
      #expect(try store.grant(id).endedAt == at)
      #expect(try Fixture.recordTypes(of: store).suffix(2) == ["WITHDRAW", "RECOVERY"])
      try store.verify(knownHead: nil)
    }
  }

  @Test func takesAWholeLogForWhole() throws {
    let fixture = try Fixture()
    _ = try fixture.grantInForce(at: Fixture.start)
    let log = fixture.directory.path + "/state.sqlite3-wal"
    #expect(!WriteAheadLog.endsInsideTransaction(log))
    #expect(!WriteAheadLog.endsInsideTransaction(log + "-missing"))
  }

  @Test func seesADamagedFrameAsTorn() throws {
    let fixture = try Fixture()
    _ = try fixture.grantInForce(at: Fixture.start)
    let log = fixture.directory.bytes(of: "state.sqlite3-wal")
    for offset in stride(from: 32 + 24, to: log.count, by: 4999) {
      let copy = fixture.directory.copy()
      var damaged = log
      damaged[offset] ^= 1
      copy.write(damaged, to: "state.sqlite3-wal")
      // A damaged salt looks like the end of the log's generation, which it is for SQLite too.
      let isSalt = (8..<16).contains((offset - 32) % (4096 + 24))
      #expect(
        WriteAheadLog.endsInsideTransaction(copy.path + "/state.sqlite3-wal") == !isSalt,
        "byte \(offset)")
    }
  }

  /// Fifty processes work on one store and are killed at random moments.
  ///
  /// What a call returned must hold afterwards: an accepted grant is active until its tombstone,
  /// never again after it, with the salt it had, and the chain verifies each time.
  @Test func survivesFiftyKills() async throws {
    let directory = TemporaryDirectory()
    try Fixture.prepare(directory)
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(state: seed)
    var ended: Set<String> = []
    var killedInside = 0
    for round in 0..<50 {
      let path = directory.path
      let microseconds = UInt32(random.next() % 60_000)
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = path as String, microseconds = microseconds as UInt32] in
        try KilledProcess(path, after: microseconds).work()
      }
      let store = try Fixture.open(directory, at: Fixture.start)
      try store.verify(knownHead: nil)
      let log = String(decoding: directory.bytes(of: "progress"), as: UTF8.self)
      let lines = log.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
      ended.formUnion(lines.filter { $0.first == "ended" }.map { $0[1] })
      let active = try store.activeGrants(at: Fixture.start)
      let salts = Dictionary(
        active.map { ($0.grant.id.text, Hex.text($0.pseudonymSalt)) }
      ) { $1 }
      #expect(ended.isDisjoint(with: salts.keys), "seed \(seed), round \(round)")
      let attempted = Set(lines.filter { $0.first == "ending" }.map { $0[1] })
      for line in lines where line.first == "accepted" && !attempted.contains(line[1]) {
        #expect(salts[line[1]] == line[2], "seed \(seed), round \(round)")
      }
      if store.recoveries.contains(.endRecorded) { killedInside += 1 }
      // Room for the next round, whatever this one left waiting or in force.
      for stored in try store.grants() where !stored.grant.state.isTerminal {
        try store.tombstone(stored.grant.id, .withdrawal, by: .agent, at: Fixture.start)
        try store.recordEnd(stored.grant.id)
      }
      unsafe unlink(directory.path + "/progress")
    }
    print("survivesFiftyKills: \(ended.count) withdrawals returned, \(killedInside) recorded late")
  }
}

/// A process that accepts and withdraws until it is killed, and notes what it was told.
struct KilledProcess {
  private let store: ConsentStore
  private let progress: Int32

  init(_ path: String, after microseconds: UInt32) throws {
    store = try ConsentStore(directory: path, at: Fixture.start, random: Crypto.random)
    progress = unsafe open(path + "/progress", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    var timer = itimerval()
    timer.it_value.tv_usec = Int(microseconds) + 1
    // SIGALRM's own handler would end the process too, but politely; the kernel does this one.
    signal(SIGALRM) { _ in kill(getpid(), SIGKILL) }
    unsafe setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
  }

  func work() throws {
    while true {
      let id = try store.propose(
        Fixture.terms(), by: Fixture.owner, at: Fixture.start, vault: IdentifierVault())
      _ = try store.accept(
        id, ticked: [], by: Fixture.owner, at: Fixture.start, vault: IdentifierVault())
      note("accepted \(id.text) \(Hex.text(try store.grant(id).pseudonymSalt))")
      store.count(
        .sent(byteCount: 10), of: id, categories: [.e3], granularity: .g4,
        at: Fixture.start)
      try store.flushJournal(at: Fixture.start)
      note("ending \(id.text)")
      try store.tombstone(id, .withdrawal, by: Fixture.owner, at: Fixture.start)
      note("ended \(id.text)")
      try store.recordEnd(id)
      let effects = EndEffects(
        purged: 0, retainedCleared: 0, tailByteCount: 0, brokerAccessChanged: false)
      _ = try store.completeEnd(id, effects, at: Fixture.start)
    }
  }

  private func note(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(progress, $0.baseAddress, $0.count) }
  }
}

/// Random numbers from a seed that can be pasted back.
struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
