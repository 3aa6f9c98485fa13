import Glibc
import PrivacyFilter
import Testing

@testable import ConsentLedger

/// Acceptance test 17 of privacy design C13, in processes of their own: the limit on file sizes
/// that stands for a full disk counts for a whole process.
@Suite struct FullDiskTests {
  @Test("C13.17: withdrawn on a full disk stays denied, and is recorded with its own time")
  func staysDeniedWhenTheDiskIsFull() async {
    await #expect(processExitsWith: .success) {
      let fixture = try Fixture()
      let id = try fixture.grantInForce(at: Fixture.start)
      let at = Fixture.start + Fixture.hour
      let disk = try FullDisk(fixture.directory)
      try fixture.store.tombstone(id, .withdrawal, by: Fixture.owner, at: at)
      refuses(.ledgerWrite) { try fixture.store.recordEnd(id) }
      #expect(!fixture.store.recordPendingEnds())
      #expect(try fixture.store.activeGrants(at: at).isEmpty)
      refuses(.ledgerWrite) { try fixture.propose(Fixture.terms(), at: at) }

      // Power cut. The next process finds the disk as full: the tombstone alone denies.
      disk.free()
      let copy = fixture.directory.copy()
      let stillFull = try FullDisk(copy)
      let full = try Fixture.open(copy, at: at + 1000)
      #expect(full.recoveries.contains(.endUnrecorded))
      #expect(try full.activeGrants(at: at).isEmpty)

      // Space again: the record appears, dated at the original time.
      stillFull.free()
      for store in [fixture.store, full] {
        #expect(store.recordPendingEnds())
        #expect(try store.grant(id).endedAt == at)
        var times: [String] = []
        _ = try store.ledger.walk { record, _ in
          if record.type == "WITHDRAW" { times.append(record.time) }
        }
        #expect(times == [Timestamp.text(at)])
        try store.verify(knownHead: nil)
      }
    }
  }

  @Test func acceptsNothingHalfWhenTheDiskIsFull() async {
    await #expect(processExitsWith: .success) {
      let fixture = try Fixture()
      let id = try fixture.propose(Fixture.terms())
      let head = try fixture.store.ledgerHead()
      let disk = try FullDisk(fixture.directory)
      refuses(.ledgerWrite) { try fixture.accept(id) }
      fixture.store.count(
        .sent(byteCount: 10), of: id, categories: [.e3], granularity: .g4,
        at: Fixture.start)
      refuses(.ledgerWrite) { try fixture.store.flushJournal(at: Fixture.start) }
      #expect(try fixture.store.ledgerHead() == head)
      #expect(try fixture.store.grant(id).grant.state == .proposed)
      #expect(try fixture.store.activeGrants(at: Fixture.start).isEmpty)
      disk.free()
      try fixture.accept(id)
      try fixture.store.flushJournal(at: Fixture.start)
      #expect(try fixture.store.egress(of: id)?.messages == 1)
      try fixture.store.verify(knownHead: nil)
    }
  }
}

/// No file of the process may grow beyond the largest of a directory until `free`.
struct FullDisk {
  init(_ directory: TemporaryDirectory) throws {
    // Without a handler the kernel ends the process instead of failing the write.
    signal(SIGXFSZ, SIG_IGN)
    let log = directory.bytes(of: "state.sqlite3-wal").count
    let largest = max(log, directory.bytes(of: "denylist.bin").count)
    Self.limit(to: UInt(largest))
  }

  /// Gives the disk its space back.
  func free() { Self.limit(to: nil) }

  private static func limit(to byteCount: UInt?) {
    var limits = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
    limits.rlim_cur = byteCount ?? limits.rlim_max
    let done = unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limits)
    precondition(done == 0, "cannot limit the size of files")
  }
}
