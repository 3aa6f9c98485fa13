import Glibc

/// Monotonic time in nanoseconds.
func nanoseconds() -> UInt64 {
  var time = timespec()
  _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// The shortest time of some rounds, in nanoseconds: the others were disturbed.
func best(of rounds: Int, _ body: () -> Void) -> UInt64 {
  var shortest = UInt64.max
  for _ in 0..<rounds {
    let start = nanoseconds()
    body()
    shortest = min(shortest, nanoseconds() - start)
  }
  return max(shortest, 1)
}

/// One number as a multiple of another, with one decimal.
func ratio(_ one: UInt64, _ other: UInt64) -> String {
  let tenths = one * 10 / max(other, 1)
  return "\(tenths / 10).\(tenths % 10)"
}
