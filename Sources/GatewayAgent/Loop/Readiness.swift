import CLinux

/// What a descriptor is ready for.
struct Readiness: OptionSet, Sendable {
  let rawValue: UInt32

  init(rawValue: UInt32) { self.rawValue = rawValue }
  private init(_ event: EPOLL_EVENTS) { rawValue = event.rawValue }

  /// Bytes, a connection or the end of input can be read.
  ///
  /// The corresponding C constant is `EPOLLIN`.
  static let readable = Readiness(EPOLLIN)
  /// Something can be written.
  ///
  /// The corresponding C constant is `EPOLLOUT`.
  static let writable = Readiness(EPOLLOUT)
  /// The other side is gone; always reported.
  ///
  /// The corresponding C constant is `EPOLLHUP`.
  static let hangUp = Readiness(EPOLLHUP)
  /// The descriptor is broken; always reported.
  ///
  /// The corresponding C constant is `EPOLLERR`.
  static let failed = Readiness(EPOLLERR)
}
