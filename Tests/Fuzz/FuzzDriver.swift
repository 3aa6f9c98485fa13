import Glibc
import Native

/// The fuzz driver: libFuzzer calls the functions below; `scripts/fuzz.sh` builds and runs it.
///
/// `FUZZ_TARGET` names the target. For each input the decoder must not crash, must say the same
/// however the bytes are cut into pieces, must account for each byte once, must keep every place
/// within its bytes, and must not touch the heap.
private let target: FuzzTarget = {
  let name = unsafe getenv("FUZZ_TARGET").map { unsafe String(cString: $0) }
  guard let name, let target = FuzzTarget(name: name) else {
    fail("FUZZ_TARGET: p1, hdlc, dlms, mbus, apdu, sml, d0, ciphered or whole")
  }
  return target
}()

/// How a stream is cut into pieces.
private enum Cuts {
  case none
  case each
  /// Pieces of 1 to 97 bytes, from a number that depends on the bytes.
  case random(UInt64)
}

/// Checks one input; a broken promise ends the process.
@c(LLVMFuzzerTestOneInput)
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = unsafe UnsafeBufferPointer(start: start, count: count)
  if target == .dlms {
    let frame = unsafe Repair.hdlcFrame(around: Array(input))
    check(frame.span)
  } else {
    unsafe check(input.span)
  }
  return 0
}

/// Mutates an input in place, as libFuzzer does, and repairs every other one; returns its new size.
@c(LLVMFuzzerCustomMutator)
public func mutate(
  _ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ capacity: Int, _ seed: UInt32
) -> Int {
  let mutated = unsafe Int(native_mutate(start, UInt(count), UInt(capacity)))
  // Half of the inputs get past the checksums; the framers must stand the others.
  guard seed & 1 == 0 else { return mutated }
  var bytes = unsafe Array(UnsafeBufferPointer(start: start, count: mutated))
  Repair.checksums(&bytes, of: target, variant: seed >> 1)
  let kept = min(bytes.count, capacity)
  for index in 0..<kept { unsafe start[index] = bytes[index] }
  return kept
}

/// Runs all checks over one stream.
private func check(_ bytes: Span<UInt8>) {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for index in bytes.indices { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
  let whole = decode(bytes, .none)
  expectSame(whole, decode(bytes, .random(hash)), bytes, .random(hash))
  // Byte by byte costs most: one input of eight.
  if hash >> 40 & 7 == 0 { expectSame(whole, decode(bytes, .each), bytes, .each) }
}

/// Decodes in pieces and checks what the sink and the allocator have to say.
private func decode(_ bytes: Span<UInt8>, _ cuts: Cuts) -> CheckedSink {
  var sink = CheckedSink(mayBeInParts: target.mayBeInParts)
  var flags = 0
  for index in bytes.indices where bytes[index] == 0x7E { flags += 1 }
  let before = native_allocations()
  feed(bytes, cuts, to: &sink)
  let allocations = native_allocations() - before
  sink.end(of: bytes.count, flags: flags)
  if let fault = sink.fault {
    show(bytes, cuts)
    fail("\(fault)")
  }
  if allocations > 0 { fail("\(allocations) heap allocations") }
  return sink
}

private func feed<Sink: FrameSink>(_ bytes: Span<UInt8>, _ cuts: Cuts, to sink: inout Sink) {
  var options = DecoderOptions()
  options.dialect = target.dialect
  var decoder = MeterDecoder(options)
  var cipher = ToyCipher()
  var start = 0
  var state: UInt64 = if case .random(let hash) = cuts { hash } else { 0 }
  while start < bytes.count {
    var end = bytes.count
    switch cuts {
    case .none: break
    case .each: end = start + 1
    case .random:
      state = state &* 0x5851_F42D_4C95_7F2D &+ 0x1405_7B7E_F767_814F
      end = min(end, start + 1 + Int(state >> 33 % 97))
    }
    let piece = bytes.extracting(start..<end)
    if target == .ciphered || target == .whole {
      decoder.push(piece, with: &cipher, to: &sink)
    } else {
      decoder.push(piece, to: &sink)
    }
    start = end
  }
  if target == .ciphered || target == .whole {
    decoder.finish(with: &cipher, to: &sink)
  } else {
    decoder.finish(to: &sink)
  }
  if decoder.isMidFrame { fail("bytes are held after the end") }
}

private func expectSame(
  _ one: CheckedSink, _ other: CheckedSink, _ bytes: Span<UInt8>, _ cuts: Cuts
) {
  guard one.fold != other.fold else { return }
  show(bytes, .none)
  show(bytes, cuts)
  fail("other events for other pieces")
}

/// Prints the events of a run that broke a promise.
private func show(_ bytes: Span<UInt8>, _ cuts: Cuts) {
  print("-- \(bytes.count) bytes, cuts: \(cuts)")
  fflush(nil)
  var writer = EventWriter()
  feed(bytes, cuts, to: &writer)
}

private func fail(_ text: String) -> Never {
  let characters = text.utf8CString
  unsafe characters.withUnsafeBufferPointer { unsafe native_report($0.baseAddress) }
  abort()
}
