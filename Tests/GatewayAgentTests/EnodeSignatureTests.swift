import Testing

@testable import GatewayAgent

struct EnodeSignatureTests {
  /// Vector E1 of the design (§6.9), which Enode's documents publish as well.
  @Test func e1SignsAsEnodeDoes() {
    let body = Array(#"{"payload":"example"}"#.utf8)
    let signature = EnodeSignature.value(of: body, secret: Array("example-secret".utf8))
    #expect(signature == "sha1=e417e6fc2e7f8a78c93a35a7b344d36ce179fc8d")
  }
}
