import OBISDecoder
@testable import PrivacyFilter

extension Release {
  /// A release as PrivacyFilter would make it; only tests can.
  static func made(
    _ topic: String, _ payload: String, kind: Kind = .data, gate: UInt8 = 0, qos: UInt8 = 0,
    retain: Bool = false, expirySeconds: UInt32 = 0, isExternal: Bool = false
  ) -> Release {
    var draft = Draft(
      Delivery(
        kind: kind, gateIndex: gate, connection: 0, qos: qos, retain: retain,
        expirySeconds: expirySeconds, isExternal: isExternal))
    for byte in topic.utf8 { draft.topic.append(byte) }
    for byte in payload.utf8 { draft.payload.append(byte) }
    return draft.release()
  }
}
