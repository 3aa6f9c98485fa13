import Glibc
import Testing

@testable import GatewayAgent

@Suite struct IOSystemTests {
  @Test func runsTheDemoClockSixtyTimesFaster() {
    let clock = GatewayClock(rate: 60)
    let realStart = GatewayClock.monotonicMilliseconds()
    let start = clock.now()
    usleep(50_000)
    let passed = clock.now() - start
    let real = GatewayClock.monotonicMilliseconds() - realStart
    #expect(passed >= 40 * 60 && passed <= (real + 1) * 60)
    #expect(passed % 60 == 0)
  }

  @Test(arguments: [1, 60]) func computesTheRealWaitForAnInstant(rate: Int) {
    let clock = GatewayClock(rate: rate)
    let now = clock.now()
    #expect(clock.delay(until: now - 1) == 0)
    #expect(clock.delay(until: Int64.min) == 0)
    let wait = clock.delay(until: now + 600_000)
    #expect(wait <= 600_000 / rate && wait > 590_000 / rate)
  }

  @Test func suppressesAndCountsRepeatedLines() {
    var limiter = LogLimiter()
    var admitted = 0
    for _ in 0..<100 where limiter.admit(7, at: 1000) != nil { admitted += 1 }
    #expect(admitted == Int(Log.linesPerMinute))
    let other = limiter.admit(8, at: 1000)
    #expect(other == 0)
    let late = limiter.admit(7, at: 61_000)
    #expect(late == 100 - Log.linesPerMinute)
    let next = limiter.admit(7, at: 61_001)
    #expect(next == 0)
  }

  @Test func doublesTheWaitUpToItsCap() {
    var backoff = Backoff(firstMilliseconds: 250)
    let longest = (0..<8).map { _ in backoff.next(cap: 10_000) { $0.upperBound - 1 } }
    #expect(longest == [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
    let capped = backoff.next(cap: 800) { $0.lowerBound }
    #expect(capped == 400)
    backoff.reset()
    let first = backoff.next(cap: 10_000) { $0.lowerBound }
    #expect(first == 125)
  }

  @Test func fallsBackAtOnceWhenTheVersionIsRejected() {
    var choice = VersionChoice(.automatic)
    #expect(choice.next == .five)
    expectSwitch(true, from: &choice, .five, .versionRejected)
    choice.worked(.threeOneOne)
    #expect(choice.next == .threeOneOne)
    expectSwitch(false, from: &choice, .threeOneOne, .closedEarly)
    #expect(choice.next == .threeOneOne)
  }

  @Test func remembersASilentBrokerOnlyAfterTwoFallbacks() {
    var choice = VersionChoice(.automatic)
    for expected in [MQTTVersion.five, .threeOneOne] {
      expectSwitch(true, from: &choice, .five, .closedEarly)
      #expect(choice.next == .threeOneOne)
      choice.worked(.threeOneOne)
      #expect(choice.next == expected)
    }
    var other = VersionChoice(.automatic)
    expectSwitch(true, from: &other, .five, .closedEarly)
    expectSwitch(false, from: &other, .threeOneOne, .closedEarly)
    #expect(other.next == .five)
    expectSwitch(false, from: &other, .five, .refused)
    var fixed = VersionChoice(.five)
    expectSwitch(false, from: &fixed, .five, .versionRejected)
    #expect(fixed.next == .five)
  }

  @Test(arguments: [
    (Int32(1), BrokerTrouble.versionRejected), (0x84, .versionRejected), (5, .notAuthorised(5)),
    (0x86, .notAuthorised(0x86)), (0x87, .notAuthorised(0x87)), (3, .rejected(3)),
    (0x88, .rejected(0x88)),
  ])
  func namesWhatTheBrokerRefused(code: Int32, trouble: BrokerTrouble) {
    #expect(BrokerTrouble(connack: code) == trouble)
  }

  @Test func letsGoOfStartupPagesAndRunsOn() throws {
    let before = try #require(Self.residentPages())
    ProcessSetup.releaseStartupPages()
    let after = try #require(Self.residentPages())
    #expect(after < before)
    #expect([3, 1, 2].sorted().map(String.init).joined() == "123")
  }

  @Test func tellsSystemdWhatHappens() throws {
    let path = LoopHarness.temporaryDirectory() + "/notify"
    let receiver = try #require(Self.datagramSocket(at: path))
    defer { close(receiver) }
    unsafe setenv("NOTIFY_SOCKET", path, 1)
    unsafe setenv("WATCHDOG_USEC", "30000000", 1)
    defer {
      unsafe unsetenv("NOTIFY_SOCKET")
      unsafe unsetenv("WATCHDOG_USEC")
    }
    var notifier = ServiceNotifier()
    #expect(notifier.watchdogMilliseconds == 30_000)
    notifier.ready()
    notifier.watchdog()
    notifier.stopping()
    let texts = (0..<3).map { _ in
      var bytes = [UInt8](repeating: 0, count: 64)
      let count = unsafe recv(receiver, &bytes, 64, Int32(MSG_DONTWAIT))
      return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }
    #expect(texts == ["READY=1", "WATCHDOG=1", "STOPPING=1"])
  }

  private func expectSwitch(
    _ expected: Bool, from choice: inout VersionChoice, _ version: MQTTVersion,
    _ trouble: BrokerTrouble, at location: SourceLocation = #_sourceLocation
  ) {
    let isSwitching = choice.failed(version, trouble)
    #expect(isSwitching == expected, sourceLocation: location)
  }

  private static func residentPages() -> Int? {
    let file = unsafe open("/proc/self/statm", O_RDONLY)
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 128)
    let count = unsafe read(file, &bytes, 128)
    let fields = bytes.prefix(max(0, count)).split(separator: UInt8(ascii: " "))
    return fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)) : nil
  }

  private static func datagramSocket(at path: String) -> Int32? {
    let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) {
      unsafe $0.copyBytes(from: Array(path.utf8))
    }
    let result = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    return result == 0 ? number : nil
  }
}
