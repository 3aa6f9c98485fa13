import ConsentLedger
import Foundation
import Glibc
import PrivacyFilter
import Testing

@testable import GatewayAgent

/// Who may ask the running agent, and what it does with questions that are none.
struct PipelineControlTests {
  private let bench: AgentBench

  init() throws {
    bench = try AgentBench(at: at("13:00:00"))
    _ = bench.addWire()
    try bench.start()
    try bench.serve()
  }

  private var path: String { bench.configuration.controlSocket }

  private func connect() throws -> Int32 {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = try #require(UnixAddress(path: path))
    try #require(address.connect(number) == 0)
    return number
  }

  /// Sends bytes and waits for the end of the answer.
  private func ask(_ bytes: [UInt8]) throws -> ControlResponse? {
    let client = try connect()
    defer { close(client) }
    TestSocket.send(bytes, to: client)
    return try answer(client)
  }

  private func answer(_ client: Int32) throws -> ControlResponse? {
    var line: [UInt8] = []
    try bench.expect {
      guard let more = TestSocket.available(client) else { return true }
      line += more
      return line.last == 10
    }
    return line.isEmpty ? nil : ControlJSON.decode(ControlResponse.self, from: line)
  }

  private func ask(_ request: ControlRequest) throws -> ControlResponse {
    try #require(try ask(ControlJSON.line(request)))
  }

  @Test("the socket is for its owner and group from the first moment, and gone at the end")
  func hasItsMode() throws {
    var status = stat()
    #expect(unsafe lstat(path, &status) == 0)
    #expect(status.st_mode & S_IFMT == S_IFSOCK)
    #expect(status.st_mode & 0o777 == 0o660)
    bench.stopServing()
    #expect(unsafe lstat(path, &status) != 0)
  }

  @Test(
    "who is in no group of the agent's is told so, even where the socket's file lets him in",
    .enabled(
      if: geteuid() == 0
        && ["/usr/bin/setpriv", "/usr/bin/python3"].allSatisfy {
          FileManager.default.fileExists(atPath: $0)
        },
      "only root can be somebody else, with setpriv"))
  func refusesAStranger() throws {
    // A file of mode 0666 stands for a mistake; the directories of tests let everybody pass.
    _ = unsafe chmod(path, 0o666)
    _ = unsafe chmod(bench.directory, 0o711)
    let stranger = Process()
    stranger.executableURL = URL(filePath: "/usr/bin/setpriv")
    stranger.arguments = [
      "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c",
      """
      import socket, sys
      client = socket.socket(socket.AF_UNIX)
      client.connect(sys.argv[1])
      client.sendall(b'{"verb":"status"}\\n')
      print(client.makefile().readline())
      """, path,
    ]
    let output = Pipe()
    stranger.standardOutput = output
    try stranger.run()
    try bench.expect { !stranger.isRunning }
    let line = Array(output.fileHandleForReading.readDataToEndOfFile())
    let answer = ControlJSON.decode(ControlResponse.self, from: line.filter { $0 != 10 })
    #expect(answer?.code == "E_AUTH")
    #expect(answer?.status == nil)
  }

  @Test("who decided is what the kernel says of the peer, not what the request says")
  func recordsThePeer() throws {
    let proposed = try ask(ControlRequest(verb: .grantPropose, proposal: .minutePower()))
    let id = try #require(proposed.grant?.id)
    #expect(proposed.grant?.state == "proposed")
    #expect(bench.agent.links.allSatisfy { $0 == nil })
    let line = #"{"verb":"grant.accept","grant":"\#(id)","by":"uid:4711","decidedBy":"uid:4711"}"#
    let accepted = try #require(try ask(Array((line + "\n").utf8)))
    #expect(accepted.grant?.state == "active")
    #expect(accepted.receipt?.contains(#""dpv:isIndicatedBy":"uid:\#(getuid())""#) == true)
    #expect(accepted.receipt?.contains("4711") == false)
    let stored = try bench.agent.store.grants()
    #expect(stored.map(\.grant.decidedBy) == ["uid:\(getuid())"])
    let withdrawn = try ask(ControlRequest(verb: .withdraw, grant: String(id.prefix(8))))
    #expect(withdrawn.grant?.state == "withdrawn")
    #expect(try bench.agent.store.grants().map(\.endedBy) == ["uid:\(getuid())"])
  }

