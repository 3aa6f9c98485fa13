import Glibc

/// A private mosquitto on a free loopback port, which ends when this process does.
@safe final class DemoBroker {
  /// Where it listens, on 127.0.0.1.
  let port: UInt16
  private var process: pid_t = 0

  /// Starts mosquitto with a configuration of its own in `directory`.
  ///
  /// - Throws: `CommandFailure` (2) if mosquitto is not installed or cannot be started.
  init(in directory: String) throws(CommandFailure) {
    do throws(SystemError) {
      port = try LoopbackPort.free()
    } catch {
      throw .failed("\(error.call): \(error.text)")
    }
    let configuration = directory + "/mosquitto.conf"
    let text = """
      listener \(port) 127.0.0.1
      allow_anonymous true
      persistence false
      set_tcp_nodelay true
      log_dest none

      """
    guard DemoDirectory.write(text, to: configuration) else {
      throw .failed("\(configuration): cannot be written")
    }
    let program = "/usr/sbin/mosquitto"
    guard unsafe access(program, X_OK) == 0 else {
      throw .unusable("\(program): not installed; apt-get install mosquitto")
    }
    // setpriv makes the kernel end the broker with us, even if we are killed.
    process = try Self.spawn([
      "/usr/bin/setpriv", "--pdeathsig", "TERM", program, "-c", configuration,
    ])
  }

  deinit { stop() }

  /// Ends it and waits until it has ended.
  func stop() {
    guard process > 0 else { return }
    kill(process, SIGTERM)
    var status: Int32 = 0
    while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
    process = 0
  }

  private static func spawn(_ words: [String]) throws(CommandFailure) -> pid_t {
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe []
    for word in words { unsafe arguments.append(strdup(word)) }
    unsafe arguments.append(nil)
    defer { for index in 0..<words.count { unsafe free(arguments[index]) } }
    var attributes = posix_spawnattr_t()
    _ = unsafe posix_spawnattr_init(&attributes)
    defer { _ = unsafe posix_spawnattr_destroy(&attributes) }
    // The loop takes signals from a descriptor, so they are blocked here; the broker wants them.
    var none = sigset_t()
    _ = unsafe sigemptyset(&none)
    _ = unsafe posix_spawnattr_setsigmask(&attributes, &none)
    _ = unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var child: pid_t = 0
    let result = unsafe posix_spawn(&child, words[0], nil, &attributes, arguments, environ)
    guard result == 0 else { throw .unusable("\(words[0]): cannot be started (error \(result))") }
    return child
  }
}

/// A directory for the demo alone, removed with everything in it at the end.
@safe final class DemoDirectory {
  let path: String

  /// Makes the directory under `TMPDIR` or `/tmp`, mode 0700.
  ///
  /// - Throws: `CommandFailure` (2) if it cannot be made.
  init() throws(CommandFailure) {
    let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    // mkdtemp puts its own letters in place of six X.
    let place = base + "/gateway-demo-" + String(repeating: "X", count: 6)
    var template = Array(place.utf8CString)
    let made: String? = unsafe template.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress, unsafe mkdtemp(start) != nil else { return nil }
      return unsafe String(cString: start)
    }
    guard let made else { throw .unusable("\(base): no directory can be made there") }
    path = made
  }

  deinit { Self.remove(path) }

  /// Writes a small file.
  static func write(_ text: String, to path: String) -> Bool {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    return unsafe bytes.withUnsafeBytes {
      unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) == bytes.count
    }
  }

  private static func remove(_ path: String) {
    if let directory = unsafe opendir(path) {
      while let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
          unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        if name != ".", name != ".." { remove(path + "/" + name) }
      }
      _ = unsafe closedir(directory)
    }
    _ = unsafe Glibc.remove(path)
  }
}
