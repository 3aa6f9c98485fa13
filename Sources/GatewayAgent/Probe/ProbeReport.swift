import OBISDecoder

/// A diagnosis in a person's words, with the configuration to paste, and for a script.
struct ProbeReport: ProbeResult {
  /// As the configuration writes it: a device's path, or `tcp://host:port`.
  var port: String
  var diagnosis: ProbeDiagnosis
  /// Whether the meter was asked for a readout (`--request`).
  var isRequested = false

  /// Whether there is a configuration to paste.
  var isFound: Bool { meter != nil }

  private var meter: ProbedMeter? {
    if case .meter(let meter) = diagnosis.finding { return meter }
    return nil
  }

  /// The word for scripts.
  var code: String {
    switch diagnosis.finding {
    case .silent: "no_bytes"
    case .meter(let meter): meter.isEncrypted ? "needs_key" : "ok"
    case .parityBits: "parity_bits"
    case .wrongParity: "wrong_parity"
    case .inverted: "inverted"
    case .damaged: "damaged"
    case .wrongSpeed: "wrong_speed"
    case .unknown: "unknown"
    }
  }

  /// Sentences for a person.
  var sentences: [String] {
    switch diagnosis.finding {
    case .silent: isRequested ? Self.noAnswer : Self.silence
    case .meter(let meter): sentences(of: meter)
    case .parityBits(let parity):
      [
        "Text comes, but each byte carries \(parity == .odd ? "an odd" : "an even") parity bit: "
          + "the meter sends 7 data bits.",
        diagnosis.settings == nil
          ? "Set the adapter to 7 data bits and \(parity == .odd ? "odd" : "even") parity."
          : "No frame was whole with 7 data bits. Is the cable loose? Try again with more --seconds.",
      ]
    case .wrongParity:
      [
        "Frames come that begin as those of a HAN port, read with a parity bit that is not sent.",
        "The meter has no parity (8N1), but no frame was whole that way. Is the cable loose?",
      ]
    case .inverted:
      [
        "The signal is upside down: highs and lows are exchanged.",
        "A P1 port sends so. Use a P1 cable with an inverter, or invert RX in the adapter's settings "
          + "(FTDI: FT_PROG, \"Invert RXD\").",
      ]
    case .damaged(let dialect):
      [
        "Frames of family \(dialect.name) come, every one damaged.",
        "A long or loose cable, two readers at one port, or another parity "
          + "(8E1 where 8N1 was set, or the reverse).",
      ]
    case .wrongSpeed:
      [
        "Bytes come, but as a line at another speed gives them.",
        diagnosis.settings == nil
          ? "Set the adapter's speed: 115200 for P1, 2400 for HAN and M-Bus, 9600 for optical heads."
          : "None of the usual speeds fits. The meter's manual says which it has.",
      ]
    case .unknown:
      [
        "Bytes come, in no form that is known here.",
        "Record them (gateway-agent record) and look at the meter's manual; if it is a meter's, we would "
          + "like to know.",
      ]
    }
  }

  private static let silence = [
    "Not one byte came, with the lines RTS and DTR as they were and with both raised.",
    "Is the port opened? Many network companies do that on request, at no cost.",
    "Is the cable in the meter's customer port, and does it raise the data request line (P1, pin 2)? "
      + "An optical head must sit on the right LED; some meters want a PIN there, others send when they are asked: --request.",
    "Some meters send every 10 seconds or less often: try again with --seconds 30.",
  ]

  private static let noAnswer = [
    "No answer came to the request /?! at 300 baud, 7 data bits, even parity.",
    "Does the optical head sit on the meter's own one, its cable where the meter's manual says?",
    "A meter that sends unasked is found without --request.",
  ]

  private func sentences(of meter: ProbedMeter) -> [String] {
    let maker = meter.maker.map { "a meter of \($0)" } ?? "a meter of a maker not known here"
    let dialects = meter.dialects.map { $0.name.description }.joined(separator: ", ")
    let at = diagnosis.settings.map { " at \($0.text)" } ?? ""
    var sentences = ["Found \(maker), family \(dialects)\(at)."]
    if meter.dialects.count > 1 {
      sentences.append("Several families on one line: dialect stays \"auto\".")
    }
    if meter.badFrames > 0 {
      sentences.append(
        "\(meter.badFrames) of \(meter.goodFrames + meter.badFrames) frames were damaged or cut.")
    }
    if isRequested { sentences.append("It only sends when it is asked.") }
    if diagnosis.settings?.rts == true {
      sentences.append("It only sends with RTS and DTR raised.")
    }
    if meter.isEncrypted {
      sentences.append(
        "It encrypts, and needs a key: 32 hexadecimal digits that your network company gives you, "
          + "on its customer web page or by telephone (deploy/INSTALL.md, \"Keys\").")
    }
    return sentences
  }

  /// The lines for `config.toml`; nil where no meter was found.
  var configuration: String? {
    guard let meter else { return nil }
    var lines = ["[[meters]]", "name = \"home\"", "port = \"\(port)\""]
    let dialect = meter.dialects.count == 1 ? meter.dialects[0].name.description : "auto"
    lines.append("dialect = \"\(dialect)\"")
    if isRequested { lines.append("request = \"mode-c\"") }
    if let settings = diagnosis.settings {
      lines += [
        "speed = \(settings.speed)", "parity = \"\(settings.parity.rawValue)\"",
        "data_bits = \(settings.dataBits)", "stop_bits = \(settings.stopBits)",
      ]
      if settings.rts == true { lines += ["rts = true", "dtr = true"] }
    }
    if meter.isEncrypted { lines.append("key_file = \"home.key\"") }
    return lines.joined(separator: "\n") + "\n"
  }

  /// One JSON object, with its line end.
  var json: [UInt8] {
    var json = JSONLine()
    json.open("{")
    json.member("port", text: port)
    json.member("found", truth: isFound)
    json.member("code", text: code)
    json.key("settings")
    if let settings = diagnosis.settings, isFound {
      json.string(settings.text)
    } else {
      json.null()
    }
    if let meter {
      json.key("dialects")
      json.open("[")
      for dialect in meter.dialects { json.string(dialect.name.description) }
      json.close("]")
      json.key("maker")
      if let maker = meter.maker { json.string(maker) } else { json.null() }
      json.member("encrypted", truth: meter.isEncrypted)
      json.member("frames", number: String(meter.goodFrames))
      json.member("bad_frames", number: String(meter.badFrames))
    }
    json.member("text", text: sentences.joined(separator: " "))
    if let configuration { json.member("configuration", text: configuration) }
    json.close("}")
    return json.bytes + [UInt8(ascii: "\n")]
  }
}
