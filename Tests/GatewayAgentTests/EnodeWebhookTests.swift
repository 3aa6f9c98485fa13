import Testing

@testable import GatewayAgent

/// The bridge's parts without a network: addresses, answers, the queue.
struct EnodeWebhookTests {
  @Test func readsAddresses() throws {
    let plain = try #require(WebhookAddress("https://hooks.example.com/a/b?c=d"))
    #expect(plain.isSecure && plain.host == "hooks.example.com" && plain.port == 443)
    #expect(plain.target == "/a/b?c=d" && plain.authority == "hooks.example.com")
    let port = try #require(WebhookAddress("https://[2001:db8::1]:8443"))
    #expect(port.host == "2001:db8::1" && port.port == 8443 && port.target == "/")
    #expect(WebhookAddress("https://h?x=1")?.target == "/?x=1")
    for text in ["http://127.0.0.1:8080/x", "http://localhost/", "http://[::1]:1/"] {
      #expect(WebhookAddress(text)?.isSecure == false, "\(text)")
    }
  }

  @Test(arguments: [
    "", "https://", "ftp://h/", "http://example.com/", "http://127.example.com/",
    "http://10.0.0.1/", "https://user:word@h/", "https://h/#a", "https://h/a b", "https://h:0/",
    "https://h:70000/", "https://h/\r\nX: y", "https://2001:db8::1/", "//h/",
  ])
  func refusesAddresses(text: String) {
    #expect(WebhookAddress(text) == nil)
  }

  private func status(_ pieces: [String]) throws(WebhookTrouble) -> Int {
    var left = pieces
    return try WebhookPost.status { () throws(WebhookTrouble) in
      left.isEmpty ? [] : Array(left.removeFirst().utf8)
    }
  }

  @Test func readsTheStatusHoweverItIsCut() throws {
    #expect(try status(["HTTP/1.1 204 No Content\r\n\r\n"]) == 204)
    #expect(try status(["HT", "TP/1.0 5", "00", "\n"]) == 500)
    #expect(throws: WebhookTrouble.closedEarly) { try status(["HTTP/1.1 200"]) }
    #expect(throws: WebhookTrouble.noAnswer) { try status(["SSH-2.0-x\r\n"]) }
    #expect(throws: WebhookTrouble.noAnswer) { try status(["HTTP/1.1 2000 x\r\n"]) }
    #expect(throws: WebhookTrouble.noAnswer) { try status([String(repeating: "x", count: 2000)]) }
  }

  private func body(_ number: Int, size: Int = 0) -> [UInt8] {
    Array("[\(number)\(String(repeating: " ", count: size))]".utf8)
  }

  @Test func keepsTheOrderAndTriesTheFirstUntilItIsTaken() {
    var queue = WebhookQueue(retryMilliseconds: 100)
    #expect(queue.next() == nil)
    #expect(queue.append(body(1), id: "a") == .kept && queue.append(body(2), id: "b") == .kept)
    var waits: [Int] = []
    for _ in 0..<4 {
      #expect(queue.next()?.id == "a")
      #expect(queue.next() == nil, "one is under way")
      guard case .again(let wait) = queue.settle(isTaken: false, at: 0) else {
        Issue.record("it is tried again")
        return
      }
      waits.append(wait)
    }
    for (index, wait) in waits.enumerated() {
      #expect((50 << index...100 << index).contains(wait))
    }
    #expect(queue.next()?.id == "a")
    #expect(queue.settle(isTaken: true, at: 0) == .delivered)
    #expect(queue.next()?.id == "b")
  }

  @Test func givesUpAfter26HoursAndGoesOn() {
    var queue = WebhookQueue(retryMilliseconds: 100)
    _ = queue.append(body(1), id: "a")
    _ = queue.append(body(2), id: "b")
    _ = queue.next()
    _ = queue.settle(isTaken: false, at: 5)
    _ = queue.next()
    let end = 5 + WebhookQueue.patienceMilliseconds
    #expect(queue.settle(isTaken: false, at: end - 1) != .givenUp)
    _ = queue.next()
    #expect(queue.settle(isTaken: false, at: end) == .givenUp)
    #expect(queue.next()?.id == "b")
  }

  @Test func isBoundedAndNeverDropsWhatIsUnderWay() {
    var queue = WebhookQueue(retryMilliseconds: 100)
    _ = queue.append(body(0), id: "0")
    _ = queue.next()
    for number in 1..<WebhookQueue.messageLimit {
      #expect(queue.append(body(number), id: "\(number)") == .kept)
    }
    #expect(queue.append(body(300), id: "300") == .displaced)
    #expect(queue.count == WebhookQueue.messageLimit)
    #expect(queue.settle(isTaken: true, at: 0) == .delivered)
    #expect(queue.next()?.id == "2", "1 was the oldest that waited")
    var large = WebhookQueue(retryMilliseconds: 100)
    for number in 0..<5 { _ = large.append(body(number, size: 60_000), id: "\(number)") }
    #expect(large.count == 4)
  }

  @Test func takesListsOnlyAndNoHeartbeatBehindEvents() {
    var queue = WebhookQueue(retryMilliseconds: 100)
    let beat = Array(#"[{"event":"system:heartbeat","pendingEvents":0}]"#.utf8)
    #expect(queue.append(Array("{}".utf8), id: "a") == .refused)
    #expect(queue.append([], id: "a") == .refused)
    #expect(queue.append(body(1, size: WebhookQueue.bodyLimit), id: "a") == .refused)
    #expect(queue.append(beat, id: "b") == .kept)
    #expect(queue.append(beat, id: "c") == .refused)
    #expect(queue.append(body(2), id: "d") == .kept)
  }
}