  @Test(
    "what is no request is refused with a code and changes nothing",
    arguments: [
      ("", "E_STATE"), ("{", "E_STATE"), ("null", "E_STATE"), ("[]", "E_STATE"),
      (#"{"verb":"grant.revive"}"#, "E_STATE"), (#"{"verb":"grant.propose"}"#, "E_STATE"),
      (#"{"verb":"grant.accept"}"#, "E_GRANT_UNKNOWN"),
      (#"{"verb":"withdraw","grant":"abc"}"#, "E_GRANT_UNKNOWN"),
      (#"{"verb":"withdraw","grant":"00000000"}"#, "E_GRANT_UNKNOWN"),
      ("\u{0}\u{1}\u{7F}\u{FFFD}", "E_STATE"),
      (String(repeating: "[", count: 100_000), "E_STATE"),
    ])
  func refusesGarbage(request: String, code: String) throws {
    let head = try bench.agent.store.ledgerHead()
    let refusal = try #require(try ask(Array(request.utf8) + [0x0A]))
    #expect(!refusal.ok && refusal.code == code)
    #expect(refusal.message?.isEmpty == false)
    #expect(try bench.agent.store.ledgerHead() == head)
    #expect(try ask(ControlRequest(verb: .status)).ok)
  }

  @Test("a request longer than allowed ends the connection without an answer")
  func refusesAnEndlessRequest() throws {
    let client = try connect()
    defer { close(client) }
    _ = fcntl(client, F_SETFL, O_NONBLOCK)
    let chunk = [UInt8](repeating: 0x20, count: 8192)
    var isOver = false
    try bench.expect {
      for _ in 0..<8 where !isOver {
        let sent = unsafe chunk.withUnsafeBytes {
          unsafe send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        isOver = sent < 0 && errno == EPIPE
      }
      return isOver
    }
    #expect(try ask(ControlRequest(verb: .status)).ok)
  }

  @Test("a request may come in pieces, while others are answered and the ninth is turned away")
  func servesSeveralAtOnce() throws {
    let slow = try connect()
    defer { close(slow) }
    let request = ControlJSON.line(ControlRequest(verb: .status))
    for byte in request.dropLast() {
      TestSocket.send([byte], to: slow)
      bench.loop.turn(waitingAtMost: 0)
    }
    #expect(try ask(ControlRequest(verb: .status)).ok)
    let idle = try (0..<7).map { _ in try connect() }
    defer { for client in idle { close(client) } }
    bench.idle(milliseconds: 20)
    let ninth = try connect()
    defer { close(ninth) }
    #expect(try answer(ninth) == nil)
    TestSocket.send([0x0A], to: slow)
    #expect(try answer(slow)?.ok == true)
    #expect(try ask(ControlRequest(verb: .status)).ok)
  }

  @Test("a client that leaves before its answer harms nobody")
  func survivesALeavingClient() throws {
    for _ in 0..<20 {
      let client = try connect()
      TestSocket.send(ControlJSON.line(ControlRequest(verb: .grantList)), to: client)
      close(client)
      bench.idle(milliseconds: 2)
    }
    #expect(try ask(ControlRequest(verb: .status)).ok)
  }

  @Test("a socket that a killed agent left is replaced")
  func replacesAStaleSocket() throws {
    bench.stopServing()
    let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = try #require(UnixAddress(path: path))
    #expect(address.bind(stale) == 0)
    close(stale)
    try bench.serve()
    #expect(try ask(ControlRequest(verb: .status)).ok)
  }

  @Test("a file in the socket's place is left alone")
  func leavesOtherFilesAlone() throws {
    bench.stopServing()
    LoopHarness.write("kept", to: path)
    #expect(throws: ControlFailure.self) { try bench.serve() }
    #expect(try FileAccess.read(path, limit: 100) == Array("kept".utf8))
  }

  @Test("a second agent is refused, and the first one goes on")
  func refusesASecondAgent() throws {
    let failure = #expect(throws: ControlFailure.self) {
      try ControlServer(path: path, on: bench.loop) { _, _ in .failure("E_STATE", "second") }
    }
    #expect(failure?.message.contains("another agent is running") == true)
    let refusal = #expect(throws: CommandFailure.self) {
      try Agent(bench.configuration, clock: bench.clock, on: bench.loop)
    }
    #expect(refusal?.status == 2)
    #expect(refusal?.message.contains("another agent holds it open") == true)
    #expect(try ask(ControlRequest(verb: .status)).status?.ledger == "sound")
  }
}
