import ModbusMeters

// Modbus meters: those of one line share a bus, and what it reads goes the way of every frame.

extension Agent {
  /// Makes a bus of all meters that are reached in one place.
  func addBuses() {
    for (place, units) in ModbusPlan.buses(of: configuration.meters) {
      let bus = ModbusBus(place, units, on: loop)
      bus.onCycle = { [unowned self] source, cycle in feeds[Int(source)].take(cycle) }
      bus.onState = { [unowned self] source, state in
        if state == .otherMeter { Log.event(.warning, "OTHER_METER", Int64(source)) }
        feeds[Int(source)].note(state)
      }
      buses.append(bus)
    }
  }

  /// The bus that a meter is on, nil for one that sends unasked.
  func bus(of source: UInt8) -> ModbusBus? {
    buses.first { bus in bus.units.contains { $0.source == source } }
  }
}

/// Which meters share a line.
enum ModbusPlan {
  /// One bus for each place, in the order of the configuration, set as its first meter says.
  ///
  /// The configuration's reader has refused meters that would set one place differently; their
  /// factory settings may still differ in what does not matter there, the usual unit.
  static func buses(
    of meters: [Configuration.Meter]
  ) -> [(place: BusPlace, units: [ModbusBus.Unit])] {
    var buses: [(place: BusPlace, units: [ModbusBus.Unit])] = []
    var inputs: [InputKind] = []
    for (index, meter) in meters.enumerated() {
      guard let modbus = meter.modbus, let place = meter.busPlace else { continue }
      let unit = ModbusBus.Unit(
        source: UInt8(index),
        unit: BusMaster.Unit(
          profile: modbus.profile, address: modbus.unit,
          intervalMilliseconds: modbus.pollSeconds * 1000))
      if let known = inputs.firstIndex(where: { $0.isSamePlace(as: meter.input) }) {
        buses[known].units.append(unit)
      } else {
        buses.append((place, [unit]))
        inputs.append(meter.input)
      }
    }
    return buses
  }
}

extension Configuration.Meter {
  /// Where its bus is, nil for a meter that sends unasked.
  var busPlace: BusPlace? {
    guard let modbus else { return nil }
    switch input {
    case .serial(let path, _):
      return .serial(path: path, modbus.serial, usesRS485: modbus.usesRS485)
    case .tcp(let host, let port): return .tcp(host: host, port: port, modbus.framing)
    case .file, .standardInput: return nil
    }
  }
}
