import Glibc

/// A serial port whose meter is asked for its readout (IEC 62056-21, mode C; A and B answer it too).
struct RequestProbeLine: ProbeLine {
  let path: String
  /// As the conversation begins; a pseudo-terminal has no parity.
  var opening = SerialSettings(
    speed: SignOn.openingSpeed, dataBits: 7, parity: .even, stopBits: 1)

  /// None: the standard says how it begins.
  var candidates: [SerialSettings] { [] }

  /// Asks once, and reads until the meter has been silent behind its readout, or does not answer.
  func listen(
    _ settings: SerialSettings?, milliseconds: Int, until isEnough: ([UInt8]) -> Bool
  ) throws(SystemError) -> ProbeTrial {
    var line = opening
    line.signOn = SignOnSettings()
    let port = try SerialPort.open(path, line)
    let begin = GatewayClock.monotonicMilliseconds()
    let end = begin + Int64(milliseconds)
    var signOn = SignOn(SignOnSettings(), at: begin)
    var bytes: [UInt8] = []
    var hasAsked = false
    while GatewayClock.monotonicMilliseconds() < end {
      try perform(signOn.due(at: GatewayClock.monotonicMilliseconds()), on: port.number, line)
      if hasAsked, signOn.isResting { break }
      hasAsked = true
      guard
        let chunk = try ProbeReader.chunk(port.number, until: min(signOn.deadline, end))
      else { break }
      bytes += chunk
      for byte in chunk {
        try perform(
          signOn.take(byte, at: GatewayClock.monotonicMilliseconds()), on: port.number, line)
      }
      if !chunk.isEmpty, isEnough(bytes) { break }
    }
    return ProbeTrial(settings: nil, bytes: bytes, errors: nil)
  }

  private func perform(
    _ actions: [SignOn.Action], on port: Int32, _ line: SerialSettings
  ) throws(SystemError) {
    for action in actions {
      switch action {
      case .send(let bytes): try SerialPort.send(bytes, to: port)
      case .setSpeed(let speed): try SerialPort.setSpeed(speed, on: port, line)
      // What came is all there is; the diagnosis says what it is.
      case .fail: break
      }
    }
  }
}
