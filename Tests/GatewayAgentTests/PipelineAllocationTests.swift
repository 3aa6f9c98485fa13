import AllocationCounter
import MeterSimulator
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// From a telegram's last byte to the payload of every recipient the heap is not touched.
struct PipelineAllocationTests {
  @Test("the counter counts")
  func counterCounts() {
    let before = allocation_count()
    let array = [Int](repeating: 1, count: Int.random(in: 1000...2000))
    #expect(allocation_count() > before)
    #expect(array.count >= 1000)
  }

  /// Telegrams that are counted, after as many that are not.
  private static let count = 250

  @Test(
    "C13.57: 16 gates, from the last byte to the encoded payloads without heap",
    arguments: ["nl-dsmr5", "be-emucs", "no-kamstrup", "no-aidon", "no-kaifa", "se-aidon"])
  func encodesWithoutHeap(model: String) throws {
    let bench = try bench()
    let frames = try Self.frames(of: model, from: bench.time.milliseconds)
    let agent = bench.agent
    let counter = ReleaseCounter()
    agent.onPublished = { release in counter.take(release) }
    let cold = allocation_count()
    take(frames[0].bytes, at: frames[0].instant, bench)
    // The control: the first telegram announces the meter to the house, which is queued.
    #expect(allocation_count() > cold)
    for (instant, bytes) in frames[1..<Self.count] { take(bytes, at: instant, bench) }
    let warm = counter.releases
    #expect(warm.house > 0 && warm.outside > 0)
    counter.isCounting = true
    var worst: UInt64 = 0
    for (instant, bytes) in frames.dropFirst(Self.count) {
      counter.start = allocation_count()
      take(bytes, at: instant, bench)
      worst = max(worst, allocation_count() - counter.start)
    }
    #expect(agent.feeds[0].frames == UInt64(2 * Self.count))
    #expect(agent.feeds[0].rejected == 0)
    #expect(counter.releases.house - warm.house == Self.count)
    // Seven of the fifteen publish every ten seconds, the others at longer intervals.
    #expect(counter.releases.outside - warm.outside >= Self.count / 10 * 7)
    #expect(counter.worst == 0, "allocations before a payload was complete")
    // What the agent does beside, and dropping live data while the broker is away, is free as well.
    #expect(worst == 0, "allocations of a whole telegram")
  }

  /// What the port does with the bytes of one telegram, its window ticks included.
  private func take(_ bytes: [UInt8], at instant: Int64, _ bench: AgentBench) {
    bench.time.milliseconds = instant
    bench.agent.tick()
    bench.agent.feeds[0].take(bytes.span)
  }

  /// An agent with one gate for the house and 15 for others, whose broker is away.
  ///
  /// It begins within an hour: of the meters that send registers once an hour none come.
  private func bench() throws -> AgentBench {
    let bench = try AgentBench(at: at("13:20:00"))
    bench.configuration.clockTrust = .system
    bench.addBroker(TestSocket.freePort())
    try bench.start()
    _ = try bench.grant(.house())
    for number in 0..<15 {
      _ = try bench.grant(
        .made("custom", "recipient-\("abcdefghijklmno".dropFirst(number).prefix(1))") {
          $0.legalName = "Example Power AS"
          $0.country = "NO"
          $0.qos = 0
          $0.categories = ["E3", "E4", "E5", "P1", "P3", "P2", "V1", "A1", "Q1", "F1", "T1"]
          $0.granularity = number % 2 == 1 ? "G1" : ["G2", "G3", "G4", "G5"][number / 2 % 4]
          $0.quantum = "R\(number % 5)"
        })
    }
    let gates = (0..<GateBank.capacity).filter { bench.agent.bank.isInstalled($0) }
    #expect(gates.count == 16)
    try bench.expect {
      bench.agent.links.allSatisfy { $0.map { $0.health.state == .disconnected } ?? true }
    }
    return bench
  }

  private static func frames(
    of model: String, from start: Int64
  ) throws -> [(instant: Int64, bytes: [UInt8])] {
    var meter = try #require(SimulatedMeter(name: model, seed: 7))
    return (0..<(2 * count)).map { number in
      let instant = start + Int64(number) * 1000
      return (instant, meter.next(at: instant).bytes)
    }
  }
}

/// Counts releases, and what was allocated before each of them was complete.
private final class ReleaseCounter {
  var isCounting = false
  var start: UInt64 = 0
  private(set) var worst: UInt64 = 0
  private(set) var releases = (house: 0, outside: 0)

  func take(_ release: borrowing Release) {
    if isCounting { worst = max(worst, allocation_count() - start) }
    let isDocument = release.withPayload { $0.count > 0 && $0[0] == UInt8(ascii: "{") }
    if release.isExternal { releases.outside += 1 } else if isDocument { releases.house += 1 }
  }
}
