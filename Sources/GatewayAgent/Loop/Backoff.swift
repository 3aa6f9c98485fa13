/// Waiting times between attempts: doubling, with jitter so that many gateways do not knock at once.
struct Backoff: Sendable {
  /// The first waiting time at most, in milliseconds.
  let firstMilliseconds: Int
  private var current: Int

  /// Starts at `firstMilliseconds`, 2 or more.
  init(firstMilliseconds: Int) {
    precondition(firstMilliseconds >= 2, "a wait is a time")
    self.firstMilliseconds = firstMilliseconds
    current = firstMilliseconds
  }

  /// The next waiting time, in milliseconds: half to all of what doubling has come to, which
  /// never exceeds `cap`.
  mutating func next(cap: Int, random: (Range<Int>) -> Int = { Int.random(in: $0) }) -> Int {
    let limit = max(2, min(current, cap))
    current = min(current * 2, max(cap, firstMilliseconds))
    return limit / 2 + random(0..<limit - limit / 2 + 1)
  }

  /// Begins anew: things work again.
  mutating func reset() { current = firstMilliseconds }
}
