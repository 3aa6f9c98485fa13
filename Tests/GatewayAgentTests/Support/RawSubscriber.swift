import Glibc

/// An MQTT client on a bare socket that records each PUBLISH as it came, byte by byte.
final class RawSubscriber {
  struct Packet: Equatable {
    var topic: String
    var payload: String
    var qos: Int
    var isRetained: Bool
    /// MQTT 5 properties without their length; empty with 3.1.1.
    var properties: [UInt8]
  }

  private(set) var packets: [Packet] = []
  private let socket: Int32
  private let isVersion5: Bool
  private var held: [UInt8] = []
  private var isSubscribed = false

  /// Connects, subscribes at QoS 2 and waits for the SUBACK; nil if the broker does not answer.
  init?(port: UInt16, filter: String = "#", isVersion5: Bool = true, name: String = "probe") {
    guard let made = TestSocket.connect(port: port) else { return nil }
    socket = made
    self.isVersion5 = isVersion5
    let properties: [UInt8] = isVersion5 ? [0] : []
    var connect: [UInt8] = Self.text("MQTT") + [isVersion5 ? 5 : 4, 2, 0, 60] + properties
    connect += Self.text(name)
    send(0x10, connect)
    send(0x82, [0, 1] + properties + Self.text(filter) + [2])
    for _ in 0..<500 where !isSubscribed {
      poll()
      usleep(2_000)
    }
    if !isSubscribed { return nil }
  }

  deinit { close(socket) }

  /// Reads what has come.
  func poll() {
    held += TestSocket.available(socket) ?? []
    while let (header, body) = nextPacket() { handle(header, body) }
  }

  /// What has come since the last call, for a test that runs long.
  func take() -> [Packet] {
    poll()
    defer { packets = [] }
    return packets
  }

  /// The packets of a topic, after reading what has come.
  func packets(of topic: String) -> [Packet] {
    poll()
    return packets.filter { $0.topic == topic }
  }

  private func nextPacket() -> (UInt8, [UInt8])? {
    var length = 0
    var shift = 0
    var index = 1
    while true {
      guard index < held.count else { return nil }
      length |= Int(held[index] & 127) << shift
      shift += 7
      index += 1
      if held[index - 1] < 128 { break }
    }
    guard held.count >= index + length else { return nil }
    let header = held[0]
    let body = Array(held[index..<index + length])
    held.removeFirst(index + length)
    return (header, body)
  }

  private func handle(_ header: UInt8, _ body: [UInt8]) {
    switch header >> 4 {
    case 9: isSubscribed = true
    case 6: send(0x70, Array(body.prefix(2)))
    case 3:
      let qos = Int(header >> 1 & 3)
      var rest = body[...]
      let topic = rest.dropFirst(2).prefix(Int(body[0]) << 8 | Int(body[1]))
      rest = rest.dropFirst(2 + topic.count)
      let id = Array(qos > 0 ? rest.prefix(2) : [])
      rest = rest.dropFirst(id.count)
      let count = isVersion5 ? Int(rest.first ?? 0) : 0
      if isVersion5 { rest = rest.dropFirst() }
      packets.append(
        Packet(
          topic: String(decoding: topic, as: UTF8.self),
          payload: String(decoding: rest.dropFirst(count), as: UTF8.self), qos: qos,
          isRetained: header & 1 == 1, properties: Array(rest.prefix(count))))
      if qos == 1 { send(0x40, id) }
      if qos == 2 { send(0x50, id) }
    default: break
    }
  }

  /// Publishes at QoS 0.
  func publish(topic: String, payload: String) {
    send(0x30, Self.text(topic) + (isVersion5 ? [0] : []) + Array(payload.utf8))
  }

  private func send(_ header: UInt8, _ body: [UInt8]) {
    var length: [UInt8] = []
    var rest = body.count
    repeat {
      length.append(UInt8(rest & 127) | (rest > 127 ? 128 : 0))
      rest >>= 7
    } while rest > 0
    TestSocket.send([header] + length + body, to: socket)
  }

  private static func text(_ text: String) -> [UInt8] {
    [UInt8(text.utf8.count >> 8), UInt8(text.utf8.count & 255)] + Array(text.utf8)
  }
}
