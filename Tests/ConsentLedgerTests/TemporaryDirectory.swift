import Glibc

@testable import ConsentLedger

/// A directory of its own for one test, removed with everything in it when the test lets it go.
final class TemporaryDirectory {
  let path: String

  init() {
    var template = Array("/tmp/consent-ledger-XXXXXX".utf8CString)
    let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) } != nil
    }
    precondition(made, "no temporary directory")
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.remove(path) }

  /// The names in the directory, sorted.
  var names: [String] { Self.names(in: path) }

  /// A copy of everything as it lies on the disk now: what a power cut would leave.
  func copy() -> TemporaryDirectory {
    let other = TemporaryDirectory()
    for name in names { other.write(bytes(of: name), to: name) }
    chmodDirectory(other.path)
    return other
  }

  func bytes(of name: String) -> [UInt8] {
    guard let file = unsafe fopen(path + "/" + name, "rb") else { return [] }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let got = unsafe fread(&chunk, 1, chunk.count, file)
      if got == 0 { return bytes }
      bytes += chunk[..<got]
    }
  }

  func write(_ bytes: [UInt8], to name: String) {
    let target = path + "/" + name
    let file = unsafe open(target, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    precondition(file >= 0, "cannot write \(target)")
    let written = unsafe bytes.withUnsafeBytes {
      unsafe Glibc.write(file, $0.baseAddress, $0.count)
    }
    precondition(written == bytes.count, "short write to \(target)")
    close(file)
  }

  func mode(of name: String) -> UInt32 {
    var status = stat()
    return unsafe stat(path + "/" + name, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  private func chmodDirectory(_ path: String) { unsafe chmod(path, 0o700) }

  private static func names(in path: String) -> [String] {
    guard let directory = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private static func remove(_ path: String) {
    for name in names(in: path) {
      let child = path + "/" + name
      if unsafe unlink(child) != 0 { remove(child) }
    }
    unsafe rmdir(path)
  }
}
