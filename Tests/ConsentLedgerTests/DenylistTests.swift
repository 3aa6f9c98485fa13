import Testing

@testable import ConsentLedger

@Suite struct DenylistTests {
  private static func tombstone(_ number: UInt8, at: Int64) -> Tombstone {
    Tombstone(kind: .withdrawn, at: at, grant: [UInt8](repeating: number, count: 16), uid: 1000)
  }

  private func state(_ directory: TemporaryDirectory) throws -> StateDirectory {
    try StateDirectory(preparing: directory.path)
  }

  @Test func writesOneSlotAsTheLayoutSays() {
    let slot = Denylist.encode(
      Tombstone(
        kind: .objected, at: 0x0102_0304_0506, grant: [UInt8](repeating: 0xAB, count: 16), uid: 258)
    )
    #expect(Array(slot[0..<8]) == [2, 1, 1, 2, 3, 4, 5, 6])
    #expect(Array(slot[8..<24]) == [UInt8](repeating: 0xAB, count: 16))
    #expect(Array(slot[24..<28]) == [0, 0, 1, 2])
    #expect(slot.count == Denylist.slotByteCount)
    #expect(Denylist.decode(slot)?.uid == 258)
    #expect(Denylist.decode(slot)?.at == 0x0102_0304_0506)
  }

  @Test func isPreallocatedAndPrivate() throws {
    let directory = TemporaryDirectory()
    _ = try Denylist(in: state(directory))
    #expect(directory.bytes(of: "denylist.bin") == [UInt8](repeating: 0, count: 2048))
    #expect(directory.mode(of: "denylist.bin") == 0o600)
    #expect(directory.names == ["denylist.bin"])
  }

  @Test func remembersAcrossOpening() throws {
    let directory = TemporaryDirectory()
    var list = try Denylist(in: state(directory))
    try list.add(Self.tombstone(7, at: 5)) { _ in false }
    try list.add(Self.tombstone(7, at: 9)) { _ in false }
    let again = try Denylist(in: state(directory))
    #expect(again.tombstones == [Self.tombstone(7, at: 5)])
    let denied = [7, 8].map { again.denies([UInt8](repeating: $0, count: 16)) }
    #expect(denied == [true, false])
    #expect(directory.bytes(of: "denylist.bin").count == 2048)
  }

  @Test func deniesTheGrantOfATornSlot() throws {
    for damaged in 0..<Denylist.slotByteCount {
      let directory = TemporaryDirectory()
      var list = try Denylist(in: state(directory))
      try list.add(Self.tombstone(7, at: 5)) { _ in false }
      var bytes = directory.bytes(of: "denylist.bin")
      bytes[damaged] ^= 0x10
      directory.write(bytes, to: "denylist.bin")
      let again = try Denylist(in: state(directory))
      let found = try #require(again.tombstones.first)
      #expect(found.kind == nil && found.at == nil)
      let isDenied = again.denies([UInt8](repeating: 7, count: 16))
      #expect(isDenied == !(8..<24).contains(damaged))
    }
  }

  @Test func reusesTheOldestRecordedSlotWhenFull() throws {
    let directory = TemporaryDirectory()
    var list = try Denylist(in: state(directory))
    for number in 0..<64 {
      try list.add(Self.tombstone(UInt8(number), at: 100 - Int64(number))) { _ in false }
    }
    #expect(throws: SystemError.full) {
      try list.add(Self.tombstone(64, at: 1)) { _ in false }
    }
    try list.add(Self.tombstone(65, at: 1)) { $0[0] < 10 }
    let isDenied = list.denies([UInt8](repeating: 9, count: 16))
    #expect(!isDenied)
    #expect(list.tombstones.count == 64)
  }

  @Test(arguments: [0, 2047, 2049])
  func refusesAFileOfAnotherSize(_ count: Int) throws {
    let directory = TemporaryDirectory()
    directory.write([UInt8](repeating: 0, count: count), to: "denylist.bin")
    #expect(throws: SystemError.truncated) { _ = try Denylist(in: state(directory)) }
  }
}
