import Foundation
import ModbusMeters
import OBISDecoder
import Testing

/// Case 18 of modbus.md §9: 72 registers that a real SDM630 sent (esphome PR#8032).
///
/// The capture lies beside the checkout, never in it; without it the test says so and ends.
@Suite("A captured meter")
struct CapturedMeterTests {
  private struct Case: Decodable {
    struct Block: Decodable {
      let start: UInt16
      let registers: String?
    }
    let number: Int
    let blocks: [Block]?

    enum CodingKeys: String, CodingKey {
      case number = "case"
      case blocks
    }
  }

  private static let words: [UInt16]? = {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let shared =
      ProcessInfo.processInfo.environment["GATEWAY_SHARED"].map { URL(filePath: $0) }
      ?? root.deletingLastPathComponent().appending(path: "shared")
    guard let data = try? Data(contentsOf: shared.appending(path: "modbus/acceptance_cases.json")),
      let cases = try? JSONDecoder().decode([Case].self, from: data)
    else { return nil }
    let block = cases.first { $0.number == 18 }?.blocks?.first
    return block?.registers?.split(separator: " ").compactMap { UInt16($0, radix: 16) }
  }()

  @Test(.enabled(if: words != nil, "the captures are not beside the checkout"))
  func case18AddsUpItsPhases() throws {
    let words = try #require(CapturedMeterTests.words)
    var profile = try #require(MeterCatalogue(own: []).profile("eastron-sdm630"))
    profile.fields.removeAll { $0.register.range.upperBound > 72 }
    var image = RegisterImage()
    image.store(words, of: ReadBlock(function: .input, address: 0, count: 72))
    let readout = RegisterDecoding(profile).read(&image)
    func value(_ name: String) throws -> Double {
      let value = try #require(readout.value(name, of: profile))
      return try #require(Double(value.description))
    }
    for (name, expected) in [
      ("voltage_l1", 228.008957), ("voltage_l2", 230.719574), ("power_l1", 681.529053),
      ("power", 2908.53418), ("reactive_power_l3", -78.364296), ("frequency", 50.006821),
    ] {
      #expect(abs(try value(name) - expected) <= abs(expected) * 6e-8, "\(name)")
    }
    let sum = try value("power_l1") + value("power_l2") + value("power_l3")
    #expect(abs(try value("power") - sum) < 0.001)
    #expect(profile.identity(in: image) == .same)
  }
}
