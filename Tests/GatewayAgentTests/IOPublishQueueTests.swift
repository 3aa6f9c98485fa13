import PrivacyFilter
import Testing

@testable import GatewayAgent

@Suite struct IOPublishQueueTests {
  private func topics(_ queue: borrowing PublishQueue) -> [String] {
    (0..<queue.count).map { index in
      let message = queue[index]
      return String(decoding: message.bytes.prefix(message.topicCount), as: UTF8.self)
    }
  }

  @Test func dropsTheOldestAtTheMessageLimitButNoClear() {
    var queue = PublishQueue()
    queue.append(.made("clear", "", kind: .clear, retain: true), at: 0)
    for number in 1..<PublishQueue.messageLimit { queue.append(.made("\(number)", "x"), at: 0) }
    #expect(queue.count == PublishQueue.messageLimit && queue.droppedCount == 0)
    queue.append(.made("new", "x"), at: 0)
    #expect(queue.count == PublishQueue.messageLimit && queue.droppedCount == 1)
    let held = topics(queue)
    #expect(held.first == "clear" && held[1] == "2" && held.last == "new")
  }

  @Test func dropsTheOldestAtTheByteLimit() {
    var queue = PublishQueue()
    let payload = String(repeating: "x", count: 4000)
    for number in 0..<100 { queue.append(.made("\(number)", payload), at: 0) }
    #expect(queue.byteCount <= PublishQueue.byteLimit)
    #expect(queue.count == 65 && queue.droppedCount == 35)
    while queue.count > 0 { queue.remove(at: 0) }
    #expect(queue.byteCount == 0)
  }

  @Test func replacesAWaitingRetainedMessageOfTheSameTopicOnly() {
    var queue = PublishQueue()
    queue.append(.made("a", "1", retain: true), at: 0)
    queue.append(.made("ab", "1", retain: true), at: 0)
    queue.append(.made("a", "live", qos: 1), at: 0)
    queue.append(.made("a", "2", retain: true), at: 0)
    #expect(topics(queue) == ["ab", "a", "a"])
    queue.append(.made("a", "", kind: .clear, retain: true), at: 0)
    #expect(topics(queue) == ["a", "ab", "a"])
    queue.append(.made("a", "granted again", retain: true), at: 0)
    #expect(topics(queue) == ["a", "ab", "a", "a"], "a clear is not undone, only followed")
  }

  @Test func doesNotReplaceWhatIsInFlight() {
    var queue = PublishQueue()
    queue.append(.made("a", "1", qos: 1, retain: true), at: 0)
    queue.markInFlight(at: 0, id: 7)
    queue.append(.made("a", "2", qos: 1, retain: true), at: 0)
    #expect(queue.count == 2 && queue.inFlightCount == 1)
    let next = queue.nextWaiting(at: 0)
    #expect(next == 1)
    let unknown = queue.acknowledge(8)
    #expect(unknown == nil)
    let gate = queue.acknowledge(7)
    #expect(gate == 0)
    #expect(queue.count == 1 && queue.inFlightCount == 0)
  }

  @Test func keepsTheOrderAfterALostConnection() {
    var queue = PublishQueue()
    for name in ["a", "b", "c"] { queue.append(.made(name, "x", qos: 1), at: 0) }
    queue.markInFlight(at: 0, id: 1)
    queue.markInFlight(at: 1, id: 2)
    _ = queue.acknowledge(1)
    queue.rewind()
    #expect(topics(queue) == ["b", "c"])
    let next = queue.nextWaiting(at: 0)
    #expect(next == 0)
  }

  @Test func dropsWhatIsTooOld() {
    var queue = PublishQueue()
    queue.append(.made("old", "x", qos: 1, expirySeconds: 1), at: 5000)
    queue.append(.made("new", "x", qos: 1, expirySeconds: 2), at: 5000)
    let early = queue.nextWaiting(at: 5999)
    #expect(early == 0 && queue.expiredCount == 0)
    let late = queue.nextWaiting(at: 6000)
    #expect(late == 0 && queue.expiredCount == 1)
    #expect(topics(queue) == ["new"])
  }

  @Test func keepsLiveDataForItsMomentOnly() {
    var queue = PublishQueue()
    queue.append(.made("live", "x", expirySeconds: 9), at: 5000, forMilliseconds: 1000)
    let early = queue.nextWaiting(at: 5999)
    #expect(early == 0)
    #expect(queue[0].expiresAt == 14_000)
    let late = queue.nextWaiting(at: 6000)
    #expect(late == nil && queue.expiredCount == 1)
  }

  @Test func purgesOneGateAndLeavesItsClears() {
    var queue = PublishQueue()
    queue.append(.made("1/a", "x", gate: 1, qos: 1), at: 0)
    queue.append(.made("2/a", "x", gate: 2, qos: 1), at: 0)
    queue.append(.made("1/b", "x", gate: 1, retain: true), at: 0)
    queue.append(.made("1/c", "", kind: .clear, gate: 1, retain: true), at: 0)
    queue.markInFlight(at: 1, id: 1)
    let count = queue.purge(gateIndex: 1)
    #expect(count == 2)
    #expect(topics(queue) == ["1/c", "2/a"])
    #expect(queue.inFlightCount == 0)
  }
}
