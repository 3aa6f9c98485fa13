import ConsentLedger

/// What a webhook in Enode's form is signed with: the header `x-enode-signature`.
///
/// Source: developers.enode.com/docs/webhooks: `sha1=` and the HMAC-SHA-1 of the raw body under the
/// secret that the receiver chose, in lower-case hexadecimal digits.
enum EnodeSignature {
  /// The header's value for a body; `secret` has 128 bits or more.
  static func value(of body: [UInt8], secret: [UInt8]) -> String {
    "sha1=" + Hex.text(Crypto.hmacSHA1(key: secret, message: body))
  }
}
