import Testing

@testable import GatewayAgent
@testable import MeterSimulator

/// The telegrams of privacy.md C13 whose identifiers must not be found in anything that an agent with
/// every grant writes: to brokers, to its log, to its state directory, to the control socket.
struct AcceptanceIdentityTests {
  /// Where a form of an identifier was found: `TEXT as FORM in PLACE`.
  private func leaks(
    of identifiers: [(name: String, spellings: [[UInt8]])], in outbound: [String: [UInt8]]
  ) -> [String] {
    var index = FormIndex<String>()
    for (name, spellings) in identifiers {
      index.add(IdentifierForms.all(of: spellings), of: name)
      // Four characters are too few for every form, and enough for these.
      guard let text = spellings.first, text.count < 6 else { continue }
      let lowered = IdentifierForms.lowercased(text)
      for form in [lowered, lowered.reversed(), IdentifierForms.hex(text)] {
        index.add([.init(name: "short text", bytes: form)], of: name)
      }
    }
    return outbound.sorted { $0.key < $1.key }.flatMap { place, bytes in
      index.search(bytes).map { "\($0.owner) as \($0.form.name) in \(place)" }
    }
  }

  private func texts(_ texts: String...) -> [(name: String, spellings: [[UInt8]])] {
    texts.map { ($0, [Array($0.utf8)]) }
  }

  @Test("C13.12: neither server id nor public key nor seconds index of an SML meter leaves")
  func keepsSMLIdentifiers() async throws {
    let outbound = try await AgentCapture.outbound(of: [F3.bytes], house: true)
    let wire = String(decoding: outbound["wire"] ?? [], as: UTF8.self)
    #expect(wire.contains(#""active_power_import_w":768"#))
    var identifiers = texts("29087572")
    identifiers.append(
      ("server id", [F3.server, Array(P1Text.hex(F3.server).utf8)]))
    identifiers.append(("public key", [F3.key, Array(P1Text.hex(F3.key).utf8)]))
    #expect(leaks(of: identifiers, in: outbound) == [])
    // The scan sees what it looks for.
    #expect(leaks(of: identifiers, in: ["line": F3.bytes]).count >= 3)
  }

  @Test("C13.13: maker, model, list and type go to no recipient")
  func keepsMakerAndType() async throws {
    let f1 = try await AgentCapture.outbound(of: [Telegram.f1.bytes], house: false)
    let f2 = try await AgentCapture.outbound(of: [Self.f2()], house: false)
    let known = texts("TST5", "HANP-0001", "Kamstrup_V0001", "6841121BN243101040")
    #expect(leaks(of: known, in: f1) == [])
    #expect(leaks(of: known, in: f2) == [])
    #expect(leaks(of: texts("5706567000000017"), in: f2) == [])
    let lines = ["f1": Telegram.f1.bytes, "f2": try Self.f2()]
    let found = Set(leaks(of: known, in: lines).compactMap { $0.split(separator: " ").first })
    #expect(found.count == 4)
  }

  @Test("C13.41: a telegram cut or changed at each of its bytes betrays nothing and stops nothing")
  func survivesEveryDamage() async throws {
    let outbound = try await AgentCapture.outbound(
      of: [Telegram.f1.bytes], house: true, damaged: true)
    let known = texts("E0042001234567890", "G0042009876543210", "KUNDE 12345678")
    #expect(leaks(of: known, in: outbound) == [])
  }

  /// F2: a Norwegian list of Kamstrup with the number and type of the design.
  private static func f2() throws -> [UInt8] {
    var meter = try #require(SimulatedMeter(name: "no-kamstrup", seed: 1))
    var bytes = meter.next(at: at("13:00:00")).bytes
    bytes.replace(
      Array(meter.identity.nordicMeter.utf8), with: Array("5706567000000017".utf8))
    bytes.replace(Array("6841121XX999999999".utf8), with: Array("6841121BN243101040".utf8))
    let end = bytes.count - 3
    bytes.replaceSubrange(end..<end + 2, with: HDLCWriter.checksum(of: Array(bytes[1..<end])))
    return bytes
  }
}

/// F3: an SML list of 768 W with a server id, a public key and a seconds index.
private enum F3 {
  static let server: [UInt8] = [0x0A, 0x01, 0x54, 0x53, 0x54, 0x00, 0x01, 0x23, 0x45, 0x67]
  static let key = Array(UInt8(0)...0x2F)

  static var bytes: [UInt8] {
    let messages =
      message(0, 0x0101) { writer in
        writer.list(6)
        writer.none()
        writer.none()
        writer.octets([0, 0, 0, 1])
        writer.octets(server)
        writer.none()
        writer.none()
      } + message(1, 0x0701, addList)
      + message(2, 0x0201) { writer in
        writer.list(1)
        writer.none()
      }
    return SMLWriter.transport(messages, isKermit: false)
  }

  private static func addList(_ writer: inout SMLWriter) {
    writer.list(7)
    writer.none()
    writer.octets(server)
    writer.octets([1, 0, 98, 10, 255, 255])
    writer.list(2)
    writer.integer(1, 1, isSigned: false)
    writer.integer(29_087_572, 4, isSigned: false)
    writer.list(3)
    addText([1, 0, 96, 1, 0, 255], server, &writer)
    writer.list(7)
    writer.octets([1, 0, 16, 7, 0, 255])
    writer.none()
    writer.none()
    writer.integer(27, 1, isSigned: false)
    writer.integer(0, 1, isSigned: true)
    writer.integer(768, 4, isSigned: true)
    writer.none()
    addText([129, 129, 199, 130, 5, 255], key, &writer)
    writer.none()
    writer.none()
  }

  private static func addText(_ code: [UInt8], _ text: [UInt8], _ writer: inout SMLWriter) {
    writer.list(7)
    writer.octets(code)
    for _ in 0..<4 { writer.none() }
    writer.octets(text)
    writer.none()
  }

  private static func message(
    _ number: UInt8, _ choice: Int64, _ addBody: (inout SMLWriter) -> Void
  ) -> [UInt8] {
    var writer = SMLWriter()
    writer.list(6)
    writer.octets([0, 0, 0, number])
    writer.integer(0, 1, isSigned: false)
    writer.integer(0, 1, isSigned: false)
    writer.list(2)
    writer.integer(choice, 2, isSigned: false)
    addBody(&writer)
    writer.raw([0x63] + SMLWriter.checksum(of: writer.bytes, isKermit: false) + [0x00])
    return writer.bytes
  }
}
