/// `denylist.bin`: the tombstones of ended grants, which need no free disk space.
///
/// The file is made with its full size, so that writing a slot touches blocks that exist already.
///
///     OFFSET SIZE MEANING                                     (a slot; the file holds 64)
///          0    1 kind: 0 free, else see `Tombstone.Kind`
///          1    1 version of the layout, 1
///          2    6 time of the end, ms since 1970 UTC, big-endian
///          8   16 grant id
///         24    4 uid of the person who ended it, big-endian; FFFFFFFF if it was no local person
///         28    4 first bytes of the SHA-256 of bytes 0 … 27
///
/// A slot whose check does not fit was torn by a power cut. Its grant is denied all the same.
/// Privacy design C7, step 2.

/// The mark that a grant has ended, written before anything else.
struct Tombstone: Equatable {
  /// How the grant ended; raw values are frozen, they lie in the file.
  enum Kind: UInt8 {
    case withdrawn = 1
    case objected = 2
    case revokedByRecipient = 3
    case invalidated = 4
  }

  /// How it ended; nil in a torn slot.
  var kind: Kind?
  /// When it ended, ms since 1970 UTC, 0 … 2⁴⁸ − 1; nil in a torn slot.
  var at: Int64?
  /// The grant's 16 bytes.
  var grant: [UInt8]
  /// Who ended it; nil if it was no local person.
  var uid: UInt32?
}

/// The 64 slots, in memory and on the disk.
struct Denylist: ~Copyable {
  static let fileName = "denylist.bin"
  static let slotCount = 64
  static let slotByteCount = 32

  private let file: StateFile
  private var slots: [Tombstone?]

  /// Opens the file, or makes it if there is none yet.
  ///
  /// - Throws: `SystemError.exposed` if others may read it, `.truncated` if it is not 2048 bytes.
  init(in directory: StateDirectory) throws(SystemError) {
    if !directory.holds(Self.fileName) {
      let empty = [UInt8](repeating: 0, count: Self.slotCount * Self.slotByteCount)
      try directory.create(Self.fileName, empty)
    }
    let file = try StateFile(opening: directory.path(of: Self.fileName))
    let bytes = try file.read(at: 0, count: Self.slotCount * Self.slotByteCount + 1)
    guard bytes.count == Self.slotCount * Self.slotByteCount else { throw .truncated }
    slots = (0..<Self.slotCount).map { index in
      Self.decode(Array(bytes[index * Self.slotByteCount..<(index + 1) * Self.slotByteCount]))
    }
    self.file = file
  }

  /// Every tombstone, in slot order.
  var tombstones: [Tombstone] { slots.compactMap { $0 } }

  /// Whether a grant has a tombstone.
  func denies(_ grant: [UInt8]) -> Bool { slots.contains { $0?.grant == grant } }

  /// Writes a tombstone and waits until it is on the disk; a grant has one at most, the first,
  /// which is written again if it is asked for again.
  ///
  /// A free slot is taken first. If none is free, the oldest one goes whose end `isRecorded` in the
  /// ledger: 32 grants and 16 proposals at most can be unrecorded, so there is always one.
  ///
  /// - Throws: `SystemError`; `ENOSPC` if all 64 are unrecorded.
  mutating func add(
    _ tombstone: Tombstone, isRecorded: ([UInt8]) -> Bool
  ) throws(SystemError) {
    let taken = slots.firstIndex { $0?.grant == tombstone.grant }
    guard let index = taken ?? freeSlot(isRecorded) else { throw .full }
    // In memory the denial holds even if the disk refuses it. A torn slot is replaced.
    let kept = slots[index].flatMap { $0.grant == tombstone.grant && $0.kind != nil ? $0 : nil }
    slots[index] = kept ?? tombstone
    try file.write(Self.encode(kept ?? tombstone), at: index * Self.slotByteCount)
  }

  private func freeSlot(_ isRecorded: ([UInt8]) -> Bool) -> Int? {
    if let free = slots.firstIndex(of: nil) { return free }
    return slots.indices.filter { slots[$0].map { isRecorded($0.grant) } ?? true }
      .min { (slots[$0]?.at ?? 0) < (slots[$1]?.at ?? 0) }
  }

  static func encode(_ tombstone: Tombstone) -> [UInt8] {
    let time = UInt64(min(max(tombstone.at ?? 0, 0), 0xFFFF_FFFF_FFFF))
    var bytes: [UInt8] = [tombstone.kind?.rawValue ?? 0, 1]
    bytes += (0..<6).map { UInt8(truncatingIfNeeded: time >> (40 - 8 * $0)) }
    bytes += tombstone.grant
    let uid = tombstone.uid ?? .max
    bytes += (0..<4).map { UInt8(truncatingIfNeeded: uid >> (24 - 8 * $0)) }
    return bytes + Crypto.sha256(bytes).prefix(4)
  }

  static func decode(_ slot: [UInt8]) -> Tombstone? {
    if slot.allSatisfy({ $0 == 0 }) { return nil }
    let grant = Array(slot[8..<24])
    guard Array(slot[28...]) == Array(Crypto.sha256(Array(slot[..<28])).prefix(4)), slot[1] == 1
    else { return Tombstone(kind: nil, at: nil, grant: grant, uid: nil) }
    let time = slot[2..<8].reduce(Int64(0)) { $0 << 8 | Int64($1) }
    let uid = slot[24..<28].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return Tombstone(
      kind: Tombstone.Kind(rawValue: slot[0]), at: time, grant: grant, uid: uid == .max ? nil : uid)
  }
}
