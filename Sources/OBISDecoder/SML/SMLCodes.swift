extension Secret.Kind {
  /// What a text or number identifies, by the OBIS code it stands under in an SML list.
  ///
  ///     CODE               KIND           SOURCE
  ///     129-129:199.130.3  meter type     maker; EDL (VDE FNN, "Lastenheft EDL" 1.2, annex)
  ///     129-129:199.130.5  key material   public key, 48 bytes; the same
  ///     1-0:96.50.x        meter type     maker, type, firmware, parameters; FNN Basiszähler
  ///     1-0:96.1.x         meter number   device id; FNN Basiszähler
  ///     all others         as in DLMS
  init(sml code: OBISCode) {
    switch (code.a, code.c, code.d) {
    case (129, 199, 130): self = code.e == 5 ? .keyMaterial : code.e == 3 ? .meterType : .unknown
    case (1, 96, 50): self = .meterType
    case (1, 96, 1): self = .meterNumber
    default: self = Secret.Kind(dlms: code)
    }
  }
}

/// The DZG DVS74 and its way to send power, which older firmware gets wrong.
///
/// It writes 1-0:16.7.0 in as few bytes as the number takes without a sign, and calls that an
/// integer: 350.00 W comes as `53 88 B8`, −305.36 W as `55 FF FF 88 B8`. What has one or two bytes
/// is therefore positive (J. Berg, volkszaehler-dev, 2018-12-17; libsml #59). Says the maker: only
/// DVS74 with the numbers below (libsml pull request 136). Other DZG meters send two bytes for
/// negative numbers, and are right.
enum DZGServer {
  /// Whether the server id in `element` is that of such a meter.
  ///
  /// DIN 43863-5 in ten bytes: 0A, medium 01, three letters of the maker, block, number in four.
  static func sendsUnsignedPower(_ element: SMLElement, in bytes: Span<UInt8>) -> Bool {
    guard element.kind == SMLElement.Kind.octets, element.count == 10 else { return false }
    let start = element.content
    guard bytes[start] == 0x0A, bytes[start + 1] == 1, bytes[start + 2] == UInt8(ascii: "D"),
      bytes[start + 3] == UInt8(ascii: "Z"), bytes[start + 4] == UInt8(ascii: "G"),
      bytes[start + 5] == 0
    else { return false }
    var number: UInt32 = 0
    for index in start + 6..<start + 10 { number = number << 8 | UInt32(bytes[index]) }
    return (42_000_000...48_999_999).contains(number)
      || (55_000_000...58_999_999).contains(number)
  }

  /// The one code that is wrong.
  static let power = OBISCode(1, 0, 16, 7, 0)
}
