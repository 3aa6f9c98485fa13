/// The least headroom of the last seconds: what a charger may be raised by without regret.
struct RaiseWindow: Equatable {
  private struct Entry: Equatable {
    var time: Int64
    var value: Int64
  }

  /// How long it is, in milliseconds.
  let length: Int64
  /// When the unbroken run of samples began; nil while broken.
  private var since: Int64?
  /// Ascending in time and in value: what a later, smaller value has beaten is gone.
  private var entries: [Entry] = []

  init(seconds: Int64) { length = seconds * 1000 }

  /// Takes the headroom of a sample at a monotonic time in ms; nil breaks the window.
  mutating func take(_ value: Int64?, at time: Int64) {
    guard let value else { return breakOff() }
    if since == nil { since = time }
    while let last = entries.last, last.value >= value { entries.removeLast() }
    entries.append(Entry(time: time, value: value))
    while let first = entries.first, first.time < time - length { entries.removeFirst() }
  }

  /// Forgets everything: the next window begins with the next sample.
  mutating func breakOff() {
    since = nil
    entries.removeAll(keepingCapacity: true)
  }

  /// The least value of the window, not below 0; nil until it is full.
  func least(at time: Int64) -> Int64? {
    guard let since, time - since >= length, let first = entries.first else { return nil }
    return max(0, first.value)
  }
}
