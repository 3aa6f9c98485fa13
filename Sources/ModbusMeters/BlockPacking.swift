/// Joins registers to requests: as few as span, gap and barriers of a meter allow.
///
/// A request costs about 13 characters, two silences and the meter's turnaround; a register that is
/// read and ignored costs two characters (modbus.md §6.3). So a gap of up to `maxGap` is read through.
struct BlockPacking {
  let maxRegisters: Int
  let maxGap: Int
  /// Addresses that no request may cross.
  var barriers: Set<Int>
  /// Stretches that no request may touch.
  var holes: [Range<Int>]
  /// Every stretch of the table that means something, in order: a request may not end inside one.
  let listed: [Range<Int>]

  /// Packs stretches that lie in order; one that is longer than a request may be is taken alone.
  func blocks(_ stretches: [Range<Int>]) -> [Range<Int>] {
    var blocks: [Range<Int>] = []
    for stretch in stretches {
      guard let last = blocks.last else {
        blocks.append(stretch)
        continue
      }
      let joined = last.lowerBound..<max(last.upperBound, stretch.upperBound)
      let gap = stretch.lowerBound - last.upperBound
      if joined.count <= maxRegisters, gap <= maxGap, isAllowed(joined) {
        blocks[blocks.count - 1] = joined
      } else {
        blocks.append(stretch)
      }
    }
    return blocks
  }

  /// Makes the lengths of `blocks` differ from each other and from `used`, where the meter allows it.
  ///
  /// A block grows at its end or its start, over as few registers as possible: by pairs before single
  /// ones, lest a request end inside a number that the profile does not list, and between listed
  /// registers before beyond all.
  func lengthened(_ blocks: [Range<Int>], used: inout Set<Int>) -> [Range<Int>] {
    var result = blocks
    // The longest have the least room to grow, so they keep their length.
    let order = blocks.indices.sorted { (blocks[$0].count, $1) > (blocks[$1].count, $0) }
    for index in order {
      if used.contains(blocks[index].count), let longer = grown(blocks[index], avoiding: used) {
        result[index] = longer
      }
      used.insert(result[index].count)
    }
    return result
  }

  private func grown(_ block: Range<Int>, avoiding used: Set<Int>) -> Range<Int>? {
    let known = (listed.first?.lowerBound ?? 0)..<(listed.last?.upperBound ?? 0)
    let room = max(maxRegisters - block.count, 0)
    let isPaired = listed.allSatisfy { $0.count % 2 == 0 }
    let pairs = Array(stride(from: 2, through: room, by: 2))
    let singles = isPaired ? [] : Array(stride(from: 1, through: room, by: 2))
    for extras in [pairs, singles] {
      let candidates = extras.filter { !used.contains(block.count + $0) }.flatMap { extra in
        [block.lowerBound..<block.upperBound + extra, block.lowerBound - extra..<block.upperBound]
      }.filter(mayRead)
      let inside = candidates.first {
        known.lowerBound <= $0.lowerBound && $0.upperBound <= known.upperBound
      }
      if let grown = inside ?? candidates.first { return grown }
    }
    return nil
  }

  /// Whether a request may read this: no hole, no barrier, no number cut, no gap that is too long.
  private func mayRead(_ range: Range<Int>) -> Bool {
    guard range.lowerBound >= 0, range.upperBound <= 65536, isAllowed(range) else { return false }
    var end = range.lowerBound
    for stretch in listed where stretch.overlaps(range) {
      guard stretch.lowerBound >= range.lowerBound, stretch.upperBound <= range.upperBound,
        stretch.lowerBound - end <= maxGap
      else { return false }
      end = max(end, stretch.upperBound)
    }
    return range.upperBound - end <= maxGap
  }

  private func isAllowed(_ range: Range<Int>) -> Bool {
    !holes.contains { $0.overlaps(range) }
      && !barriers.contains { range.lowerBound < $0 && $0 < range.upperBound }
  }
}
