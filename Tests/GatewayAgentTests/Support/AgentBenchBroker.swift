import Glibc

/// A broker on bare sockets that records every byte of every client and answers as it is told.
///
/// MQTT 5 only; the test turns it.
final class WireBroker {
  /// One client as it showed itself.
  struct Client: Equatable {
    var id = ""
    var isOpen = true
    var bytes: [UInt8] = []
    var publishes: [Publish] = []
    /// The last will, if it left one.
    var will: Publish?
    fileprivate var parsed = 0
  }

  /// One PUBLISH as it came.
  struct Publish: Equatable {
    var topic: String
    var payload: String
    var qos: Int
    var isRetained: Bool
    var isDuplicate: Bool
    var properties: [UInt8]
  }

  let port: UInt16
  private(set) var clients: [Client] = []
  /// Whether messages with QoS 1 get their PUBACK.
  var acknowledges = true
  private var sockets: [Int32] = []
  private let listener: Int32

  init(port: UInt16 = 0) {
    (listener, self.port) = TestSocket.listen(port: port)
    _ = fcntl(listener, F_SETFL, O_NONBLOCK)
  }

  deinit {
    for index in sockets.indices { hangUp(index) }
    close(listener)
  }

  /// Every PUBLISH of every client, in the order of the clients.
  var publishes: [Publish] { clients.flatMap(\.publishes) }

  /// Accepts, reads and answers what is there.
  func turn() {
    let number = accept(listener, nil, nil)
    if number >= 0 {
      sockets.append(number)
      clients.append(Client())
    }
    for index in clients.indices where clients[index].isOpen {
      guard let bytes = TestSocket.available(sockets[index]) else {
        hangUp(index)
        continue
      }
      clients[index].bytes += bytes
      while let (header, body) = nextPacket(index) { handle(index, header, body) }
    }
  }

  /// Closes a client's connection from this side.
  func hangUp(_ index: Int) {
    guard clients[index].isOpen else { return }
    clients[index].isOpen = false
    close(sockets[index])
  }

  private func nextPacket(_ index: Int) -> (UInt8, [UInt8])? {
    let bytes = clients[index].bytes[clients[index].parsed...]
    var place = bytes.startIndex + 1
    var length = 0
    for shift in [0, 7, 14, 21] {
      guard place < bytes.endIndex else { return nil }
      length |= Int(bytes[place] & 127) << shift
      place += 1
      if bytes[place - 1] < 128 { break }
    }
    guard bytes.endIndex - place >= length else { return nil }
    clients[index].parsed = place + length
    return (bytes[bytes.startIndex], Array(bytes[place..<place + length]))
  }

  private func handle(_ index: Int, _ header: UInt8, _ body: [UInt8]) {
    switch header >> 4 {
    case 1:
      connect(index, body)
      answer(index, [0x20, 3, 0, 0, 0])
    case 3: take(index, header, body)
    case 8: answer(index, [0x90, 4, body[0], body[1], 0, 0])
    case 12: answer(index, [0xD0, 0])
    default: break
    }
  }

  private func connect(_ index: Int, _ body: [UInt8]) {
    // Protocol name, version, flags and keep-alive take 10 bytes; then properties, client id, will.
    var rest = body.dropFirst(11 + Int(body[10]))
    clients[index].id = Self.text(rest)
    rest = rest.dropFirst(2 + clients[index].id.utf8.count)
    guard body[7] & 4 == 4, let count = rest.first else { return }
    rest = rest.dropFirst(1 + Int(count))
    let topic = Self.text(rest)
    clients[index].will = Publish(
      topic: topic, payload: Self.text(rest.dropFirst(2 + topic.utf8.count)),
      qos: Int(body[7] >> 3 & 3), isRetained: body[7] & 32 == 32, isDuplicate: false,
      properties: [])
  }

  private func take(_ index: Int, _ header: UInt8, _ body: [UInt8]) {
    let qos = Int(header >> 1 & 3)
    let topic = Self.text(body[...])
    var rest = body.dropFirst(2 + topic.utf8.count)
    let id = Array(qos > 0 ? rest.prefix(2) : [])
    rest = rest.dropFirst(id.count)
    let count = Int(rest.first ?? 0)
    rest = rest.dropFirst()
    clients[index].publishes.append(
      Publish(
        topic: topic, payload: String(decoding: rest.dropFirst(count), as: UTF8.self), qos: qos,
        isRetained: header & 1 == 1, isDuplicate: header & 8 == 8,
        properties: Array(rest.prefix(count))))
    if qos == 1, acknowledges { answer(index, [0x40, 2] + id) }
  }

  private func answer(_ index: Int, _ bytes: [UInt8]) {
    TestSocket.send(bytes, to: sockets[index])
  }

  /// The string with a two-byte length at the start of `bytes`.
  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    let start = bytes.startIndex
    let count = Int(bytes[start]) << 8 | Int(bytes[start + 1])
    return String(decoding: bytes[(start + 2)..<(start + 2 + count)], as: UTF8.self)
  }
}
