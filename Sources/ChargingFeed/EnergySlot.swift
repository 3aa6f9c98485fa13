/// How a slot's energy was found, best first.
public enum EnergyQuality: Int64, Comparable, Sendable, BitwiseCopyable {
  /// Difference of the meter's register.
  case register
  /// The meter's own running mean (1-0:1.4.0).
  case demand
  /// Sum of power over time.
  case integrated
  /// The same, with a gap of at most five minutes filled with the mean of its ends.
  case estimated
  /// Part of it was not seen.
  case partial

  /// The word in documents.
  public var name: StaticString {
    switch self {
    case .register: "register"
    case .demand: "demand"
    case .integrated: "integrated"
    case .estimated: "estimated"
    case .partial: "partial"
    }
  }

  /// Whether `left` is the better one.
  public static func < (left: EnergyQuality, right: EnergyQuality) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// A register's two sides, W·ms; nil where the meter has none.
struct Registers: Equatable, BitwiseCopyable {
  var imported: Int64?
  var exported: Int64?

  var isEmpty: Bool { imported == nil && exported == nil }
}

/// Energy of one slot as it runs, W·ms.
struct EnergySlot: Equatable, BitwiseCopyable {
  /// First instant, milliseconds since 1970 UTC.
  let start: Int64
  let length: Int64
  /// Where the start stands in the calendar.
  let place: LocalPlace
  /// Sum of power over time.
  var imported: Int64 = 0
  var exported: Int64 = 0
  /// What a long gap is taken to have cost: for the budget alone, never published as measured.
  var assumed: Int64 = 0
  var quality = EnergyQuality.integrated
  /// Whether it began before anybody looked: what it had until then is not known.
  var isJoined = false
  /// The registers at the start; a meter that sends them once an hour sends them for the hour's end.
  var opening = Registers()
  /// The import register when last read in this slot, and import since then.
  var lastImported: Int64?
  var importedSince: Int64 = 0
  /// Energy that the meter's own running mean stands for, and import since then.
  var demand: Int64?
  var importedSinceDemand: Int64 = 0

  init(start: Int64, length: Int64, place: LocalPlace) {
    self.start = start
    self.length = length
    self.place = place
  }

  var end: Int64 { start + length }

  mutating func add(imported: Int64, exported: Int64, _ quality: EnergyQuality) {
    self.imported = FixedPoint.add(self.imported, imported)
    self.exported = FixedPoint.add(self.exported, exported)
    importedSince = FixedPoint.add(importedSince, imported)
    importedSinceDemand = FixedPoint.add(importedSinceDemand, imported)
    self.quality = max(self.quality, quality)
  }

  /// A gap in which nothing was seen.
  mutating func addGap(assuming energy: Int64) {
    assumed = FixedPoint.add(assumed, energy)
    importedSince = FixedPoint.add(importedSince, energy)
    importedSinceDemand = FixedPoint.add(importedSinceDemand, energy)
    quality = .partial
  }

  /// Whether `importSoFar` is all of it, or more.
  var isKnown: Bool {
    !isJoined || demand != nil || (opening.imported != nil && lastImported != nil)
  }

  /// Import so far and how it was found: the best source that there is.
  ///
  /// Of a slot that was joined late, without register or running mean, it is only what was seen.
  var importSoFar: (energy: Int64, quality: EnergyQuality) {
    if let opening = opening.imported, let last = lastImported, last >= opening {
      return (FixedPoint.add(last - opening, importedSince), last > opening ? .register : quality)
    }
    if let demand { return (FixedPoint.add(demand, importedSinceDemand), .demand) }
    return (FixedPoint.add(imported, assumed), quality)
  }
}

/// A slot that is over.
public struct ClosedSlot: Equatable, Sendable, BitwiseCopyable {
  /// First instant, milliseconds since 1970 UTC.
  public let start: Int64
  /// Length in milliseconds.
  public let length: Int64
  /// Where its start stands in the calendar.
  public let place: LocalPlace
  /// Import, W·ms; nil if part of the slot was not seen.
  public let imported: Int64?
  /// Export, W·ms; nil if part of the slot was not seen.
  public let exported: Int64?
  /// Registers at its end, W·ms; nil where none came then.
  public let importRegister: Int64?
  /// Likewise of export.
  public let exportRegister: Int64?
  /// What was seen as power over time, W·ms.
  public let integrated: Int64
  /// How the import was found.
  public let quality: EnergyQuality

  init(_ slot: EnergySlot, closing: Registers) {
    start = slot.start
    length = slot.length
    place = slot.place
    integrated = slot.imported
    importRegister = closing.imported
    exportRegister = closing.exported
    let isWhole = slot.quality < .partial
    if let from = slot.opening.exported, let to = closing.exported, to >= from {
      exported = to - from
    } else {
      exported = isWhole ? slot.exported : nil
    }
    if let from = slot.opening.imported, let to = closing.imported, to >= from {
      imported = to - from
      quality = .register
    } else {
      imported = isWhole ? slot.imported : nil
      quality = slot.quality
    }
  }

  /// Mean import, W; nil if part of the slot was not seen.
  public var mean: Int64? { imported.map { FixedPoint.nearest($0, over: length) } }
}
