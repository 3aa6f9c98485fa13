/// Where events are posted: the parts of an `https` URL, or of an `http` one on this machine.
struct WebhookAddress: Equatable, Sendable {
  /// What a URL looks like, for errors.
  static let expected = "https://HOST[:PORT][/PATH], or http:// where HOST is this machine"

  var isSecure: Bool
  /// Name or address, without brackets.
  var host: String
  var port: UInt16
  /// Path and query, from the first slash on.
  var target: String
  /// The `Host` header (RFC 9110, 7.2).
  var authority: String

  /// Reads a URL; nil if it is none, names a user, has a fragment, or would send use in the clear.
  init?(_ text: String) {
    guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      return nil
    }
    let rest: Substring
    if text.hasPrefix("https://") {
      isSecure = true
      rest = text.dropFirst(8)
    } else if text.hasPrefix("http://") {
      isSecure = false
      rest = text.dropFirst(7)
    } else {
      return nil
    }
    let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
    let path = rest[end...]
    guard !text.contains("#"), !path.contains("\\") else { return nil }
    target = path.hasPrefix("/") ? String(path) : "/" + path
    authority = String(rest[..<end])
    let fallback = isSecure ? 443 : 80
    let hasPort =
      authority.hasPrefix("[") ? authority.contains("]:") : authority.contains(":")
    guard
      case .tcp(let host, let port)? = PortText.parseEndpoint(
        Substring(hasPort ? authority : authority + ":\(fallback)"))
    else { return nil }
    self.host = host
    self.port = port
    guard isSecure || Self.isThisMachine(host) else { return nil }
  }

  private static func isThisMachine(_ host: String) -> Bool {
    host == "localhost" || host == "::1"
      || host.hasPrefix("127.")
        && host.utf8.allSatisfy {
          $0 == UInt8(ascii: ".") || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
        }
  }
}
