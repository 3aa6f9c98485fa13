import ConsentLedger
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Rights that somebody asks for over MQTT or by mail.
struct EnquiryTests {
  private func enquiry(
    _ bench: AgentBench, _ request: EnquiryRequest = EnquiryRequest()
  ) -> ControlResponse {
    var asked = ControlRequest(verb: .enquiry)
    asked.enquiry = request
    return bench.agent.answer(asked, by: AgentBench.owner)
  }

  @Test("a recipient's enquiry becomes a task of 30 days, once a minute; nothing else does")
  func hearsARecipient() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    try bench.start()
    func say(_ text: String, as recipient: String = "eliq") {
      bench.agent.attend(RemoteMessage(Array(text.utf8)), of: recipient, over: "home")
    }
    for text in [
      #"{"v":1,"enquiry":"everything"}"#, #"{"v":2,"enquiry":"access"}"#,
      #"{"v":1,"enquiry":"access","text":"quick"}"#,
    ] {
      #expect(RemoteMessage(Array(text.utf8)) == .command)
      say(text)
    }
    say(#"{"v":1,"enquiry":"access"}"#, as: "Not A Name")
    #expect(enquiry(bench).enquiries?.isEmpty == true)
    say(#"{"v":1,"enquiry":"access"}"#)
    say(#"{"v":1,"enquiry":"erasure"}"#)
    let heard = try #require(enquiry(bench).enquiries)
    #expect(
      heard == [
        EnquiryView(
          number: 1, kind: "access", recipient: "eliq", received: "2026-01-15T13:00:00Z",
          due: "2026-02-14T13:00:00Z", answered: nil, isUrgent: false)
      ])
    #expect(
      EnquiryCommand.line(heard[0])
        == "1  access by eliq, received 2026-01-15, answer by 2026-02-14")
    #expect(bench.sent.isEmpty)
  }

  @Test("one by mail is opened with its day and answered by its number")
  func keepsWhatCameByMail() throws {
    let bench = try AgentBench(at: at("13:00:00"))
    try bench.start()
    let opened = enquiry(bench, EnquiryRequest(kind: "access", received: "2025-12-20"))
    #expect(opened.enquiries?.map(\.due) == ["2026-01-19T00:00:00Z"])
    #expect(opened.enquiries?.map(\.isUrgent) == [true])
    #expect(enquiry(bench, EnquiryRequest(kind: "everything")).code == "E_LIMIT")
    #expect(enquiry(bench, EnquiryRequest(kind: "access", received: "soon")).code == "E_LIMIT")
    #expect(enquiry(bench, EnquiryRequest(answered: 2)).code == "E_STATE")
    let answered = enquiry(bench, EnquiryRequest(answered: 1))
    #expect(answered.enquiries?.map(\.answered) == ["2026-01-15T13:00:00Z"])
    #expect(answered.enquiries?.map(\.isUrgent) == [false])
    var all = ControlRequest(verb: .erase)
    all.erasure = ErasureRequest(all: true)
    #expect(bench.agent.answer(all, by: AgentBench.owner).ok)
    #expect(enquiry(bench).enquiries?.isEmpty == true)
  }
}
