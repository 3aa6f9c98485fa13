import PrivacyFilter
internal import TOMLKit
import TOMLText

/// Turns the text of `config.toml` into a `Configuration`, or into errors with their lines.
struct ConfigurationReader {
  /// Where relative secret files are looked up.
  var secretsDirectory = Configuration.secretsDirectory
  /// Where the household's own meter profiles are; `meters` beside the file unless given.
  var ownMeters: String?
  /// Whether secrets and certificates must be there; false for verbs that only ask the running
  /// agent, and may not read them.
  var checksFiles = true
  /// The system's zone, for files that name none.
  var systemTimeZone = TimeZoneRule.system()
  /// Whether a text identifies a person or a meter (privacy.md C10, labels and configuration).
  var isPersonal: (String, LabelLinter.Use) -> Bool = LabelCheck.isPersonal

  /// What a text gave: the configuration where nothing is wrong with it, else the errors by line.
  enum Outcome {
    case usable(Configuration)
    case unusable([ConfigurationError])
  }

  /// Reads a file and checks it and the environment.
  ///
  /// - Throws: the first error, by line. `read(text:file:)` gives all.
  func load(
    _ path: String, environment: [String: String]
  ) throws(ConfigurationError) -> Configuration {
    switch outcome(ofFile: path, environment: environment) {
    case .usable(let configuration): return configuration
    case .unusable(let errors):
      throw errors.first
        ?? ConfigurationError(file: path, expected: "a configuration", found: "none")
    }
  }

  /// Reads a file and checks it and the environment, and gives every error.
  func outcome(ofFile path: String, environment: [String: String]) -> Outcome {
    let forbidden = ConsentKeys.errors(in: environment)
    guard forbidden.isEmpty else { return .unusable(forbidden) }
    let bytes: [UInt8]
    do {
      bytes = try FileAccess.read(path, limit: Configuration.Limits.fileBytes)
    } catch {
      return .unusable([
        ConfigurationError(
          file: path, expected: "a configuration file", found: error.lowercaseText)
      ])
    }
    return read(bytes, file: path)
  }

  /// Reads the bytes of a configuration file; `file` is only named in errors.
  func read(_ bytes: [UInt8], file: String) -> Outcome {
    if let fault = ConfigurationReader.textFault(bytes) {
      return .unusable([
        ConfigurationError(
          file: file, line: fault.line, expected: "UTF-8 text", found: fault.found)
      ])
    }
    let text = String(decoding: bytes, as: UTF8.self)
    let table: TOMLTable
    do {
      table = try TOMLTable(string: text)
    } catch {
      return .unusable([ConfigurationReader.syntaxError(error, file: file)])
    }
    let problems = ConfigurationProblems(file: file, locator: KeyLocator(text))
    ConsentKeys.check(table, path: "", problems)
    var document = ConfigurationTable(table, path: "", problems: problems)
    let configuration = read(&document)
    let errors = problems.errors.enumerated().sorted { left, right in
      (left.element.line ?? 0, left.offset) < (right.element.line ?? 0, right.offset)
    }
    return errors.isEmpty ? .usable(configuration) : .unusable(errors.map(\.element))
  }

  private func read(_ document: inout ConfigurationTable) -> Configuration {
    var configuration = Configuration(timeZone: timeZone(&document))
    let path = "an absolute path"
    if let keeps = document.boolean("history") { configuration.keepsHistory = keeps }
    if let directory = document.text("state_directory", expected: path, where: isAbsolute) {
      configuration.stateDirectory = directory
    }
    let limit = Configuration.Limits.socketPathBytes
    if let socket = document.text(
      "control_socket", expected: "\(path) of at most \(limit) bytes",
      where: { isAbsolute($0) && $0.utf8.count <= limit })
    {
      configuration.controlSocket = socket
    }
    if let root = topic("topic_root", &document) { configuration.topicRoot = root }
    configuration.meters = meters(&document, zone: configuration.timeZone)
    configuration.brokers = brokers(&document)
    homeAssistant(&document, &configuration.homeAssistant)
    inHouse(&document, &configuration.inHouse)
    charging(&document, &configuration)
    enode(&document, &configuration)
    recipients(&document, &configuration)
    if var clock = document.subtable("clock") {
      let trust = clock.choice("trust", of: Configuration.ClockTrust.self)
      configuration.clockTrust = trust ?? configuration.clockTrust
      clock.finish()
    }
    if var log = document.subtable("log") {
      configuration.logLevel =
        log.choice("level", of: LogLevelWord.self)?.level ?? configuration.logLevel
      log.finish()
    }
    document.finish()
    return configuration
  }

