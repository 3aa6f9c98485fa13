internal import ArgumentParser
import Glibc

/// Why a verb ends early: one line for standard error, and the exit status.
struct CommandFailure: Error, Equatable {
  /// 1 where the work found something wrong, 2 for unusable arguments, configuration or files.
  var status: Int32
  /// The line, without the program's name.
  var message: String

  /// Arguments, configuration or a file that cannot be used.
  static func unusable(_ message: String) -> CommandFailure {
    CommandFailure(status: 2, message: message)
  }

  /// A file that cannot be used, and why.
  static func unusable(_ path: String, _ error: SystemError) -> CommandFailure {
    unusable("\(path): \(error.lowercaseText)")
  }

  /// Work that ran and failed.
  static func failed(_ message: String) -> CommandFailure {
    CommandFailure(status: 1, message: message)
  }
}

/// Standard output and error of the short-lived verbs.
enum Terminal {
  /// Whether standard output is a terminal.
  static var isOutput: Bool { isatty(STDOUT_FILENO) == 1 }
  /// Whether standard error is a terminal, so that progress can be shown there.
  static var isError: Bool { isatty(STDERR_FILENO) == 1 }

  /// Writes all bytes to standard output.
  ///
  /// - Throws: `CommandFailure`, silent where the reader has gone (`gateway-agent … | head`).
  static func write(_ bytes: [UInt8]) throws(CommandFailure) {
    var start = 0
    while start < bytes.count {
      let count = unsafe bytes[start...].withUnsafeBytes { buffer in
        unsafe Glibc.write(STDOUT_FILENO, buffer.baseAddress, buffer.count)
      }
      if count >= 0 {
        start += count
      } else if errno == EAGAIN {
        var entry = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
        _ = unsafe poll(&entry, 1, -1)
      } else if errno != EINTR {
        throw errno == EPIPE
          ? CommandFailure(status: 1, message: "")
          : .failed("standard output: \(SystemError(call: "write", number: errno).lowercaseText)")
      }
    }
  }

  /// Writes one line to standard output.
  static func line(_ text: String) throws(CommandFailure) { try write(Array((text + "\n").utf8)) }

  /// Writes one line to standard error; there is nobody to tell where that fails.
  static func note(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Shows how far long work is, on a terminal only; each call overwrites the last.
  static func progress(_ text: String) {
    guard isError else { return }
    let line = Array("\r\u{1B}[K\(text)".utf8)
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Removes the progress line.
  static func endProgress() { progress("") }
}
