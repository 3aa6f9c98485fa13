import OBISDecoder
import Testing

@testable import PrivacyFilter

/// The tripwire's forms and exceptions (privacy.md C10).
struct TripwireTests {
  private static let number = "E0042001234567890"

  private func vault(_ texts: [(Secret.Kind, String)]) -> IdentifierVault {
    var vault = IdentifierVault()
    for (kind, text) in texts {
      let bytes = Array(text.utf8)
      vault.keep(
        Secret(kind: kind, code: nil, offset: 0, count: bytes.count, isHex: false), in: bytes.span)
    }
    return vault
  }

  private func find(
    _ payload: [UInt8], topic: String = "gateway/x/e15", granted: String? = nil,
    isExternal: Bool = true, of texts: [(Secret.Kind, String)] = [(.meterNumber, number)]
  ) -> Tripwire.Hit? {
    let tripwire = Tripwire(vault(texts))
    let name = Array(topic.utf8)
    return tripwire.find(
      inTopic: name.span, payload: payload.span, granted: granted.flatMap { FixedText<32>($0) },
      isExternal: isExternal)
  }

  private func find(
    _ payload: String, granted: String? = nil, isExternal: Bool = true,
    of texts: [(Secret.Kind, String)] = [(.meterNumber, number)]
  ) -> Tripwire.Hit? {
    find(Array(payload.utf8), granted: granted, isExternal: isExternal, of: texts)
  }

  static let hidden: [(String, Tripwire.Form)] = [
    ("E0042001234567890", .text), ("e0042001234567890", .text), ("0987654321002400E", .reversed),
    ("4530303432303031323334353637383930", .hex),
    ("3039383736353433323130303234303045", .hexOfReversed), ("0042001234567890", .digits),
    ("RTAwNDIwMDEyMzQ1Njc4OT", .base64), ("UwMDQyMDAxMjM0NTY3ODkw", .base64),
    ("FMDA0MjAwMTIzNDU2Nzg5M", .base64),
  ]

  @Test("each form of E0042001234567890 is found, and where", arguments: hidden)
  func findsForm(text: String, form: Tripwire.Form) {
    let hit = find(#"{"v":1,"x":"\#(text)"}"#)
    #expect(hit == Tripwire.Hit(form: form, offset: 12, isInTopic: false))
  }

  @Test(
    "packed digits are found in both orders",
    arguments: [
      ([0x00, 0x42, 0x00, 0x12, 0x34, 0x56, 0x78, 0x90], Tripwire.Form.packed),
      ([0x90, 0x78, 0x56, 0x34, 0x12, 0x00, 0x42, 0x00], .packedReversed),
    ] as [([UInt8], Tripwire.Form)])
  func findsPackedDigits(bytes: [UInt8], form: Tripwire.Form) {
    #expect(find([1, 2, 3] + bytes)?.form == form)
    #expect(find([1, 2, 3] + bytes.dropLast()) == nil)
  }

  @Test func findsIdentifierInTopic() {
    let hit = find([], topic: "gateway/e0042001234567890/e15")
    #expect(hit == Tripwire.Hit(form: .text, offset: 8, isInTopic: true))
  }

  @Test func findsPartOfLongMessage() {
    let message = "Dear customer, your meter will be read by our people on Monday"
    let part = String(message.dropFirst(9).prefix(31))
    #expect(find(part, of: [(.message, message)])?.form == .text)
  }

  @Test("the granted identifier may stand there once, and nothing else of it")
  func letsGrantedIdentifierThrough() {
    let plain = #"{"v":1,"meter":"E0042001234567890","day":"2026-01-15"}"#
    #expect(find(plain, granted: Self.number) == nil)
    #expect(find(plain) != nil)
    #expect(find(plain + plain, granted: Self.number)?.form == .text)
    #expect(find(#"{"meter":"0987654321002400E"}"#, granted: Self.number)?.form == .reversed)
    #expect(find([], topic: "x/E0042001234567890", granted: Self.number)?.isInTopic == true)
    let other: [(Secret.Kind, String)] = [
      (.meterNumber, Self.number), (.subMeterNumber, "G0042009876543210"),
    ]
    #expect(find(#"{"meter":"G0042009876543210"}"#, granted: Self.number, of: other) != nil)
  }

  @Test("a register that passes a short number is a value, the number elsewhere is not")
  func takesNumbersForValues() {
    let short: [(Secret.Kind, String)] = [(.meterNumber, "12345678")]
    #expect(find(#"{"energy_import_wh":12345678,"x":1}"#, of: short) == nil)
    #expect(find(#"{"energy_import_wh":-12345678.5}"#, of: short) == nil)
    #expect(find("12345678", of: short) == nil)
    #expect(find(#"{"x":"12345678"}"#, of: short)?.form == .text)
    #expect(find(#"{"x":"a 12345678"}"#, of: short)?.form == .text)
    // Of ten digits or more, no register of a household is that long.
    #expect(find(#"{"x":5706567000}"#, of: [(.meterNumber, "5706567000")]) != nil)
  }

  @Test("what says nothing is not looked for")
  func ignoresWhatSaysNothing() {
    for text in ["0000000000", "12345", "Kamstrup", "online", "active_power"] {
      let payload = #"{"x":"\#(text)","active_power_import_w":1}"#
      #expect(find(payload, of: [(.unknown, text)]) == nil, "\(text)")
    }
  }

  @Test("the house's own broker may be told the maker and type, nobody else")
  func letsTypeStayAtHome() {
    let type: [(Secret.Kind, String)] = [(.meterType, "6841121BN243101040")]
    let payload = #"{"name":"6841121BN243101040"}"#
    #expect(find(payload, isExternal: false, of: type) == nil)
    #expect(find(payload, of: type)?.form == .text)
    #expect(find(Self.number, isExternal: false)?.form == .text)
  }

  @Test(
    "it is complete with sixteen meters of sixteen identifiers, and says when it is not",
    arguments: [256, 257])
  func saysWhenItIsNotComplete(count: Int) {
    // Under codes of their own: under one code the oldest would go.
    var many = IdentifierVault()
    for number in 0..<count {
      let bytes = Array("NUMBER-\(1_000_000_000 + number)".utf8)
      let code = OBISCode(0, UInt8(number >> 8), 96, 1, UInt8(number & 255), 255)
      many.keep(
        Secret(kind: .meterNumber, code: code, offset: 0, count: bytes.count, isHex: false),
        in: bytes.span)
    }
    let holdsAll = Tripwire(many).isComplete
    #expect(holdsAll == (count == 256))
  }

  @Test("ever new texts under one code push out their own, not another's")
  func keepsOthersNumbers() {
    var vault = IdentifierVault()
    func keep(_ kind: Secret.Kind, _ text: String) {
      let bytes = Array(text.utf8)
      vault.keep(
        Secret(kind: kind, code: nil, offset: 0, count: bytes.count, isHex: false), in: bytes.span)
    }
    keep(.meterNumber, Self.number)
    for number in 0..<1000 { keep(.message, "message \(number)") }
    let (refused, count) = (vault.refusedCount, vault.count)
    #expect(refused == 0)
    #expect(count == 1 + IdentifierVault.valuesPerCode)
    let found = [Self.number, "message 999", "message 0"].map { vault.occurs(in: $0) }
    #expect(found == [true, true, false])
  }
}
