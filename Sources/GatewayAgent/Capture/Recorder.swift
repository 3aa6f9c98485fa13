import Glibc
import OBISDecoder

/// Writes what an input delivers into a capture, and counts the frames in it for the onlooker.
final class Recorder {
  private let loop: EventLoop
  private let file: any CaptureSink
  private let input: Input
  private var decoder = DecodeRun(dialect: nil, framesBefore: 0)
  private var totals = DecodeTotals()
  private var start: Int64 = 0
  private var last: Int64 = 0
  private var byteCount = 0
  private var hasOpened = false
  private var failure: CommandFailure?

  init(_ kind: InputKind, to file: any CaptureSink, on loop: EventLoop) {
    self.file = file
    self.loop = loop
    input = Input(kind, on: loop)
  }

  /// Records for `seconds`, or to the end of the input, or until SIGINT or SIGTERM.
  ///
  /// - Throws: 2 where the port cannot be opened at all, 1 where nothing came or writing failed.
  func run(seconds: Int, name: String) throws(CommandFailure) {
    do throws(SystemError) {
      try loop.handleSignals([SIGINT, SIGTERM]) { [loop] _ in loop.stop() }
    } catch {
      throw .failed("\(error.call): \(error.lowercaseText)")
    }
    // The callbacks hold the recorder until the end of this function takes them away.
    input.onState = { [self] state in note(state, name) }
    input.onBytes = { [self] bytes, time in record(bytes, time) }
    start = GatewayClock.monotonicNanoseconds()
    let deadline = loop.schedule(afterMilliseconds: seconds * 1000) { [loop] in loop.stop() }
    input.start()
    if failure == nil { loop.run() }
    deadline.cancel()
    input.stop()
    input.onState = { _ in }
    input.onBytes = { _, _ in }
    Terminal.endProgress()
    if let failure {
      if byteCount == 0 { file.remove() }
      throw failure
    }
    try write(CaptureWriter.end(at: milliseconds(GatewayClock.monotonicNanoseconds())))
    guard byteCount > 0 else { throw .failed("\(name): not one byte came") }
    Terminal.note("gateway-agent: \(summary)")
  }

  private var summary: String {
    "\(byteCount) bytes, \(totals.frameCount) frames, \(totals.badCount) of them bad"
  }

  private func note(_ state: InputState, _ name: String) {
    switch state {
    case .opening: break
    case .open: hasOpened = true
    case .absent(let reason):
      // At first a wrong name is likelier than a meter that comes later.
      guard !hasOpened else { return }
      let text = SystemError(call: "open", number: reason).lowercaseText
      failure = .unusable("\(name): \(text)")
      loop.stop()
    case .lost:
      Terminal.endProgress()
      Terminal.note("gateway-agent: \(name) is gone; recording goes on when it is back")
    case .ended: loop.stop()
    // Nobody records a meter that is asked.
    case .otherMeter: break
    }
  }

  private func record(_ bytes: Span<UInt8>, _ time: Int64) {
    var chunk: [UInt8] = []
    chunk.reserveCapacity(bytes.count)
    for index in bytes.indices { chunk.append(bytes[index]) }
    byteCount += chunk.count
    do throws(CommandFailure) {
      try write(CaptureWriter.lines(chunk, at: milliseconds(time)))
    } catch {
      failure = error
      return loop.stop()
    }
    // A capture recorded from a pipe is not decoded again: raw bytes never begin like one.
    for event in (try? decoder.push(chunk)) ?? [] { totals.count(event) }
    Terminal.progress("\(last / 1000) s, \(summary)")
  }

  private func milliseconds(_ time: Int64) -> Int64 {
    last = max(last, (time - start) / 1_000_000)
    return last
  }

  private func write(_ bytes: [UInt8]) throws(CommandFailure) {
    do throws(SystemError) {
      try file.write(bytes)
    } catch {
      throw .failed("writing the capture: \(error.lowercaseText)")
    }
  }
}
