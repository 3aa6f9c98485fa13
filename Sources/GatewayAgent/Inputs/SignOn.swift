/// How a meter is asked for its readout (IEC 62056-21, mode C); modes A and B answer the same request.
struct SignOnSettings: Equatable, Sendable {
  /// The device address in the request, empty for whichever meter is there; an identifier.
  var address = ""
  /// Seconds from one request to the next.
  var pollSeconds = 60
}

/// Why a meter gave no readout.
enum SignOnFault: Equatable, Sendable {
  /// Expected an identification; found so many bytes.
  case noIdentification(bytes: Int)
  /// Expected `/FFFZ…` CR LF; found another line.
  case malformedIdentification
  /// Expected data at the speed agreed; found nothing.
  case noData(speed: Int)
}

/// The conversation that a readout takes, apart from port and clock.
///
///     TIME          READER                       METER
///     0             /?address! CR LF             at 300 baud
///     ≤ 1.5 s                                    /FFFZ identification CR LF
///     ≥ 0.2 s       ACK 0 Z 0 CR LF              mode C: Z is 0…6; at 300 baud still
///     ≥ 0.2 s                                    STX data ETX BCC, at Z's speed
///     1.5 s of silence: over
///
/// With Z a letter A…F (mode B) the meter changes its speed unasked; with any other (mode A) it goes
/// on at 300. Source: IEC 62056-21, 6.3.2 (baud rate identification), 6.3.3 (acknowledgement), 6.4.3
/// (mode C), 6.4.3.1 (times: reaction 200 to 1,500 ms, no more than 1,500 ms between characters).
struct SignOn {
  /// What the port has to do.
  enum Action: Equatable {
    /// Send these bytes.
    case send([UInt8])
    /// Go on at this speed.
    case setSpeed(Int)
    /// Tell that there is no readout this time.
    case fail(SignOnFault)
  }

  /// Baud at which every conversation begins.
  static let openingSpeed = 300
  /// Longest wait for an answer, behind the last character sent: the standard's 1,500 ms and what
  /// USB adapters hold bytes back.
  static let answerMilliseconds = 2000
  /// From the identification to the acknowledgement; no less, or the meter does not hear it.
  static let reactionMilliseconds = 200
  /// Behind the acknowledgement's last character; before the meter may answer, which is 200 ms.
  static let changeMilliseconds = 100

  private enum Phase {
    case idle
    case identification
    case acknowledging(speed: Int, code: UInt8)
    case changing(speed: Int)
    case data(speed: Int, hasBegun: Bool)
  }

  /// When `due(at:)` wants to be called, in monotonic milliseconds.
  private(set) var deadline: Int64
  private let settings: SignOnSettings
  private let request: [UInt8]
  private var phase = Phase.idle
  private var startedAt: Int64
  private var line: [UInt8] = []
  private var received = 0

  /// Whether nothing is under way: before the first request, and between two.
  var isResting: Bool {
    if case .idle = phase { return true }
    return false
  }

  /// A conversation that begins at `now`.
  init(_ settings: SignOnSettings, at now: Int64) {
    self.settings = settings
    request = Array("/?\(settings.address)!\r\n".utf8)
    deadline = now
    startedAt = now
  }

  /// Goes on where time has come; call it at `deadline`.
  mutating func due(at now: Int64) -> [Action] {
    guard now >= deadline else { return [] }
    switch phase {
    case .idle:
      phase = .identification
      startedAt = now
      line = []
      received = 0
      deadline = now + Self.duration(request.count) + Int64(Self.answerMilliseconds)
      return [.setSpeed(Self.openingSpeed), .send(request)]
    case .identification:
      return fail(.noIdentification(bytes: received), at: now)
    case .acknowledging(let speed, let code):
      phase = .changing(speed: speed)
      deadline = now + Self.duration(6) + Int64(Self.changeMilliseconds)
      return [.send([0x06, UInt8(ascii: "0"), code, UInt8(ascii: "0"), 0x0D, 0x0A])]
    case .changing(let speed):
      phase = .data(speed: speed, hasBegun: false)
      deadline = now + Int64(Self.answerMilliseconds)
      return [.setSpeed(speed)]
    case .data(let speed, let hasBegun):
      guard hasBegun else { return fail(.noData(speed: speed), at: now) }
      rest(at: now)
      return []
    }
  }

  /// Takes one byte from the meter.
  mutating func take(_ byte: UInt8, at now: Int64) -> [Action] {
    switch phase {
    case .idle, .acknowledging, .changing: return []
    case .data(let speed, _):
      phase = .data(speed: speed, hasBegun: true)
      deadline = now + Int64(Self.answerMilliseconds)
      return []
    case .identification: return identification(byte, at: now)
    }
  }

  private mutating func identification(_ byte: UInt8, at now: Int64) -> [Action] {
    received += 1
    // Wake-up characters and what the line made of the request's first ones.
    guard byte == UInt8(ascii: "/") || !line.isEmpty else { return [] }
    if line.count < Self.lineBytes { line.append(byte) }
    guard byte == 0x0A else { return [] }
    let text = line
    line = []
    // An optical head shows the reader its own request.
    if text.count > 1, text[1] == UInt8(ascii: "?") {
      received -= text.count
      return []
    }
    guard text.count >= 6, text.count < Self.lineBytes, text[1...3].allSatisfy(Self.isLetter) else {
      return fail(.malformedIdentification, at: now)
    }
    let code = text[4]
    if let speed = Self.speed(modeC: code) {
      phase = .acknowledging(speed: speed, code: code)
      deadline = now + Int64(Self.reactionMilliseconds)
      return []
    }
    let speed = Self.speed(modeB: code)
    phase = .data(speed: speed ?? Self.openingSpeed, hasBegun: false)
    deadline = now + Int64(Self.answerMilliseconds)
    return speed.map { [.setSpeed($0)] } ?? []
  }

  /// More than an identification has (IEC 62056-21 allows 16 behind the baud rate character).
  private static let lineBytes = 64

  private mutating func fail(_ fault: SignOnFault, at now: Int64) -> [Action] {
    rest(at: now)
    return [.fail(fault)]
  }

  /// Waits for the next round, and for the meter to be ready: 1,500 ms of silence.
  private mutating func rest(at now: Int64) {
    phase = .idle
    deadline = max(startedAt + Int64(settings.pollSeconds) * 1000, now + 1500)
  }

  /// Milliseconds that `count` characters of ten bits take at the opening speed.
  private static func duration(_ count: Int) -> Int64 {
    Int64((count * 10 * 1000 + openingSpeed - 1) / openingSpeed)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z")
  }

  private static func speed(modeC code: UInt8) -> Int? {
    guard code >= UInt8(ascii: "0"), code <= UInt8(ascii: "6") else { return nil }
    return 300 << Int(code - UInt8(ascii: "0"))
  }

  private static func speed(modeB code: UInt8) -> Int? {
    guard code >= UInt8(ascii: "A"), code <= UInt8(ascii: "F") else { return nil }
    return 600 << Int(code - UInt8(ascii: "A"))
  }
}
