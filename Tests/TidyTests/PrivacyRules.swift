/// What the privacy design asks of the source text (its section on rooms): sockets in few places,
/// secrets that cannot be printed, a log without text.
enum PrivacyRules {
  /// Folders of GatewayAgent that may open a way out of the process.
  static let socketRooms: Set<Substring> = ["Inputs", "Outputs", "System", "Control", "Capture"]
  private static let socketCalls = ["socket", "socketpair", "getaddrinfo", "sendto", "sendmsg"]
  // Methods have these names too; the C functions take pointers and need `unsafe`.
  private static let unsafeSocketCalls = ["connect", "bind", "accept", "accept4"]

  static func sockets(in source: SwiftSource) -> [Finding] {
    if source.target == "GatewayAgent", socketRooms.contains(source.room) { return [] }
    var findings: [Finding] = []
    for (index, line) in source.code.enumerated() {
      let called =
        socketCalls.filter { WordRules.calls($0, in: line) }
        + unsafeSocketCalls.filter {
          line.contains("unsafe \($0)(") || line.contains("Glibc.\($0)(")
        }
      for name in called {
        findings.append(
          Finding(path: source.path, line: index + 1, what: "calls \(name), which opens a way out"))
      }
    }
    return findings
  }

  private static let secrets: Set<Substring> = ["Secret", "SecretVault", "Vault"]
  private static let speaking: Set<Substring> = [
    "CustomStringConvertible", "CustomDebugStringConvertible", "LosslessStringConvertible",
    "TextOutputStreamable", "CustomReflectable", "Codable", "Encodable", "Decodable", "Error",
  ]

  static func speakingSecrets(in source: SwiftSource) -> [Finding] {
    var findings: [Finding] = []
    for (index, line) in source.code.enumerated() {
      let words = line.split { !($0.isLetter || $0.isNumber) }
      guard
        let at = words.firstIndex(where: {
          ["struct", "class", "enum", "actor", "extension"].contains($0)
        }), at + 1 < words.count, secrets.contains(words[at + 1])
      else { continue }
      // A list of conformances may go on over some lines, up to the brace.
      var head = ""
      for line in source.code[index...].prefix(6) {
        head += line + " "
        if line.contains("{") { break }
      }
      let upToBrace = head.split(separator: "{").first ?? ""
      for word in upToBrace.split(whereSeparator: { !($0.isLetter || $0.isNumber) })
      where speaking.contains(word) {
        findings.append(
          Finding(path: source.path, line: index + 1, what: "\(words[at + 1]) conforms to \(word)"))
      }
    }
    return findings
  }

  private static let texts: Set<Substring> = [
    "String", "Substring", "StringProtocol", "Any", "Data",
  ]

  /// Parameters of `Log`'s functions that could carry what a meter said.
  static func logParameters(in source: SwiftSource) -> [Finding] {
    guard
      source.code.contains(where: { line in
        ["enum Log ", "struct Log ", "class Log ", "extension Log "].contains { line.contains($0) }
      })
    else { return [] }
    var findings: [Finding] = []
    for (index, line) in source.code.enumerated()
    where line.contains("func ") && !line.contains("private ") {
      var signature = ""
      for line in source.code[index...].prefix(8) {
        signature += line + " "
        if line.contains("{") { break }
      }
      let parameters = signature.split(separator: "{").first?.split(separator: "->").first ?? ""
      for word in parameters.split(whereSeparator: { !($0.isLetter || $0.isNumber) })
      where texts.contains(word) {
        findings.append(
          Finding(path: source.path, line: index + 1, what: "a log function takes \(word)"))
      }
    }
    return findings
  }
}
