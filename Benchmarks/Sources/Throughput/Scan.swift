import OBISDecoder
import PrivacyFilter

/// The tripwire over a packet of 512 bytes, with four identifiers as a P1 telegram holds them.
enum Scan {
  static let packetBytes = 512

  /// Prints one line; false if an identifier is not found where it is, or is found where it is not.
  static func measure(packets: Int, rounds: Int) -> Bool {
    var vault = IdentifierVault()
    for text in ["E0042001234567890", "G0042009876543210", "KUNDE 12345678", "TST5\\2HANP-0001"] {
      let bytes = Array(text.utf8)
      vault.keep(
        Secret(kind: .meterNumber, code: nil, offset: 0, count: bytes.count, isHex: false),
        in: bytes.span)
    }
    let tripwire = Tripwire(vault)
    let topic = Array("gateway/m-jdj2mreiudcxubv2/e15".utf8)
    // What a state document looks like: keys and numbers.
    var packet = Array(#"{"v":1,"time":"2026-01-15T13:30:00Z","window_s":60"#.utf8)
    var number = 473
    while packet.count < packetBytes {
      number = number &* 7919 % 1_000_003
      packet += Array(#","active_power_import_w":\#(number)"#.utf8)
    }
    packet.removeLast(packet.count - packetBytes)
    var hits = 0
    let time = best(of: rounds) {
      for _ in 0..<packets {
        let hit = tripwire.find(
          inTopic: topic.span, payload: packet.span, granted: nil, isExternal: true)
        if hit != nil { hits += 1 }
      }
    }
    let hidden = Array(#","x":"4530303432303031323334353637383930"}"#.utf8)
    packet.replaceSubrange((packet.count - hidden.count)..., with: hidden)
    let found = tripwire.find(
      inTopic: topic.span, payload: packet.span, granted: nil, isExternal: true)
    print(
      """
      tripwire      \(tripwire.formCount) forms, packet of \(packetBytes) bytes: \
      \(time / UInt64(packets)) ns (goal 2000)
      """)
    return hits == 0 && found?.form == .hex
  }
}
