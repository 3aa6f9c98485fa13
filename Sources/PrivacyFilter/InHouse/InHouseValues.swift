internal import OBISDecoder

// Topics with one plain number each, `place/value/{quantity}`: a value goes out when it differs from
// the one before, and all of them go out with the first frame of each minute, so that who comes late
// or lost a message waits a minute at most. A meter repeats most of its numbers every second.

extension GateBank {
  /// Gates whose last values are remembered; further ones publish every value of every frame.
  static let valueRows = 8

  /// Publishes the values of a frame that are new, each on its own topic.
  mutating func emitValues(
    _ index: Int, _ snapshot: borrowing Snapshot, at time: Int64,
    _ emit: (consuming Release) -> Void
  ) {
    let gate = rows[index].gate
    let row = Int(rows[index].state.valueRow)
    let minute = UTCTime.floorDivide(time, 60_000)
    let isRefresh = row >= GateBank.valueRows || minute != rows[index].state.valueMinute
    rows[index].state.valueMinute = minute
    var id = 0
    while let quantity = gate.allowed.next(from: id) {
      id = Int(quantity.rawValue) + 1
      guard let value = snapshot.value(of: quantity),
        snapshot.standing(for: quantity) == quantity
      else { continue }
      if row < GateBank.valueRows {
        let place = row * Quantity.idBound + Int(quantity.rawValue)
        if !isRefresh, shownValues[place] == value { continue }
        shownValues[place] = value
      }
      begin(index)
      topic.append("/value/")
      topic.append(quantity.name)
      Self.write(value, of: quantity, .init(quantity, .g0), gate, to: &payload)
      send(index, at: time, emit)
    }
  }

  /// Has the next frame publish every value: whoever listens may have missed the last ones.
  public mutating func refreshValues(ofConnection connection: UInt8) {
    for index in 0..<GateBank.capacity where rows[index].gate.connection == connection {
      rows[index].state.valueMinute = .min
    }
  }

  /// A row for the last values of a gate that is being installed; `valueRows` if none is free.
  mutating func freeValueRow() -> UInt8 {
    var row: UInt8 = 0
    while row < UInt8(GateBank.valueRows) {
      var isTaken = false
      for index in 0..<GateBank.capacity where isInstalled(index) {
        if rows[index].gate.publishesValues,
          rows[index].state.valueRow == row
        {
          isTaken = true
        }
      }
      if !isTaken { return row }
      row += 1
    }
    return row
  }
}
