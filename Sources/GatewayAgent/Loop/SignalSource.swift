import CLinux
import Glibc

/// Signals as readable data.
final class SignalSource {
  /// Readable while a signal is pending.
  let descriptor: FileDescriptor

  /// Blocks the default action of `numbers` in this thread and those it starts later.
  init(_ numbers: [Int32]) throws(SystemError) {
    var set = sigset_t()
    _ = unsafe sigemptyset(&set)
    for number in numbers { _ = unsafe sigaddset(&set, number) }
    _ = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
    let flags = Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK)
    descriptor = try FileDescriptor(unsafe signalfd(-1, &set, flags), from: "signalfd")
  }

  /// The next pending signal, nil if there is none.
  func next() -> Int32? {
    var information = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    guard unsafe read(descriptor.number, &information, size) == size else { return nil }
    return Int32(truncatingIfNeeded: information.ssi_signo)
  }
}
