import ConsentLedger
import Glibc
import OBISDecoder
import PrivacyFilter

// The support bundle (privacy.md C10): what a stranger needs who shall find a fault, and no more.
//
// It is written from constant words and numbers, never from names, hosts, paths or anything that a
// meter or a person typed; then it is searched like a packet that leaves the house.

extension Agent {
  /// The bundle, one JSON object.
  ///
  /// - Throws: `E_LABEL_PERSONAL` if an identifier of a meter were in it: then there is none.
  func supportBundle() throws -> ControlResponse {
    var json = JSONLine()
    json.open("{")
    json.member("v", number: "1")
    json.member("agent", text: Gateway.release)
    json.member("mosquitto", text: MosquittoHandle.libraryVersion)
    writeMachine(to: &json)
    writeSettings(to: &json)
    writeMeters(to: &json)
    writeLinks(to: &json)
    try writeGrants(to: &json)
    json.close("}")
    let bytes = json.bytes
    let isClean = vault.withTripwire { tripwire in
      tripwire.isComplete
        && tripwire.find(
          inTopic: [UInt8]().span, payload: bytes.span, granted: nil, isExternal: true) == nil
    }
    guard isClean else {
      throw ControlFailure(
        code: "E_LABEL_PERSONAL",
        message: "the bundle would hold an identifier of a meter; nothing was written")
    }
    return ControlResponse(ok: true, support: String(decoding: bytes, as: UTF8.self))
  }

  private func writeMachine(to json: inout JSONLine) {
    json.key("machine")
    json.open("{")
    var name = utsname()
    if unsafe uname(&name) == 0 {
      json.member("kernel", text: Self.text(of: name.release))
      json.member("architecture", text: Self.text(of: name.machine))
    }
    let pages = Int64(sysconf(Int32(_SC_PHYS_PAGES)))
    let pageSize = Int64(sysconf(Int32(_SC_PAGESIZE)))
    json.member("processors", number: "\(sysconf(Int32(_SC_NPROCESSORS_ONLN)))")
    json.member("memory_mib", number: "\(pages * pageSize / 1_048_576)")
    var usage = rusage()
    if unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 {
      json.member("most_resident_kib", number: "\(usage.ru_maxrss)")
      let (user, system) = (usage.ru_utime, usage.ru_stime)
      let seconds = user.tv_sec + system.tv_sec
      let micros = user.tv_usec + system.tv_usec
      json.member("processor_ms", number: "\(seconds * 1000 + micros / 1000)")
    }
    json.close("}")
  }

  private static func text<Bytes>(of field: Bytes) -> String {
    unsafe withUnsafeBytes(of: field) { raw in
      unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private func writeSettings(to json: inout JSONLine) {
    let now = clock.now()
    json.member("ledger", text: store.ledgerFault == nil ? "sound" : "broken")
    json.member("clock_trusted", truth: isClockTrusted(at: now))
    json.member("clock_trust", text: configuration.clockTrust.rawValue)
    json.member("home_assistant", truth: configuration.homeAssistant.enabled)
    json.member("value_topics", truth: configuration.inHouse.valueTopics)
    json.member("charging_feed", truth: configuration.charging != nil)
    json.member("proposals", truth: configuration.proposalBroker != nil)
    write("process", processHealth, to: &json)
  }

  private func writeMeters(to json: inout JSONLine) {
    json.key("meters")
    json.open("[")
    for (feed, condition) in zip(feeds, conditions) {
      let meter = feed.configuration
      json.open("{")
      json.member("input", text: "\(meter.input.word)")
      if case .serial(_, let line) = meter.input {
        json.member("speed", number: "\(line.speed)")
        json.member("data_bits", number: "\(line.dataBits)")
        json.member("parity", text: line.parity.rawValue)
      }
      json.member("dialect", text: meter.dialect.map { "\($0)" } ?? "auto")
      json.member("stale_after_seconds", number: "\(meter.staleAfterSeconds)")
      json.member("has_key", truth: meter.keyFile != nil)
      write("port", condition.port, to: &json)
      write("meter", condition.meter, to: &json)
      json.member("frames", number: "\(feed.frames)")
      json.member("rejected", number: "\(feed.rejected)")
      json.member("problems", number: "\(feed.problems)")
      json.member("discarded_bytes", number: "\(feed.discardedBytes)")
      json.member("unknown_dropped", number: "\(feed.unknownDropped)")
      if let code = feed.lastError { json.member("last_error", text: "\(code)") }
      json.close("}")
    }
    json.close("]")
  }

  private func writeLinks(to json: inout JSONLine) {
    json.key("connections")
    json.open("[")
    for case .some(let link) in links {
      let counters = link.connection.counters
      json.open("{")
      json.member("in_house", truth: link.isInHouse)
      json.member("tls", truth: link.broker.tls != nil)
      json.member("user", truth: link.broker.username != nil)
      write("link", link.health, to: &json)
      json.member("sent", number: "\(counters.sent)")
      json.member("connections", number: "\(counters.connections)")
      json.member("dropped_offline", number: "\(counters.droppedOffline)")
      json.member("dropped_congested", number: "\(counters.droppedCongested)")
      json.member("rejected", number: "\(counters.rejected)")
      json.close("}")
    }
    json.close("]")
  }

  /// Profiles and states, not who the recipients are.
  private func writeGrants(to json: inout JSONLine) throws {
    json.key("grants")
    json.open("[")
    for stored in try store.grants() where !stored.grant.state.isTerminal {
      json.open("{")
      json.member("profile", text: stored.grant.terms.profile)
      json.member("state", text: stored.grant.state.rawValue)
      json.member("granularity", text: "G\(stored.grant.terms.granularity.rawValue)")
      json.member("in_force", truth: isRunning(stored.grant.id))
      json.close("}")
    }
    json.close("]")
  }

  private func write(_ key: StaticString, _ health: PartHealth, to json: inout JSONLine) {
    json.key(key)
    json.open("{")
    json.member("state", text: "\(health.state.name)")
    json.member("reason", text: "\(health.reason.name)")
    json.member("since", text: Timestamp.text(health.since))
    json.close("}")
  }
}

extension InputKind {
  /// The kind alone, without where it leads.
  fileprivate var word: StaticString {
    switch self {
    case .serial: "serial"
    case .tcp: "tcp"
    case .file: "file"
    case .standardInput: "standard input"
    }
  }
}
