import OBISDecoder
import Testing

@testable import PrivacyFilter

struct QuantityTests {
  @Test func everyLineOfTheRegistryStandsAtItsID() {
    for id in 0..<Quantity.idBound {
      #expect(Int(QuantityTable.entries[id].id) == id)
    }
  }

  @Test(arguments: [
    (0, "energy_import_wh"), (4, "energy_import_tariff4_wh"), (5, "energy_export_wh"),
    (10, "energy_import_wh"), (15, "energy_export_wh"), (20, "energy_import_last_hour_wh"),
    (22, "active_power_import_w"), (23, "active_power_net_w"), (24, "active_power_export_w"),
    (25, "active_power_import_l1_w"), (30, "active_power_export_l3_w"), (31, "voltage_l1_v"),
    (35, "current_l1_a"), (38, "current_n_a"), (40, "reactive_power_import_var"),
    (46, "reactive_energy_import_varh"), (52, "frequency_hz"), (53, "power_factor"),
    (57, "demand_import_w"), (61, "long_power_failures"), (69, "voltage_swells_l3"),
    (70, "tariff"), (71, "power_limit_w"), (72, "current_limit_l1_a"), (73, "breaker_state"),
    (80, "gas_volume_m3"), (84, "water_volume_m3"), (91, "heat_energy_j"),
    (101, "apparent_power_import_va"), (103, "reactive_power_import_l1_var"),
  ])
  func keysAreFrozen(id: Int, key: String) {
    #expect(Quantity(id).key == key)
  }

  @Test func quantitiesLieInTheRangesOfTheirCategories() {
    let ranges: [(CategorySet, ClosedRange<Int>)] = [
      (.e1, 0...4), (.e2, 5...9), (.e3, 10...14), (.e4, 15...19), (.e5, 20...21), (.p1, 22...23),
      (.p3, 24...24), (.p2, 25...30), (.v1, 31...34), (.a1, 35...39), (.q1, 40...51),
      (.f1, 52...56), (.d1, 57...60), (.o1, 61...69), (.t1, 70...70), (.l1, 71...73),
      (.c1, 74...74), (.u1, 75...77),
    ]
    for quantity in Quantity.all where quantity.rawValue <= 77 {
      let range = ranges.first { $0.0 == quantity.category }?.1
      #expect(range?.contains(Int(quantity.rawValue)) == true)
    }
  }

  @Test func noTwoQuantitiesShareCodeAndUnit() {
    var seen: Set<String> = []
    for quantity in Quantity.all {
      let entry = QuantityTable.entries[Int(quantity.rawValue)]
      guard entry.cde != 0 else { continue }
      #expect(seen.insert("\(entry.cde) \(entry.unit.rawValue)").inserted)
      #expect(Quantity.of(reading(code(entry.cde), 1, entry.unit)) == quantity)
    }
    #expect(seen.count > 80)
  }

  private func code(_ cde: UInt32) -> OBISCode {
    OBISCode(
      1, 0, UInt8(cde >> 16), UInt8(truncatingIfNeeded: cde >> 8), UInt8(truncatingIfNeeded: cde))
  }

  @Test func electricityCountsOnAnyChannelOfMediumOne() {
    #expect(Quantity.of(reading(OBISCode(1, 1, 1, 7, 0), 1, .watt))?.key == "active_power_import_w")
    #expect(Quantity.of(reading(OBISCode(0, 0, 1, 8, 0), 1, .wattHour))?.key == "energy_import_wh")
  }

  @Test func whatTheRegistryDoesNotNameIsNoQuantity() {
    #expect(Quantity.of(reading(OBISCode(0, 0, 99, 9, 9), 1, .one)) == nil)
    #expect(Quantity.of(reading(OBISCode(1, 0, 1, 7, 0), 1, .volt)) == nil)
    #expect(Quantity.of(reading(OBISCode(1, 0, 1, 8, 0, 1), 1, .wattHour)) == nil)
    #expect(Quantity.of(reading(OBISCode(0, 1, 96, 3, 10), 1, .one)) == nil)
    #expect(Quantity.of(reading(OBISCode(0, 5, 24, 2, 1), 1, 0, .cubicMetre, medium: .gas)) == nil)
    #expect(!Quantity(rawValue: 60).isKnown)
    #expect(!Quantity(rawValue: 255).isKnown)
  }

  @Test(arguments: [
    (UInt8(1), UInt8(1), Medium.gas, Unit.cubicMetre, 80),
    (2, 3, .gas, .cubicMetre, 83), (3, 1, .water, .cubicMetre, 87),
    (4, 1, .thermal, .joule, 91),
  ])
  func subMetersAreKnownByTheirMedium(
    channel: UInt8, kind: UInt8, medium: Medium, unit: Unit, id: Int
  ) {
    let quantity = Quantity.of(
      reading(OBISCode(0, channel, 24, 2, kind), 1, -3, unit, medium: medium))
    #expect(quantity == Quantity(id))
    #expect(quantity?.channel == channel)
  }

  @Test func setsHoldWhatWasInsertedInOrder() {
    var set = QuantitySet()
    for id in [3, 63, 64, 123] { set.insert(Quantity(id)) }
    var found: [UInt8] = []
    var id = 0
    while let next = set.next(from: id) {
      found.append(next.rawValue)
      id = Int(next.rawValue) + 1
    }
    #expect(found == [3, 63, 64, 123])
    #expect(set.count == 4)
    set.remove(Quantity(63))
    #expect(!set.contains(Quantity(63)))
    #expect(set.next(from: 256) == nil)
  }
}
