internal import ArgumentParser

/// `status`: the four states of the running agent, its meters, connections and grants.
struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows process, ports, meters, broker links and grants of the running agent.")

  @OptionGroup var agent: AgentAddress
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    guard let status = try agent.ask(ControlRequest(verb: .status)).status else {
      throw CommandFailure.failed("no status in the answer")
    }
    if json { return try Terminal.write(ControlJSON.line(status)) }
    try Terminal.line(
      "gateway-agent \(status.version)  ledger \(status.ledger)  clock \(status.clock)")
    for meter in status.meters {
      try Terminal.line(
        "meter \(meter.name): port \(text(meter.port)), meter \(text(meter.meter)); "
          + "\(meter.frames) frames, \(meter.rejected) damaged, "
          + "\(meter.problems) unreadable parts, "
          + "\(meter.discardedBytes) bytes of no frame" + cipherText(meter) + busText(meter))
    }
    for broker in status.brokers {
      try Terminal.line(
        "broker \(broker.name) for \(broker.recipient): \(text(broker.link)); "
          + "\(broker.published) published, \(broker.dropped) dropped")
    }
    if let pause = status.pause { try Terminal.line("paused: \(pause)") }
    if status.grants.isEmpty { try Terminal.line("no grants: nothing leaves") }
    for grant in status.grants { try Terminal.line(GrantText.row(grant)) }
  }

  /// What a Modbus meter's bus has counted.
  private func busText(_ meter: StatusView.Meter) -> String {
    guard let bus = meter.bus else { return "" }
    return "; bus: \(bus.lostReplies) replies lost, \(bus.lateCycles) cycles late, "
      + "\(bus.strayBytes) stray bytes"
  }

  /// What there is to say of encryption; nothing of a meter in clear.
  private func cipherText(_ meter: StatusView.Meter) -> String {
    var parts: [String] = []
    if let trust = meter.trust, trust != "clear" { parts.append(trust) }
    if meter.encrypted > 0 { parts.append("\(meter.encrypted) encrypted and no key") }
    if meter.wrongKeys > 0 { parts.append("\(meter.wrongKeys) not by this key") }
    if meter.tagMismatches > 0 { parts.append("\(meter.tagMismatches) with a wrong tag") }
    if meter.replays > 0 {
      parts.append(
        "\(meter.replays) with an old counter\(meter.replay ? ", the last one too" : "")")
    }
    return parts.isEmpty ? "" : "; " + parts.joined(separator: ", ")
  }

  private func text(_ condition: StatusView.Condition) -> String {
    let reason = condition.reason.isEmpty ? "" : " (\(condition.reason))"
    return "\(condition.state)\(reason) since \(condition.since)"
  }
}
