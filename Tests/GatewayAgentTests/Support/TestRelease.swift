import OBISDecoder
@testable import PrivacyFilter

extension Release {
  /// A release as PrivacyFilter would make it; only tests can.
  static func made(
    _ topic: String, _ payload: String, kind: Kind = .data, gate: UInt8 = 0, qos: UInt8 = 0,
    retain: Bool = false, expirySeconds: UInt32 = 0, isExternal: Bool = false
  ) -> Release {
    var release = Release(
      kind: kind, gateIndex: gate, epoch: 0, connection: 0, qos: qos, retain: retain,
      expirySeconds: expirySeconds, isExternal: isExternal)
    for byte in topic.utf8 { release.topic.append(byte) }
    for byte in payload.utf8 { release.payload.append(byte) }
    return release
  }
}
