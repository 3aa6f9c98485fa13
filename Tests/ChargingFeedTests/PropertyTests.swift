import OBISDecoder
import Testing

@testable import ChargingFeed

/// Whatever comes in, what goes out as a limit is within 1 W and what the fuse bears (F-8).
struct PropertyTests {
  private static let extremes: [Int64] = [
    .min, .min + 1, -1_000_000_000, -1, 0, 1, 9, 999_999, 1_000_000_000, .max / 2, .max - 1, .max,
  ]

  private func decimal(_ random: inout Seeded) -> Decimal {
    let mantissa: Int64 =
      switch Int.random(in: 0..<4, using: &random) {
      case 0: Self.extremes[Int.random(in: 0..<Self.extremes.count, using: &random)]
      case 1: Int64.random(in: .min ... .max, using: &random)
      default: Int64.random(in: 0...30_000, using: &random)
      }
    let exponent =
      Bool.random(using: &random)
      ? Int8.random(in: .min ... .max, using: &random) : Int8.random(in: -3...0, using: &random)
    return Decimal(mantissa: mantissa, exponent: exponent)
  }

  private func sample(_ random: inout Seeded) -> MeterSample {
    var sample = MeterSample()
    var fields: [MeterSample.Field] = [
      .importPower, .exportPower, .reactiveImport, .reactiveExport, .importEnergy, .exportEnergy,
      .demand, .demandPeak, .frequency,
    ]
    for line in -1...3 {
      fields += [.current(line), .voltage(line), .importOfLine(line), .exportOfLine(line)]
    }
    for field in fields where Int.random(in: 0..<3, using: &random) > 0 {
      // Every other value is one that a household could have, or nothing would ever count.
      if Bool.random(using: &random) {
        sample.set(field, decimal(&random))
      } else if case .voltage = field {
        sample.set(field, Decimal(mantissa: 230))
      } else {
        sample.set(field, Decimal(mantissa: Int64.random(in: 0...20, using: &random)))
      }
    }
    return sample
  }

  private func settings(_ random: inout Seeded) -> EVSettings {
    var settings = EVSettings(
      grid: Grid.allCases[Int.random(in: 0..<3, using: &random)],
      phases: Bool.random(using: &random) ? 1 : 3,
      fuse: Int64.random(in: -1...120_000, using: &random),
      margin: Int64.random(in: -1000...130_000, using: &random))
    settings.missingLine = MissingLine.allCases[Int.random(in: 0..<3, using: &random)]
    settings.chargers = [garage(hasDraw: true), garage(connection: .l2)]
    let models = CapacitySettings.Model.allCases
    var capacity = CapacitySettings(
      model: models[Int.random(in: 0..<models.count, using: &random)],
      target: Int64.random(in: 0...20_000, using: &random))
    capacity.policy = Bool.random(using: &random) ? .cap : .average
    capacity.margin = Int64.random(in: 0...30_000, using: &random)
    settings.capacity = Bool.random(using: &random) ? capacity : nil
    return settings
  }

  private func number(_ key: String, in text: String) -> Int64? {
    guard let range = text.firstRange(of: "\"\(key)\":") else { return nil }
    return Int64(text[range.upperBound...].prefix { $0.isNumber || $0 == "-" })
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func everyLimitIsWithinOneWattAndTheFuse(seed: UInt64) throws {
    var random = Seeded(state: seed)
    let settings = settings(&random)
    var feed = EVFeed(settings)
    var time = Double.random(in: -1e9...1e9, using: &random)
    var limitCount = 0
    for _ in 0..<300 {
      time +=
        Int.random(in: 0..<20, using: &random) == 0
        ? Double.random(in: -1e7...1e8, using: &random) : Double.random(in: 0...15, using: &random)
      let now = moment(time, isSynchronised: Int.random(in: 0..<10, using: &random) > 0)
      feed.note(
        draw: Self.extremes[Int.random(in: 0..<Self.extremes.count, using: &random)],
        ofCharger: Int.random(in: -1...2, using: &random), at: now)
      _ = feed.take(sample(&random), at: now)
      _ = feed.pass(to: now)
      #expect(feed.waitMilliseconds(from: now) >= 1)
      guard let limit = text({ feed.writeLimit(at: now, to: &$0) }) else { continue }
      if feed.state == .ok {
        let watts = try #require(number("max_import_w", in: limit), "\(limit)")
        #expect(watts >= 1 && watts <= settings.fusePower, "\(limit)")
        limitCount += 1
      } else {
        #expect(!limit.contains("max_import"), "\(limit)")
      }
      if let plain = text({ feed.write(.maxImportWatts, at: now, to: &$0) }) {
        let watts = try #require(Int64(plain))
        #expect(watts >= 1 && watts <= settings.fusePower)
      }
      if let interval = text({ feed.writeInterval(at: now, to: &$0) }),
        let allowed = number("allow_w", in: interval)
      {
        #expect(allowed >= 1 && allowed <= settings.fusePower, "\(interval)")
      }
      _ = text { feed.writeCharger(0, at: now, to: &$0) }
      _ = text { feed.writeCapacity(to: &$0) }
      while let hour = feed.takeHour() {
        _ = text {
          feed.write(hour: hour, to: &$0)
          return true
        }
      }
      if Int.random(in: 0..<50, using: &random) == 0 {
        feed = try #require(EVFeed(settings, restoring: feed.saved(), at: now))
      }
    }
    #expect(limitCount > 0 || feed.counters.samples == 0)
  }
}
