import CLinux
import Glibc

/// A thread for one call that blocks (name resolution, connecting), handed back through the loop.
///
/// `work` runs on the thread and may touch only what it was given; `completion` runs on the loop
/// when the thread has ended, so whatever `work` wrote may be read there without a lock: the
/// eventfd and `pthread_join` order the two.
final class HelperThread {
  /// Small: no more than name resolution and a TLS handshake need.
  static let stackBytes = 256 << 10

  private final class Job {
    let work: () -> Void
    let done: Int32

    init(work: @escaping () -> Void, done: Int32) {
      self.work = work
      self.done = done
    }
  }

  private let event: FileDescriptor
  private var thread = pthread_t()
  private var isRunning = true

  /// Starts the thread.
  ///
  /// The loop keeps it until `completion` has run.
  ///
  /// - Throws: `SystemError` if there is no thread or descriptor to be had; nothing runs then.
  @discardableResult
  init(on loop: EventLoop, _ work: @escaping () -> Void, completion: @escaping () -> Void)
    throws(SystemError)
  {
    event = try FileDescriptor(eventfd(0, Int32(EFD_CLOEXEC)), from: "eventfd")
    let job = unsafe Unmanaged.passRetained(Job(work: work, done: event.number))
    var watch: EventLoop.Watch?
    watch = try loop.watch(event.number, for: .readable) { [unowned loop] _ in
      if let watch { loop.unwatch(watch) }
      self.finish()
      completion()
    }
    var attributes = pthread_attr_t()
    _ = unsafe pthread_attr_init(&attributes)
    _ = unsafe pthread_attr_setstacksize(&attributes, Self.stackBytes)
    defer { _ = unsafe pthread_attr_destroy(&attributes) }
    let result = unsafe pthread_create(
      &thread, &attributes,
      { raw in
        guard let raw = unsafe raw else { return nil }
        let job = unsafe Unmanaged<Job>.fromOpaque(raw).takeRetainedValue()
        HelperThread.admitInterrupts()
        job.work()
        _ = eventfd_write(job.done, 1)
        return nil
      }, job.toOpaque())
    if result != 0 {
      unsafe job.release()
      if let watch { loop.unwatch(watch) }
      throw SystemError(call: "pthread_create", number: result)
    }
  }

  /// Ends a system call it is blocked in with `EINTR`; needs `ProcessSetup.prepare()`.
  ///
  /// A signal that arrives between two calls is lost: repeat until the completion ran.
  func interrupt() {
    if isRunning { _ = pthread_kill(thread, SIGURG) }
  }

  /// Whoever started us may block all signals.
  private static func admitInterrupts() {
    var set = sigset_t()
    _ = unsafe sigemptyset(&set)
    _ = unsafe sigaddset(&set, SIGURG)
    _ = unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  private func finish() {
    isRunning = false
    _ = pthread_join(thread, nil)
  }
}
