import Glibc

/// A real mosquitto on a free loopback port, with its own configuration in its own directory.
final class Broker {
  /// Whether this machine has one.
  static let isInstalled = unsafe access(executable, X_OK) == 0
  private static let executable = "/usr/sbin/mosquitto"

  let port: UInt16
  let directory: String
  private(set) var process: pid_t = -1

  /// Writes the configuration; `lines` come after the listener, and replace `allow_anonymous`.
  init(port: UInt16? = nil, lines: [String] = ["allow_anonymous true"]) {
    self.port = port ?? TestSocket.freePort()
    directory = LoopHarness.temporaryDirectory()
    // Started by root, mosquitto gives its rights away: the directory must stay readable.
    _ = unsafe chmod(directory, 0o755)
    let head = ["listener \(self.port) 127.0.0.1", "persistence false", "set_tcp_nodelay true"]
    configure(head + lines)
  }

  deinit { kill() }

  private func configure(_ lines: [String]) {
    let path = directory + "/mosquitto.conf"
    LoopHarness.write(lines.joined(separator: "\n") + "\n", to: path)
    _ = unsafe chmod(path, 0o644)
  }

  /// Starts it and waits until it listens.
  func start() {
    precondition(process < 0, "one process at a time")
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for stream: Int32 in [1, 2] {
      unsafe posix_spawn_file_actions_addopen(
        &actions, stream, directory + "/log", O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
    let words = [Self.executable, "-c", directory + "/mosquitto.conf"]
    var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { unsafe arguments.forEach { unsafe free($0) } }
    let result = unsafe posix_spawn(&process, Self.executable, &actions, nil, &arguments, environ)
    precondition(result == 0, "mosquitto starts")
    for _ in 0..<500 {
      if let socket = TestSocket.connect(port: port) {
        close(socket)
        return
      }
      usleep(10_000)
    }
    preconditionFailure("mosquitto listens within 5 s")
  }

  /// Ends it with SIGKILL and waits for it.
  func kill() {
    guard process > 0 else { return }
    _ = Glibc.kill(process, SIGKILL)
    var status: Int32 = 0
    _ = unsafe waitpid(process, &status, 0)
    process = -1
  }
}
