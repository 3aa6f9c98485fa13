import Glibc

/// A throw-away certificate authority with one certificate for the broker and one for us.
struct Certificates {
  /// Whether the command that makes them is installed.
  static let isPossible = unsafe access("/usr/bin/openssl", X_OK) == 0

  let directory: String
  var authority: String { directory + "/ca.crt" }
  var broker: (certificate: String, key: String) { (directory + "/b.crt", directory + "/b.key") }
  var client: (certificate: String, key: String) { (directory + "/c.crt", directory + "/c.key") }

  /// Makes them; the broker's is valid for `name` only.
  init(brokerName name: String) {
    directory = LoopHarness.temporaryDirectory()
    let new = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    let sign = "openssl x509 -req -CA ca.crt -CAkey ca.key -CAcreateserial -days 1"
    let script = """
      cd \(directory) && exec >log 2>&1
      \(new) -x509 -days 1 -subj '/CN=Test authority' -keyout ca.key -out ca.crt
      echo 'subjectAltName=DNS:\(name)' >names
      \(new) -subj '/CN=\(name)' -keyout b.key -out b.csr
      \(sign) -in b.csr -extfile names -out b.crt
      \(new) -subj '/CN=gateway' -keyout c.key -out c.csr
      \(sign) -in c.csr -out c.crt
      chmod 755 . && chmod 644 *.key
      """
    precondition(unsafe system(script) == 0, "openssl makes the certificates")
  }

  /// What the broker's configuration says for them.
  var brokerLines: [String] {
    [
      "allow_anonymous true", "cafile \(authority)", "certfile \(broker.certificate)",
      "keyfile \(broker.key)", "require_certificate true",
    ]
  }
}
