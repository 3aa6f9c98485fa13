internal import OBISDecoder

/// How one quantity of one gate becomes the number of a window.
enum SlotMode: UInt8 {
  /// Mean of the samples.
  case mean
  /// Last value.
  case last
  /// The register itself, rounded down.
  case register
  /// Growth of the register over the window.
  case interval
  /// Growth of the register since the grant began.
  case sinceStart
  /// Growth over the last full hour.
  case lastHour

  /// The mode that follows from the quantity and the gate's granularity.
  init(_ quantity: Quantity, _ granularity: Granularity) {
    switch quantity.kind {
    case .gauge: self = .mean
    case .state: self = quantity.category == .e5 ? .lastHour : .last
    case .register, .count:
      if quantity.category == .e1 || quantity.category == .e2 {
        self = .register
      } else {
        switch granularity {
        case .g0, .g1, .g2: self = .sinceStart
        case .g3, .g4, .g5, .g6: self = .interval
        }
      }
    }
  }

  /// The key form that says what the number is.
  var keyForm: Quantity.KeyForm {
    switch self {
    case .register: .register
    case .sinceStart: .sinceStart
    case .mean, .last, .interval, .lastHour: .plain
    }
  }

  /// Whether it follows an ever-growing register.
  var isRegister: Bool {
    switch self {
    case .register, .interval, .sinceStart, .lastHour: true
    case .mean, .last: false
    }
  }
}

/// What a frame means to all slots of one gate.
struct SlotSample {
  /// When it came, milliseconds since 1970 UTC.
  var time: Int64
  /// Where a register's growth is counted from if this is its first value.
  var start: Int64
  /// How late a value behind a boundary may be, and still stand for the value at it.
  var tolerance: Int64
  /// The gate's rounding level.
  var quantum: UInt8
}

/// The window that a slot is closed for.
struct SlotWindow {
  /// First instant, milliseconds since 1970 UTC.
  var start: Int64
  /// First instant behind it.
  var end: Int64
  /// Whether half of it or more was observed.
  var isCovered: Bool
  /// How old a value before the end may be to count as the value at the end.
  var toleranceBefore: Int64
  /// How late a value behind the end may be.
  var toleranceAfter: Int64
  /// When the first value behind the end arrived; nil if none did yet.
  var candidateAt: Int64?
}

/// What closing a slot says of the window's quality.
enum SlotVerdict: UInt8 {
  case plain
  /// The difference reaches back over a gap.
  case bridged
  /// The difference begins inside the window.
  case part
}

/// The numbers of a quantity's closed windows, in thousandths of the unit, by the windows' parity.
struct SlotResult: BitwiseCopyable {
  private var values: (Int64, Int64) = (0, 0)
  private var hasValue: (Bool, Bool) = (false, false)

  /// The result of the closed window of a parity.
  func value(_ parity: Int) -> Int64? {
    if parity == 0 { return hasValue.0 ? values.0 : nil }
    return hasValue.1 ? values.1 : nil
  }

  /// Sets the result of the closed window of a parity.
  mutating func set(_ value: Int64?, _ parity: Int) {
    if parity == 0 {
      values.0 = value ?? 0
      hasValue.0 = value != nil
    } else {
      values.1 = value ?? 0
      hasValue.1 = value != nil
    }
  }
}

/// What one gate keeps of one quantity: sums and registers in thousandths of the unit.
///
/// One cache line: a frame touches the slots of all gates.
struct GateSlot: BitwiseCopyable {
  /// How it becomes the number of a window.
  var mode = SlotMode.last
  /// Samples of a gauge in the open window, added up.
  var sum: Int64 = 0
  /// Register value from which the grant counts.
  var base: Int64 = 0
  /// Register value at the end of the last window whose end is known.
  var anchor: Int64 = 0
  /// When that was.
  var anchorAt: Int64 = 0
  /// Last value.
  var last: Int64 = 0
  /// When it arrived.
  var lastAt: Int64 = 0
  /// Samples in the open window.
  var count: Int32 = 0
  /// One more than the parity of a closed window whose end value has yet to come; 0 for none.
  var waiting: UInt8 = 0
  var hasBase = false
  var hasAnchor = false
  var hasLast = false
  /// Whether the register went back or a sum overflowed: the window has no result.
  var isBroken = false

  /// Forgets all but the base: what happened meanwhile is never told.
  mutating func restart() {
    let base = self.base
    let hasBase = self.hasBase
    let mode = self.mode
    self = GateSlot()
    self.mode = mode
    self.base = base
    self.hasBase = hasBase
  }

  // MARK: - Taking samples

  /// Takes the value of a frame, unless it is one to be averaged.
  @inline(__always)
  mutating func take(_ value: Int64, _ sample: SlotSample) {
    switch mode {
    case .mean: break
    case .last: take(value, at: sample.time, isRegister: false, start: sample.start)
    case .register, .interval, .sinceStart:
      take(value, at: sample.time, isRegister: true, start: sample.start)
    case .lastHour: takeHour(value, sample)
    }
  }

  /// Takes a sample of a gauge.
  @inline(__always)
  mutating func add(_ value: Int64) {
    let (next, overflow) = sum.addingReportingOverflow(value)
    if overflow { isBroken = true } else { sum = next }
    count &+= 1
  }

  /// Takes a register's or a state's value at `time`; `start` is where the window begins.
  mutating func take(_ value: Int64, at time: Int64, isRegister: Bool, start: Int64) {
    if isRegister {
      if hasLast, value < last { isBroken = true }
      if !hasBase {
        base = value
        hasBase = true
      }
      if !hasAnchor {
        anchor = value
        anchorAt = start
        hasAnchor = true
      }
    }
    last = value
    lastAt = time
    hasLast = true
    count &+= 1
  }

