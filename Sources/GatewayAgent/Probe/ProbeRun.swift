import OBISDecoder

/// A line that can be listened to: a serial port, a network adapter, or what a test makes up.
protocol ProbeLine {
  /// The settings worth trying, the likeliest first; empty for a line that has none.
  var candidates: [SerialSettings] { get }

  /// Listens for at most `milliseconds`, until `isEnough` says so, which is asked with all bytes so
  /// far whenever some have come.
  ///
  /// - Throws: what the system says where the line cannot be opened or breaks.
  func listen(
    _ settings: SerialSettings?, milliseconds: Int, until isEnough: ([UInt8]) -> Bool
  ) throws(SystemError) -> ProbeTrial
}

/// Tries settings until a meter is understood, or none is left.
struct ProbeRun {
  /// How long to listen at one setting.
  var milliseconds: Int
  /// Called before each attempt, for a person who waits.
  var onAttempt: (SerialSettings?) -> Void = { _ in }

  /// Listens, and says what it comes to.
  func run(_ line: some ProbeLine) throws(SystemError) -> ProbeDiagnosis {
    guard let first = line.candidates.first else {
      return ProbeDiagnosis(trial: try attempt(line, nil))
    }
    var trial = try attempt(line, first)
    // A port that receives anything gives bytes at every speed. Silence is about the wires: P1 sends
    // while its request line is high, optical heads and M-Bus adapters may draw their power from it.
    if trial.bytes.isEmpty {
      trial = try attempt(line, first.withModemLines)
    }
    guard !trial.bytes.isEmpty else { return ProbeDiagnosis(trial: trial) }
    let lines = trial.settings?.rts
    var best = ProbeDiagnosis(trial: trial)
    for settings in line.candidates.dropFirst() where !best.isFinal {
      var settings = settings
      settings.rts = lines
      settings.dtr = lines
      let next = ProbeDiagnosis(trial: try attempt(line, settings))
      if next.finding.weight > best.finding.weight { best = next }
    }
    return best
  }

  private func attempt(
    _ line: some ProbeLine, _ settings: SerialSettings?
  ) throws(SystemError) -> ProbeTrial {
    onAttempt(settings)
    return try line.listen(settings, milliseconds: milliseconds) { bytes in
      guard bytes.count >= LineEvidence.leastBytes else { return false }
      let trial = ProbeTrial(settings: settings, bytes: bytes)
      switch LineEvidence(trial).finding {
      case .meter, .inverted, .parityBits: return true
      // A network adapter has no other setting to go on to.
      case .wrongSpeed: return settings != nil && bytes.count >= 4 * LineEvidence.leastBytes
      case .silent, .wrongParity, .damaged, .unknown: return false
      }
    }
  }
}

/// The finding that counts, and the attempt that gave it.
struct ProbeDiagnosis: Equatable {
  var settings: SerialSettings?
  var finding: ProbeFinding

  init(trial: ProbeTrial) {
    settings = trial.settings
    finding = LineEvidence(trial).finding
  }

  /// Whether no other setting can say more.
  var isFinal: Bool {
    switch finding {
    case .meter, .inverted: true
    case .silent, .parityBits, .wrongParity, .damaged, .wrongSpeed, .unknown: false
    }
  }
}

extension SerialSettings {
  /// What meters use, the likeliest first.
  ///
  ///     115200 8N1   P1 since DSMR 4
  ///     2400 8N1     HAN and M-Bus push: Kamstrup, Aidon
  ///     2400 8E1     the same: Kaifa, Aidon, Austria, Switzerland
  ///     9600 8N1     SML of German optical heads; P1 of some
  ///     9600 7E1     P1 before DSMR 4, D0 of EasyMeter
  ///     300 7E1      D0 at its beginning (IEC 62056-21)
  ///     9600 8E1, 19200 8N1, 115200 8E1, 4800 7E1, 2400 7E1   the rest that has been seen
  static let probed: [SerialSettings] = [
    (115_200, 8, .none), (2400, 8, .none), (2400, 8, .even), (9600, 8, .none), (9600, 7, .even),
    (300, 7, .even), (9600, 8, .even), (19_200, 8, .none), (115_200, 8, .even), (4800, 7, .even),
    (2400, 7, .even),
  ].map { speed, dataBits, parity in
    SerialSettings(speed: speed, dataBits: dataBits, parity: parity, stopBits: 1)
  }

  /// The same with RTS and DTR raised.
  var withModemLines: SerialSettings {
    var settings = self
    settings.rts = true
    settings.dtr = true
    return settings
  }

  /// As people write it: `115200 8N1`.
  var text: String {
    let letter =
      switch parity {
      case .none: "N"
      case .even: "E"
      case .odd: "O"
      }
    return "\(speed) \(dataBits)\(letter)\(stopBits)"
  }
}
