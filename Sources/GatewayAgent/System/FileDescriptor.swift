import Glibc

/// A call of the operating system that failed: its name and the `errno` it left.
struct SystemError: Error {
  /// The C function's name.
  var call: StaticString
  /// The value of `errno`; negative values are `EAI_…` codes of name resolution.
  var number: Int32

  /// What the system says about the number, for a terminal.
  var text: String {
    let pointer = unsafe number < 0 ? gai_strerror(number) : UnsafePointer(strerror(number))
    guard let pointer = unsafe pointer else { return "error \(number)" }
    return unsafe String(cString: pointer)
  }
}

/// The one owner of an open file descriptor; it is closed when its owner lets go of it.
struct FileDescriptor: ~Copyable {
  /// The number the kernel knows it by, 0 or more.
  let number: Int32

  /// Takes over an open descriptor.
  init(owning number: Int32) {
    precondition(number >= 0, "a descriptor is never negative")
    self.number = number
  }

  /// Takes over what `call` returned.
  ///
  /// - Throws: `SystemError` with `errno` if `result` is negative.
  init(_ result: Int32, from call: StaticString) throws(SystemError) {
    guard result >= 0 else { throw SystemError(call: call, number: errno) }
    number = result
  }

  deinit { close(number) }

  /// Hands the descriptor to somebody else, who closes it.
  consuming func release() -> Int32 {
    let number = number
    discard self
    return number
  }
}