  // MARK: - Closing

  /// Ends the window: leaves its result under `parity`, nil where it is not known.
  mutating func close(
    _ window: SlotWindow, candidate: Int64?, step: Int64, parity: Int,
    into results: inout SlotResult
  ) -> SlotVerdict {
    var result: Int64?
    var verdict = SlotVerdict.plain
    switch mode {
    case .mean:
      if window.isCovered, !isBroken {
        result = Quantum.mean(sum: sum, count: Int64(count), step: step)
      }
      sum = 0
      isBroken = false
    case .last:
      if window.isCovered, count > 0 { result = last }
    case .register:
      let end = boundary(window, candidate)
      if window.isCovered, let value = end ?? (count > 0 ? last : nil) {
        result = Quantum.floor(value, step: step)
      }
      waiting = window.isCovered && end == nil ? UInt8(parity + 1) : 0
      isBroken = false
    case .sinceStart:
      result = closeSinceStart(window, step: step)
    case .interval:
      let end = boundary(window, candidate)
      if window.isCovered, let end {
        (result, verdict) = closeInterval(window, end: end, step: step)
      }
      waiting = window.isCovered && end == nil ? UInt8(parity + 1) : 0
    case .lastHour:
      if window.isCovered { result = hourResult }
    }
    count = 0
    results.set(result, parity)
    return verdict
  }

  /// Completes a closed window by the first value that came behind its end.
  ///
  /// Meters that send their registers once an hour send them some seconds after it.
  mutating func complete(
    _ window: SlotWindow, value: Int64, step: Int64, into results: inout SlotResult
  ) -> SlotVerdict {
    let parity = Int(waiting) - 1
    waiting = 0
    guard let end = boundary(window, value) else { return .plain }
    if mode == .register {
      results.set(Quantum.floor(end, step: step), parity)
      return .plain
    }
    let (result, verdict) = closeInterval(window, end: end, step: step)
    results.set(result, parity)
    return verdict
  }

  private mutating func closeSinceStart(_ window: SlotWindow, step: Int64) -> Int64? {
    guard count > 0 else { return nil }
    defer {
      anchor = last
      anchorAt = window.end
      isBroken = false
    }
    if isBroken {
      moveBase(to: last)
      return nil
    }
    return window.isCovered ? Quantum.since(base, last, step: step) : nil
  }

  private mutating func closeInterval(
    _ window: SlotWindow, end: Int64, step: Int64
  ) -> (Int64?, SlotVerdict) {
    guard hasAnchor, hasBase else {
      base = hasBase ? base : end
      hasBase = true
      anchor = end
      anchorAt = window.end
      hasAnchor = true
      return (nil, .plain)
    }
    defer {
      anchor = end
      anchorAt = window.end
      isBroken = false
    }
    if isBroken || end < anchor {
      moveBase(to: end)
      return (nil, .plain)
    }
    let result = Quantum.interval(start: anchor, end: end, base: base, step: step)
    if anchorAt < window.start { return (result, .bridged) }
    return (result, anchorAt > window.start ? .part : .plain)
  }

  /// Shifts the base so that what was counted up to the anchor stays counted, and no more.
  private mutating func moveBase(to value: Int64) {
    let (counted, overflow) = anchor.subtractingReportingOverflow(base)
    let (moved, overflow2) = value.subtractingReportingOverflow(counted)
    base = overflow || overflow2 ? value : moved
  }

  /// The register at the window's end: of the last value before and the first behind the nearer.
  private func boundary(_ window: SlotWindow, _ candidate: Int64?) -> Int64? {
    let age = window.end - lastAt
    let isBeforeKnown = hasLast && age <= window.toleranceBefore
    guard let candidate, let candidateAt = window.candidateAt,
      candidateAt - window.end <= window.toleranceAfter, !hasLast || candidate >= last
    else { return isBeforeKnown ? last : nil }
    return isBeforeKnown && age < candidateAt - window.end ? last : candidate
  }
}

// MARK: - The last full hour

extension GateSlot {
  private static let hour: Int64 = 3_600_000

  /// The last full hour's growth: `sum` holds it, `isBroken` that it is not known.
  private var hourResult: Int64? { hasAnchor && !isBroken && sum >= 0 ? sum : nil }

  /// Takes a register's value at `time` and notes the hour that it ends, if it ends one.
  ///
  /// `anchor` is the register at the start of the hour, `anchorAt` that start; `sum` is −1 until an
  /// hour is complete.
  private mutating func takeHour(_ value: Int64, _ sample: SlotSample) {
    let time = sample.time
    let tolerance = sample.tolerance
    defer {
      last = value
      lastAt = time
      hasLast = true
      count &+= 1
    }
    let start = UTCTime.floorDivide(time, GateSlot.hour) * GateSlot.hour
    if !hasBase {
      base = value
      hasBase = true
    }
    guard hasAnchor else {
      anchorAt = start
      anchor = value
      hasAnchor = true
      // The first hour was not seen from its start.
      isBroken = true
      sum = time - start <= tolerance ? -2 : -1
      return
    }
    guard start > anchorAt else { return }
    let isNext = start == anchorAt + GateSlot.hour
    let isKnown = time - start <= tolerance || start - lastAt <= tolerance
    let end = start - lastAt < time - start ? last : value
    let wasSeen = !isBroken || sum == -2
    let step = Quantum.step(sample.quantum, .wattHour)
    if isNext, isKnown, wasSeen, end >= anchor,
      let growth = Quantum.interval(start: anchor, end: end, base: base, step: step)
    {
      sum = growth
      isBroken = false
    } else {
      sum = isKnown ? -2 : -1
      isBroken = true
    }
    anchor = end
    anchorAt = start
  }
}
