import CLinux
import Glibc

/// Settings of the process that keep it small and its memory private.
enum ProcessSetup {
  /// To be called first of all: no core dumps, no second malloc arena, no death by SIGPIPE.
  ///
  /// SIGURG gets an empty handler: `HelperThread.interrupt()` uses it to end a blocking call.
  static func prepare() {
    forbidCoreDumps()
    // One arena is enough for one loop and helpers that live for a moment; each costs memory.
    _ = mallopt(M_ARENA_MAX, 1)
    _ = signal(SIGPIPE, SIG_IGN)
    var action = sigaction()
    unsafe action.__sigaction_handler.sa_handler = { _ in }
    // Without SA_RESTART a blocking connect(2) returns EINTR.
    action.sa_flags = 0
    _ = unsafe sigaction(SIGURG, &action, nil)
  }

  /// A dump of memory would hold identifiers (privacy.md C10).
  ///
  /// Calls `setrlimit` and `prctl`.
  static func forbidCoreDumps() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    _ = linux_disable_dumps()
  }

  /// Lets go of the pages that only starting up needed.
  ///
  /// Each read-only or executable segment of each loaded object is dropped from the resident set;
  /// what is still used comes back from the page cache, a minor fault a page. Segments with PF_W
  /// are left alone: they hold relocated and changed data. The stack below its caller goes too.
  /// Calls `madvise` and `malloc_trim`.
  static func releaseStartupPages() {
    let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))
    var context = pageSize
    _ = unsafe linux_each_object(
      { object, _, context in
        guard let object = unsafe object, let context = unsafe context else { return 0 }
        unsafe ProcessSetup.release(object.pointee, pageSize: context.load(as: Int.self))
        return 0
      }, &context)
    _ = malloc_trim(0)
    releaseStack(pageSize: pageSize)
  }

  /// How far below the caller's frame the stack is left alone, bytes.
  private static let stackMargin = 65_536

  /// Lets go of the calling thread's stack below what is in use.
  ///
  /// Making the gate bank passes half a megabyte, the loop a tenth. New pages come when touched.
  @inline(never)
  private static func releaseStack(pageSize: Int) {
    guard let bottom = unsafe linux_stack_bottom() else { return }
    var here = pageSize
    let top = unsafe withUnsafeMutablePointer(to: &here) { Int(bitPattern: $0) }
    let length = (top - stackMargin - Int(bitPattern: bottom)) & ~(pageSize - 1)
    guard length > 0 else { return }
    // Below what the main thread's stack has ever needed nothing is mapped yet: ENOMEM, no harm.
    _ = unsafe madvise(bottom, length, MADV_DONTNEED)
  }

  private static func release(_ object: linux_object, pageSize: Int) {
    guard let headers = unsafe object.headers else { return }
    for index in 0..<Int(unsafe object.header_count) {
      let header = unsafe headers[index]
      guard header.p_type == PT_LOAD, header.p_flags & UInt32(PF_W) == 0 else { continue }
      let start = unsafe UInt(object.address) &+ UInt(header.p_vaddr)
      // Only whole pages of this segment: its neighbour may share the last one.
      let first = start & ~UInt(pageSize - 1)
      let end = (start &+ UInt(header.p_memsz)) & ~UInt(pageSize - 1)
      guard end > first else { continue }
      _ = unsafe madvise(
        UnsafeMutableRawPointer(bitPattern: first), Int(end - first), MADV_DONTNEED)
    }
  }
}
