import Testing

@testable import ConsentLedger

@Suite struct CryptoTests {
  @Test func hashesTheVectorsOfFIPS180() {
    #expect(
      Hex.text(Crypto.sha256([]))
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      Hex.text(Crypto.sha256(Array("abc".utf8)))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }

  @Test func hashesAgainAfterFinishing() {
    var hasher = SHA256Hasher()
    hasher.update(Array("ab".utf8))
    hasher.update(Array("c".utf8))
    let first = hasher.finish()
    hasher.update(Array("abc".utf8))
    #expect(hasher.finish() == first)
    #expect(first == Crypto.sha256(Array("abc".utf8)))
  }

  /// RFC 4231, test cases 1, 2 and 6 (a key longer than the block).
  @Test func authenticatesTheVectorsOfRFC4231() {
    let first = Crypto.hmacSHA256(
      key: [UInt8](repeating: 0x0b, count: 20), message: Array("Hi There".utf8))
    #expect(Hex.text(first) == "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
    let second = Crypto.hmacSHA256(
      key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8))
    #expect(Hex.text(second) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    let sixth = Crypto.hmacSHA256(
      key: [UInt8](repeating: 0xaa, count: 131),
      message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8))
    #expect(Hex.text(sixth) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
  }

  @Test func authenticatesEmptyKeyAndMessage() {
    #expect(
      Hex.text(Crypto.hmacSHA256(key: [], message: []))
        == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }

  @Test func drawsRandomBytesOfTheAskedLength() {
    #expect(Crypto.random(0).isEmpty)
    let first = Crypto.random(32)
    #expect(first.count == 32)
    #expect(first != Crypto.random(32))
  }
}
