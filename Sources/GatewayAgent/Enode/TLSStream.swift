/// The only file that speaks to libssl: a client's TLS 1.2 or later over a socket of its own.
///
/// libssl is mapped already, because libmosquitto needs it. Certificate and name are always checked;
/// there is no way to switch that off.

internal import CTLS
import Glibc

/// A TLS session over a non-blocking socket, which it does not own.
///
/// For one thread at a time; every call ends by `deadline`.
@safe final class TLSStream {
  private let context: OpaquePointer
  private let session: OpaquePointer
  private let socket: Int32
  private let deadline: Int64

  /// Prepares a session with the system's certificate authorities, or those of a PEM file.
  ///
  /// - Throws: `.authorities` if the file cannot be used.
  init(
    _ socket: Int32, host: String, authorities: String?, deadline: Int64
  ) throws(WebhookTrouble) {
    guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw .tls }
    var isReady =
      unsafe SSL_CTX_ctrl(
        context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil) == 1
    if let authorities {
      isReady = unsafe SSL_CTX_load_verify_locations(context, authorities, nil) == 1
    } else if isReady {
      isReady = unsafe SSL_CTX_set_default_verify_paths(context) == 1
    }
    guard isReady else {
      unsafe SSL_CTX_free(context)
      throw .authorities
    }
    unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    guard let session = unsafe SSL_new(context) else {
      unsafe SSL_CTX_free(context)
      throw .tls
    }
    unsafe self.context = context
    unsafe self.session = session
    self.socket = socket
    self.deadline = deadline
    try name(host)
    guard unsafe SSL_set_fd(session, socket) == 1 else { throw .tls }
  }

  deinit {
    unsafe SSL_free(session)
    unsafe SSL_CTX_free(context)
  }

  /// The certificate must be for this name, or for this address.
  private func name(_ host: String) throws(WebhookTrouble) {
    var address = [UInt8](repeating: 0, count: 16)
    let isAddress =
      unsafe inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
    if isAddress {
      let parameters = unsafe SSL_get0_param(session)
      guard unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 else { throw .tls }
    } else {
      guard unsafe tls_set_server_name(session, host) == 1, unsafe SSL_set1_host(session, host) == 1
      else { throw .tls }
    }
  }

  /// Shakes hands.
  ///
  /// - Throws: `.certificate` with OpenSSL's number if the certificate is not good for the name.
  func open() throws(WebhookTrouble) {
    while true {
      let result = unsafe SSL_connect(session)
      if result == 1 { return }
      let fault = unsafe SSL_get_verify_result(session)
      if fault != Int(X509_V_OK) { throw .certificate(Int32(clamping: fault)) }
      guard try mayRepeat(result) else { throw .tls }
    }
  }

  /// Sends all bytes.
  func write(_ bytes: [UInt8]) throws(WebhookTrouble) {
    var sent = 0
    while sent < bytes.count {
      let rest = Array(bytes[sent...].prefix(16_384))
      let count = unsafe SSL_write(session, rest, Int32(rest.count))
      if count > 0 {
        sent += Int(count)
      } else if try !mayRepeat(count) {
        throw .closedEarly
      }
    }
  }

  /// Receives some bytes; none at the end.
  func read() throws(WebhookTrouble) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 2048)
    while true {
      let count = unsafe SSL_read(session, &bytes, Int32(bytes.count))
      if count > 0 { return Array(bytes.prefix(Int(count))) }
      guard try mayRepeat(count) else { return [] }
    }
  }

  /// Waits for what a call that did not succeed needs; false if it has failed for good.
  private func mayRepeat(_ result: Int32) throws(WebhookTrouble) -> Bool {
    let reason = unsafe SSL_get_error(session, result)
    // Left in the thread's queue, an error would be taken for the next call's.
    defer { ERR_clear_error() }
    switch reason {
    case SSL_ERROR_WANT_READ: try WebhookPost.wait(socket, Int16(POLLIN), until: deadline)
    case SSL_ERROR_WANT_WRITE: try WebhookPost.wait(socket, Int16(POLLOUT), until: deadline)
    default: return false
    }
    return true
  }

  /// What OpenSSL says about a certificate's fault.
  static func text(ofFault number: Int32) -> String {
    guard let text = unsafe X509_verify_cert_error_string(Int(number)) else {
      return "error \(number)"
    }
    return unsafe String(cString: text)
  }
}
