import Glibc

@testable import GatewayAgent

/// A loop with a deadline, for tests that wait for the real world.
enum LoopHarness {
  /// Turns `loop` until `condition` holds; false if it does not within `milliseconds`.
  static func run(
    _ loop: EventLoop, withinMilliseconds milliseconds: Int = 10_000, until condition: () -> Bool
  ) -> Bool {
    let deadline = GatewayClock.monotonicMilliseconds() + Int64(milliseconds)
    while !condition() {
      if GatewayClock.monotonicMilliseconds() > deadline { return false }
      loop.turn(waitingAtMost: 5)
    }
    return true
  }

  /// Turns `loop` for a while, to see that something does not happen.
  static func idle(_ loop: EventLoop, milliseconds: Int) {
    _ = run(loop, withinMilliseconds: milliseconds) { false }
  }

  /// A new empty directory.
  ///
  /// All of them lie in one of this process, which goes when the process ends.
  static func temporaryDirectory() -> String { made(in: root) }

  private static let root: String = {
    atexit { _ = unsafe system("rm -rf \(LoopHarness.root)") }
    let directory = made(in: "/tmp")
    // Started by root, mosquitto gives its rights away and must still get to its own place.
    _ = unsafe chmod(directory, 0o711)
    return directory
  }()

  private static func made(in parent: String) -> String {
    var template = Array((parent + "/gateway-XXXXXX").utf8CString)
    _ = unsafe mkdtemp(&template)
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Writes a file.
  static func write(_ text: String, to path: String) { write(Array(text.utf8), to: path) }

  /// Writes a file.
  static func write(_ bytes: [UInt8], to path: String) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
    close(file)
  }
}