  private func timeZone(_ document: inout ConfigurationTable) -> TimeZoneRule {
    var zone: TimeZoneRule?
    _ = document.text("time_zone", expected: "an IANA zone such as \"Europe/Oslo\"") { name in
      zone = TimeZoneRule(named: name)
      return zone != nil
    }
    return zone ?? systemTimeZone
  }

  private func homeAssistant(
    _ document: inout ConfigurationTable, _ result: inout Configuration.HomeAssistant
  ) {
    guard var table = document.subtable("home_assistant") else { return }
    if let enabled = table.boolean("enabled") { result.enabled = enabled }
    if let prefix = topic("prefix", &table) {
      result.prefix = prefix
      result.birthTopic = prefix + "/status"
    }
    if let birthTopic = topic("birth_topic", &table) { result.birthTopic = birthTopic }
    table.finish()
  }

  private func inHouse(
    _ document: inout ConfigurationTable, _ result: inout Configuration.InHouse
  ) {
    guard var table = document.subtable("in_house") else { return }
    if let valueTopics = table.boolean("value_topics") { result.valueTopics = valueTopics }
    if let qos = table.integer("qos", in: 0...2) { result.qos = UInt8(clamping: qos) }
    table.finish()
  }

  /// Topic levels that may stand in front of others: no wildcard, no empty level, no `$`.
  func topic(
    _ key: String, _ table: inout ConfigurationTable,
    limit: Int = Configuration.Limits.topicBytes
  ) -> String? {
    let topic = table.text(
      key, expected: "a topic of at most \(limit) bytes without +, #, leading $ or empty levels",
      where: { topic in
        topic.utf8.count <= limit && topic.allSatisfy(\.isPrintable) && !topic.hasPrefix("$")
          && !topic.contains { $0 == "+" || $0 == "#" }
          && topic.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty
          }
      })
    return lint(topic, as: .ownTopic, key, table)
  }

  /// Refuses a text that names a person or a meter, without repeating it.
  func lint(
    _ text: String?, as use: LabelLinter.Use, _ key: String, _ table: ConfigurationTable
  ) -> String? {
    guard let text, isPersonal(text, use) else { return text }
    table.note(
      key, expected: "a name that identifies nobody",
      found: "what looks like a personal or metering-point number (E_LABEL_PERSONAL)")
    return nil
  }

  /// Whether a path begins at the root.
  func isAbsolute(_ path: String) -> Bool { path.hasPrefix("/") }

  /// What makes bytes unusable as text, and where; TOMLKit would cut it at a zero byte.
  private static func textFault(_ bytes: [UInt8]) -> (line: Int, found: String)? {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      if line.contains(0) { return (index + 1, "a zero byte") }
      guard let text = String(validating: line, as: UTF8.self) else {
        return (index + 1, "other bytes")
      }
      if text.contains("\\u0000") || text.contains("\\U00000000") {
        return (index + 1, "an escaped zero character")
      }
    }
    return nil
  }

  private static func syntaxError(_ error: any Error, file: String) -> ConfigurationError {
    guard let error = error as? TOMLParseError else {
      return ConfigurationError(file: file, expected: "valid TOML", found: "an error in it")
    }
    return ConfigurationError(
      file: file, line: error.source.begin.line, expected: "valid TOML",
      found: error.description)
  }
}

/// How the configuration names severities.
private enum LogLevelWord: String, CaseIterable {
  case error
  case warning
  case info
  case debug

  var level: Log.Level {
    switch self {
    case .error: .error
    case .warning: .warning
    case .info: .info
    case .debug: .debug
    }
  }
}
