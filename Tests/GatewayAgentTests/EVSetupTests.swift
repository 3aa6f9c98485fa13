import ChargingFeed
import Glibc
import Testing

@testable import GatewayAgent

/// `ev setup`: the questions, and what becomes of the file.
struct EVSetupTests {
  private static let house = """
    # The house.
    topic_root = "meter"

    [[meters]]
    name = "home" # at the fuse
    port = "/dev/ttyUSB0"

    [[brokers]]
    name = "home"
    host = "127.0.0.1"
    """

  /// Answers questions from a list, and keeps what was said.
  private final class Person {
    var answers: [String]
    var heard: [String] = []
    init(_ answers: [String]) { self.answers = answers }

    var dialog: Dialog {
      Dialog(
        say: { self.heard.append($0) },
        ask: { question in
          self.heard.append(question)
          return self.answers.isEmpty ? nil : self.answers.removeFirst()
        })
    }
  }

  private func file(_ text: String) -> String {
    let path = LoopHarness.temporaryDirectory() + "/config.toml"
    LoopHarness.write(text, to: path)
    return path
  }

  private func text(of path: String) throws -> String {
    String(decoding: try FileAccess.read(path, limit: 1 << 20), as: UTF8.self)
  }

  private func charging(_ path: String) throws -> EVSettings {
    let configuration = try ConfigurationReader(checksFiles: false).load(path, environment: [:])
    return try #require(configuration.charging).settings
  }

  @Test func writesWhatThreePhasesOfTNNeed() throws {
    let path = file(Self.house)
    _ = unsafe chmod(path, 0o640)
    let person = Person(["", "", "25", "no_step", "10", "", "", "", "", "", "", "yes"])
    try EVSetup.run(person.dialog, on: path)
    #expect(person.answers == [])
    #expect(
      try text(of: path) == Self.house + """


        [ev]
        enabled = true
        grid = "TN"
        phases = 3
        main_fuse_a = 25

        [ev.capacity]
        model = "no_step"
        target_kw = 10

        [[ev.charger]]
        name = "garage"
        connection = "L1+L2+L3"
        min_a = 6
        max_a = 16
        failsafe_a = 6

        """)
    #expect(try FileAccess.status(path).mode == 0o640)
    let settings = try charging(path)
    #expect(settings.fuse == 25_000 && settings.capacity?.target == 10_000)
    #expect(settings.chargers.map(\.connection) == [.all])
  }

  @Test func asksAThreeWireNetForL2AndTwoChargers() throws {
    let path = file(Self.house)
    let person = Person([
      "it", "3", "32.5", "worst", "none",
      "garage", "l1-l3", "6", "20", "0", "yes",
      "garage", "carport", "L1+L2+L3", "8", "16", "8", "no", "",
    ])
    try EVSetup.run(person.dialog, on: path)
    let settings = try charging(path)
    #expect(settings.grid == .it && settings.fuse == 32_500 && settings.missingLine == .worst)
    #expect(settings.capacity == nil)
    #expect(settings.chargers.map(\.name) == ["garage", "carport"])
    #expect(settings.chargers.map(\.connection) == [.l1l3, .all])
    #expect(settings.chargers.map(\.failsafe) == [0, 8000])
    // The name was taken, and that was said.
    #expect(person.heard.contains { $0.contains("expected a new name") })
    #expect(!person.heard.contains { $0.contains("Connected between (L1,") })
  }

  @Test func asksOnePhaseForNoConnection() throws {
    let path = file(Self.house)
    let person = Person(["", "1", "35", "", "", "", "", "", "", ""])
    try EVSetup.run(person.dialog, on: path)
    #expect(try charging(path).chargers.map(\.connection) == [.l1])
  }

  @Test func replacesItsTablesAndKeepsTheRest() throws {
    let old = """
      [ev] # old
      enabled = false
      main_fuse_a = 63

      # Where the wallbox listens.
      [[ev.sink]]
      broker = "home"
      type = "smartevse"
      topic = "SmartEVSE-1/Set/MainsMeter"

      [[ev.charger]]
      name = "old"
      # The log.
      [log]
      level = "info"
      # The end.
      """
    let path = file(Self.house + "\n" + old)
    let person = Person(["", "", "25", "", "", "", "", "", "", "", "yes"])
    try EVSetup.run(person.dialog, on: path)
    let new = try text(of: path)
    #expect(new.hasPrefix(Self.house + "\n[ev]\nenabled = true\n"))
    #expect(
      new.hasSuffix(
        """
        failsafe_a = 6

        # Where the wallbox listens.
        [[ev.sink]]
        broker = "home"
        type = "smartevse"
        topic = "SmartEVSE-1/Set/MainsMeter"

        # The log.
        [log]
        level = "info"
        # The end.
        """))
    #expect(
      person.heard.filter { $0.hasPrefix("- ") } == [
        "- [ev] # old", "- enabled = false", "- main_fuse_a = 63", "- [[ev.charger]]",
        "- name = \"old\"",
      ])
  }

  @Test(arguments: [
    // The input ends, the person says no, the reader refuses what was said.
    (["", "", "25"], "the input ended; nothing was written"),
    (["", "", "25", "", "", "", "", "", "", "", "no"], "nothing was written"),
    (["", "", "25", "", "", "", "20", "16", "", "no"], "expected at least min_a"),
  ])
  func leavesTheFileAlone(answers: [String], message: String) throws {
    let path = file(Self.house)
    let failure = #expect(throws: CommandFailure.self) {
      try EVSetup.run(Person(answers).dialog, on: path)
    }
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    #expect(try text(of: path) == Self.house)
    #expect(FileAccess.names(in: String(path.dropLast(12))) == ["config.toml"])
  }

  @Test(arguments: ["5", "401", "400.5", "25.0001", "-6", "1e2", "", "x", "25,5"])
  func asksAgainForAFuseThatIsNone(answer: String) throws {
    let person = Person([answer, "16.5"])
    let number = try person.dialog.number("Fuse", in: 6...400)
    #expect(number == "16.5")
    #expect(person.heard[1].hasPrefix("  expected a number from 6 to 400, found "))
  }

  @Test(arguments: [
    ("[ev]", "ev"), ("  [ ev.capacity ]  # steps", "ev.capacity"), ("[[ev.charger]]", "ev.charger"),
    ("x = [1]", nil), ("[1, 2],", nil), ("# [ev]", nil), ("", nil), ("]", nil),
  ])
  func knowsHeaders(line: String, name: String?) {
    #expect(ConfigurationEdit.header(line) == name)
  }

  @Test func writesThroughALink() throws {
    let path = file(Self.house)
    let link = path + ".link"
    #expect(unsafe symlink(path, link) == 0)
    try FileAccess.rewrite(link, with: Array("new".utf8))
    #expect(try text(of: path) == "new")
    #expect(FileAccess.linkTarget(link) == path)
  }
}
