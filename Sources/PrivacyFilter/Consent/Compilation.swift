/// A meter of the agent, as grants name it.
public struct GateSource: Sendable {
  /// The id that grants list; random, from the configuration.
  public var id: UniqueID
  /// Its number among the agent's sources, as in `Snapshot.source`.
  public var index: UInt8
  /// Its nickname in in-house topics; it passed the linter.
  public var nickname: String

  /// Makes a source.
  public init(id: UniqueID, index: UInt8, nickname: String) {
    self.id = id
    self.index = index
    self.nickname = nickname
  }
}

/// What compiling needs beside the grant itself.
public struct CompilationContext {
  /// The agent's meters.
  public var sources: [GateSource]
  /// The grant's salt, 16 random bytes kept beside it.
  public var salt: [UInt8]
  /// How often its pseudonym has changed.
  public var rotation: UInt32
  /// The connection that publishes it.
  public var connection: UInt8
  /// The caller's number of the grant.
  public var grantIndex: UInt8
  /// Whether in-house gates also publish a plain number for each value.
  public var publishesValues: Bool
  /// Makes its names.
  public var pseudonyms: Pseudonyms
  /// The household's name in documents of Enode's shape; nil where it wants none.
  public var enodeUser: String?

  /// Makes a context.
  public init(
    sources: [GateSource], salt: [UInt8], rotation: UInt32, connection: UInt8, grantIndex: UInt8,
    publishesValues: Bool, pseudonyms: Pseudonyms
  ) {
    self.sources = sources
    self.salt = salt
    self.rotation = rotation
    self.connection = connection
    self.grantIndex = grantIndex
    self.publishesValues = publishesValues
    self.pseudonyms = pseudonyms
  }
}

extension Grant {
  /// Longest wait behind a window that ends with a register's value, in seconds.
  ///
  /// Meters that send their registers once an hour do so some seconds after it.
  static let registerDelaySeconds: UInt32 = 30

  /// Compiles an active grant to its gates: one for each meter, one for each channel of a sub-meter.
  ///
  /// - Throws: `E_STATE` if it is not active, `E_LIMIT` if a topic or the number of gates is too
  ///   large, `E_GRANT_UNKNOWN` if a meter of it does not exist.
  public func compile(
    role: Role, _ context: CompilationContext
  ) throws(ConsentError) -> [CompiledGate] {
    guard state == .active else {
      throw ConsentError(.state, "only an active grant has gates")
    }
    var gates: [CompiledGate] = []
    for id in terms.sources {
      guard let source = context.sources.first(where: { $0.id == id }) else {
        throw ConsentError(.grantUnknown, "the grant names a meter that is not configured")
      }
      if role == .inHouse {
        gates.append(try gate(role, source, channel: 0, context))
        continue
      }
      let meter = try gate(role, source, channel: 0, context)
      if !meter.allowed.isEmpty { gates.append(meter) }
      for channel in terms.channels {
        let subMeter = try gate(role, source, channel: channel, context)
        if !subMeter.allowed.isEmpty { gates.append(subMeter) }
      }
    }
    guard gates.count <= GateBank.capacity else {
      throw ConsentError(.limit, "no more than 32 gates")
    }
    return gates
  }

  private func gate(
    _ role: Role, _ source: GateSource, channel: UInt8, _ context: CompilationContext
  ) throws(ConsentError) -> CompiledGate {
    let isInHouse = role == .inHouse
    let name = context.pseudonyms.meter(
      recipient: terms.recipient, salt: context.salt, rotation: context.rotation,
      source: source.id, channel: channel)
    let root = terms.destination.topicRoot
    let isNamed = isInHouse || terms.identifier != .none
    let place = isNamed ? root + "/" + (isInHouse ? source.nickname : name) : root
    guard let placeText = FixedText<112>(place), let pseudonym = FixedText<18>(name) else {
      throw ConsentError(.limit, "the topic is longer than 128 bytes")
    }
    var gate = CompiledGate()
    gate.allowed = quantities(isInHouse: isInHouse, channel: channel)
    gate.categories = terms.categories
    gate.notBefore = isInHouse && terms.validUntil == nil ? .min : terms.validFrom
    gate.notAfter = terms.validUntil ?? .max
    gate.activatedAt = max(terms.validFrom, decidedAt ?? terms.validFrom)
    gate.granularity = terms.granularity
    gate.quantum = terms.quantum.rawValue
    gate.delay = Int32(clamping: Int64(delaySeconds) * 1000)
    if !isInHouse, terms.granularity >= .g2, terms.aggregate == nil {
      gate.phase =
        context.pseudonyms.phaseSeconds(recipient: terms.recipient, salt: context.salt) * 1000
    }
    gate.source = source.index
    gate.channel = channel
    gate.connection = context.connection
    gate.grantIndex = context.grantIndex
    gate.qos = terms.destination.qos
    gate.retain = terms.destination.retain
    gate.isInHouse = isInHouse
    gate.isAggregate = terms.aggregate != nil
    if !isInHouse, channel == 0 { gate.identifier = GateIdentifier(terms.identifier) }
    gate.publishesValues = isInHouse && context.publishesValues
    gate.pseudonym = pseudonym
    gate.place = placeText
    if channel == 0, let user = context.enodeUser {
      gate.enode = enodeIdentity(name, user, context)
    }
    return gate
  }

  /// The meter in Enode's shape, for quarter-hours and hours under the profile made for it.
  private func enodeIdentity(
    _ pseudonym: String, _ user: String, _ context: CompilationContext
  ) -> EnodeIdentity {
    let isShaped =
      terms.profile == Profile.enode && terms.identifier == .pseudonym
      && (terms.granularity == .g3 || terms.granularity == .g4)
    guard isShaped, let userText = FixedText<16>(user),
      let id = context.pseudonyms.uuid(of: pseudonym, salt: context.salt)
    else { return EnodeIdentity() }
    var identity = EnodeIdentity(user: userText)
    for (index, byte) in id.bytes.enumerated() { identity.meter[index] = byte }
    return identity
  }

  private var delaySeconds: UInt32 {
    terms.granularity >= .g3 && terms.granularity < .g5
      ? max(terms.minDelay, Grant.registerDelaySeconds) : terms.minDelay
  }

  /// The quantities that the grant lets through, for one meter or one of its channels.
  private func quantities(isInHouse: Bool, channel: UInt8) -> QuantitySet {
    var set = QuantitySet()
    for quantity in Quantity.all where terms.categories.isSuperset(of: quantity.category) {
      if isInHouse {
        // In the house the register itself is shown, so nothing is derived from it.
        guard quantity.measured == quantity else { continue }
        if quantity.channel > 0, !terms.channels.isEmpty,
          !terms.channels.contains(quantity.channel)
        {
          continue
        }
      } else {
        guard quantity.isForRecipients, quantity.channel == channel else { continue }
        if !terms.absolute, quantity.category == .e1 || quantity.category == .e2 { continue }
        if CategorySet.neverOffSite.isSuperset(of: quantity.category) { continue }
        if terms.granularity >= .g5, quantity.kind == .gauge { continue }
      }
      set.insert(quantity)
    }
    return set
  }
}

extension GateIdentifier {
  fileprivate init(_ mode: IdentifierMode) {
    switch mode {
    case .none, .pseudonym: self = .none
    case .meterNumber: self = .meterNumber
    case .meteringPoint: self = .meteringPoint
    }
  }
}
