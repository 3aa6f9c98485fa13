public import OBISDecoder

// The charging feed's way out: values come in through the gate of an in-house grant, and documents
// leave through it, each only if the grant holds every category that it may be made of.

/// Where a document of the charging feed goes, what a grant must hold for it, and how long it is kept.
public struct ChargingTopic: Sendable, BitwiseCopyable {
  // With raw values, as a plain enumeration would bring a hasher and its random seed.
  private enum Retention: UInt8, BitwiseCopyable {
    case none
    /// Only with an expiry.
    case expiring
    case always
  }

  let kind: Release.Kind
  let needs: CategorySet
  let qos: UInt8
  private let retention: Retention
  private let leaf: StaticString
  private let name: FixedText<112>
  /// Whether `name` is the whole topic rather than what stands behind the meter's.
  private let isForeign: Bool

  private init(
    _ leaf: StaticString, _ kind: Release.Kind = .charging, qos: UInt8 = 0,
    _ retention: Retention = .none, needs: CategorySet = ChargingTopic.live,
    name: FixedText<112> = FixedText(), isForeign: Bool = false
  ) {
    self.leaf = leaf
    self.kind = kind
    self.qos = qos
    self.retention = retention
    self.needs = needs
    self.name = name
    self.isForeign = isForeign
  }

  /// P1, P2, P3, V1, A1 and Q1: what the documents about this moment are computed from.
  static let live = CategorySet(
    rawValue: CategorySet.p1.rawValue | CategorySet.p2.rawValue | CategorySet.p3.rawValue
      | CategorySet.v1.rawValue | CategorySet.a1.rawValue | CategorySet.q1.rawValue)
  /// E1 to E4.
  static let energy = CategorySet(
    rawValue: CategorySet.e1.rawValue | CategorySet.e2.rawValue | CategorySet.e3.rawValue
      | CategorySet.e4.rawValue)
  /// E3 and D1.
  static let demand = CategorySet(rawValue: CategorySet.e3.rawValue | CategorySet.d1.rawValue)

  /// `ev/state`.
  public static let state = ChargingTopic("/ev/state")
  /// `ev/limit`, retained as long as it holds.
  public static let limit = ChargingTopic("/ev/limit", qos: 1, .expiring)
  /// `ev/interval`.
  public static let interval = ChargingTopic("/ev/interval")
  /// `ev/power`.
  public static let power = ChargingTopic("/ev/power")
  /// `ev/max_import_w`.
  public static let maxImportWatts = ChargingTopic("/ev/max_import_w")
  /// `ev/max_import_a`.
  public static let maxImportAmperes = ChargingTopic("/ev/max_import_a")
  /// `hour`, retained.
  public static let hour = ChargingTopic("/hour", .record, qos: 1, .always, needs: energy)
  /// `capacity`, retained.
  public static let capacity = ChargingTopic(
    "/capacity", .record, qos: 1, .always, needs: demand)

  /// `ev/current/l1` and so on; `line` counts from 0.
  public static func current(line: Int) -> ChargingTopic {
    ChargingTopic(line == 0 ? "/ev/current/l1" : line == 1 ? "/ev/current/l2" : "/ev/current/l3")
  }

  /// `ev/headroom/l1` and so on; `line` counts from 0.
  public static func headroom(line: Int) -> ChargingTopic {
    ChargingTopic(
      line == 0 ? "/ev/headroom/l1" : line == 1 ? "/ev/headroom/l2" : "/ev/headroom/l3")
  }

  /// `ev/charger/{name}`.
  public static func charger(_ name: FixedText<112>) -> ChargingTopic {
    ChargingTopic("/ev/charger/", name: name)
  }

  /// A topic of another system, as the household configured it.
  ///
  /// `retained` is for systems that see nothing else; with an expiry where the value goes stale.
  public static func sink(_ topic: FixedText<112>, retained: Bool) -> ChargingTopic {
    ChargingTopic("", .sink, retained ? .always : .none, name: topic, isForeign: true)
  }

  /// Whether the broker keeps it, for an expiry of so many seconds; 0 is none.
  func isRetained(expirySeconds: UInt32) -> Bool {
    switch retention {
    case .none: false
    case .expiring: expirySeconds > 0
    case .always: true
    }
  }

  func write(_ gate: CompiledGate, to topic: inout ByteBuffer<128>) {
    if !isForeign { gate.place.write(to: &topic) }
    topic.append(leaf)
    name.write(to: &topic)
  }
}

extension GateBank {
  /// Whether the gate at `index` may release what is made of `topic`'s categories now: in-house,
  /// every frame, in force.
  public mutating func admits(
    _ topic: ChargingTopic, through index: Int, at now: Int64
  ) -> Bool {
    guard let gate = gate(at: index), gate.isInHouse, !gate.isWindowed else { return false }
    return gate.categories.rawValue & topic.needs.rawValue == topic.needs.rawValue
      && now >= gate.notBefore && now < gate.notAfter && (!gate.needsClock || !isClockHeld)
  }

  /// A value of a frame that an in-house gate lets through; nil where it does not, or is not.
  public mutating func value(
    of quantity: Quantity, in snapshot: borrowing Snapshot, through index: Int
  ) -> Decimal? {
    guard let gate = gate(at: index), gate.isInHouse, gate.source == snapshot.source,
      gate.allowed.contains(quantity)
    else { return nil }
    return snapshot.value(of: quantity)
  }

  /// Releases a document of the charging feed through a gate, if the gate admits it.
  ///
  /// `expirySeconds` is how long the broker may keep it; 0 is no expiry.
  public mutating func emit(
    _ document: borrowing ByteBuffer<4096>, as name: ChargingTopic, expirySeconds: UInt32,
    through index: Int, at now: Int64, _ emit: (consuming Release) -> Void
  ) {
    guard admits(name, through: index, at: now) else { return }
    var topic = ByteBuffer<128>()
    name.write(rows[index].gate, to: &topic)
    guard !topic.overflowed, !document.overflowed else {
      rows[index].counters.dropped &+= 1
      return
    }
    rows[index].counters.noteReleased(document.count, at: now)
    let delivery = Delivery(
      kind: name.kind, gateIndex: UInt8(index), epoch: epochs[index],
      connection: rows[index].gate.connection, qos: name.qos,
      retain: name.isRetained(expirySeconds: expirySeconds), expirySeconds: expirySeconds,
      isExternal: false)
    emit(Release(delivery, topic: topic, payload: document))
  }
}

#if !hasFeature(Embedded)
  extension ChargingTopic {
    /// The topic's text at a gate, to clear what is kept there.
    public func text(at gate: CompiledGate) -> String {
      var topic = ByteBuffer<128>()
      write(gate, to: &topic)
      return topic.text
    }
  }
#endif
