import Glibc

/// Sends timed pieces to a target: waits for a receiver, keeps the pace, ends when all is read.
///
/// A class: the loop's callbacks share it.
final class Player {
  /// The next piece to send.
  struct Piece {
    /// Milliseconds since playing began, at the speed of the player.
    var milliseconds: Int64
    var bytes: [UInt8]
  }

  /// How often a receiver is looked for.
  private static let lookMilliseconds = 20
  /// How long a receiver may take to read the rest.
  private static let drainMilliseconds: Int64 = 5000
  /// How long it gets at least: a device that its reader holds exclusively cannot be asked.
  private static let lingerMilliseconds: Int64 = 250

  private let loop: EventLoop
  private let target: any PlaybackTarget
  private let next: () -> Piece?
  private var piece: Piece?
  private var began: Int64 = 0
  private var end: Int64 = 0
  private var timer: Timer?
  private var sentCount = 0
  /// Whether a terminal is told how far it is.
  var showsProgress = true
  /// Why it ended early.
  private(set) var failure: CommandFailure?

  /// Plays what `next` gives, in its order, until it gives nil.
  init(to target: any PlaybackTarget, on loop: EventLoop, next: @escaping () -> Piece?) {
    self.target = target
    self.loop = loop
    self.next = next
  }

  /// Plays to the end, or until SIGINT or SIGTERM.
  func run() throws(CommandFailure) {
    do throws(SystemError) {
      try loop.handleSignals([SIGINT, SIGTERM]) { [loop] _ in loop.stop() }
    } catch {
      throw .failed("\(error.call): \(error.lowercaseText)")
    }
    start()
    loop.run()
    timer = nil
    Terminal.endProgress()
    if let failure { throw failure }
    if target.lostByteCount > 0 {
      throw .failed("\(target.lostByteCount) bytes lost: the receiver did not keep up")
    }
  }

  /// Begins to look for a receiver; the loop is stopped when all is sent and read.
  func start() {
    timer = loop.timer { [self] in look() }
    timer?.arm(afterMilliseconds: 0)
  }

  /// Stops playing where it is; the loop goes on.
  func cancel() {
    timer?.cancel()
    timer = nil
  }

  private func look() {
    guard target.hasReceiver else {
      if showsProgress { Terminal.progress("waiting for somebody to read \(target.place)") }
      timer?.arm(afterMilliseconds: Player.lookMilliseconds)
      return
    }
    began = GatewayClock.monotonicMilliseconds()
    timer = loop.timer { [self] in step() }
    step()
  }

  private func step() {
    let elapsed = GatewayClock.monotonicMilliseconds() - began
    while true {
      if piece == nil { piece = next() }
      guard let due = piece else { return finish() }
      guard due.milliseconds <= elapsed else {
        timer?.arm(afterMilliseconds: Int(due.milliseconds - elapsed))
        return
      }
      piece = nil
      guard !due.bytes.isEmpty else { continue }
      do throws(CommandFailure) {
        try target.send(due.bytes)
      } catch {
        failure = error
        return stop()
      }
      sentCount += due.bytes.count
      if showsProgress, Terminal.isError {
        Terminal.progress("\(elapsed / 1000) s, \(sentCount) bytes sent")
      }
    }
  }

  /// Closing a line takes away what was not read from it, so the reader is waited for.
  private func finish() {
    let now = GatewayClock.monotonicMilliseconds()
    if end == 0 { end = now + Player.drainMilliseconds }
    let isLingering =
      !target.place.isEmpty && now < end - Player.drainMilliseconds + Player.lingerMilliseconds
    guard now < end, isLingering || !target.isDrained else { return stop() }
    timer = loop.timer { [self] in finish() }
    timer?.arm(afterMilliseconds: Player.lookMilliseconds)
  }

  /// Ends the loop, and lets go of the timer, which holds the player while it plays.
  private func stop() {
    timer = nil
    loop.stop()
  }
}
