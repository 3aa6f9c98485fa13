import ModbusMeters

/// A real line, opened anew for each setting.
struct OpenedProbeLine: ModbusProbeLine {
  /// How long a reply may take to begin; meters take 40 ms, the slowest 500 (modbus.md §2.1).
  static let timeoutMilliseconds: Int64 = 600
  /// Silence in front of each request.
  static let gapMilliseconds: Int32 = 60

  private let place: (ModbusProbeSettings) -> BusPlace
  private let isOnNetwork: Bool
  private var open: OpenLine?
  private var transaction: UInt16 = 0

  /// The line and its setting; a class, as a line cannot be copied.
  private final class OpenLine {
    let settings: ModbusProbeSettings
    let line: BusLine

    init(_ place: BusPlace, _ settings: ModbusProbeSettings) throws(SystemError) {
      self.settings = settings
      line = try BusLine(place)
    }
  }

  /// A serial line; nothing is opened yet.
  init(path: String) {
    isOnNetwork = false
    place = { settings in
      .serial(
        path: path,
        settings.serial ?? SerialDefaults(baud: 9600, parity: .none, stopBits: 1, unit: 1),
        usesRS485: true)
    }
  }

  /// A place on the network; nothing is opened yet.
  init(host: String, port: UInt16) {
    isOnNetwork = true
    place = { .tcp(host: host, port: port, $0.framing) }
  }

  var candidates: [ModbusProbeSettings] {
    isOnNetwork ? ModbusProbeSettings.network : ModbusProbeSettings.serialLines
  }

  mutating func ask(
    _ block: ReadBlock, of unit: UInt8, _ settings: ModbusProbeSettings
  ) throws(SystemError) -> ReplyReceiver.Reply? {
    let line = try opened(settings)
    drain(line)
    transaction &+= 1
    let request = ModbusRequest(block, unit: unit, transaction: transaction)
    var receiver = ReplyReceiver(settings.framing)
    receiver.expect(request)
    let bytes = request.bytes(settings.framing)
    do throws(SystemError) {
      try line.line.send(bytes)
      let pace = settings.serial.map { 11_000 / max($0.baud, 300) + 1 } ?? 0
      let time = Int64((bytes.count + request.replyCount(settings.framing)) * pace)
      let end = GatewayClock.monotonicMilliseconds() + Self.timeoutMilliseconds + time
      while true {
        let left = end - GatewayClock.monotonicMilliseconds()
        guard left > 0 else { return nil }
        guard line.line.wait(milliseconds: Int32(clamping: left), orFor: -1).isReadable else {
          continue
        }
        if let reply = receiver.take(try line.line.receive()) { return reply }
      }
    } catch {
      open = nil
      // A gateway that closes the connection over a wrong frame is no reason to give up.
      guard isOnNetwork, error.number == 0 else { throw error }
      return nil
    }
  }

  private mutating func opened(_ settings: ModbusProbeSettings) throws(SystemError) -> OpenLine {
    if let open, open.settings == settings { return open }
    open = nil
    let made = try OpenLine(place(settings), settings)
    open = made
    return made
  }

  /// Waits until the line is silent: what comes late belongs to another request.
  private func drain(_ line: OpenLine) {
    while line.line.wait(milliseconds: Self.gapMilliseconds, orFor: -1).isReadable {
      guard let bytes = try? line.line.receive(), !bytes.isEmpty else { return }
    }
  }
}
