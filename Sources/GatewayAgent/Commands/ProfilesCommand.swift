internal import ArgumentParser
import ConsentLedger
import PrivacyFilter

/// `profiles`: what can be granted to whom at most, in plain words.
struct ProfilesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profiles",
    abstract: "Explains the profiles: what a grant to each kind of recipient can hold at most.")

  @Argument(help: "Only this profile.") var name: String?
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let documents = Profiles.all.filter { name == nil || $0.profile.name == name }
    guard !documents.isEmpty else {
      throw CommandFailure.unusable(
        "no such profile; expected one of \(Profiles.names.joined(separator: ", "))")
    }
    if json { return try Terminal.write(Self.line(documents)) }
    for (index, document) in documents.enumerated() {
      if index > 0 { try Terminal.line("") }
      for line in Self.lines(document) { try Terminal.line(line) }
    }
  }

  /// One profile in words.
  static func lines(_ document: ProfileDocument) -> [String] {
    let profile = document.profile
    var lines = [profile.name + (profile.enabled ? "" : "  (switched off)")]
    lines.append("  \(document.explanation)")
    for code in profile.categories.subtracting(profile.optional).codes {
      lines.append("  [x] \(CategoryText.text(code))")
    }
    for code in profile.optional.codes { lines.append("  [ ] \(CategoryText.text(code))") }
    lines.append("  How finely: \(rung(profile)); named as: \(names(profile))")
    lines.append("  How long: \(length(profile))")
    lines.append("  Source: \(document.source)")
    return lines
  }

  private static func rung(_ profile: Profile) -> String {
    var text = words(profile.granularity)
    if let fine = profile.fineGranularity, fine != profile.granularity {
      text += ", \(words(fine)) if you confirm it separately"
    }
    if profile.fineRequired { text += ", which you confirm separately" }
    if profile.minDelay > 0 { text += ", \(profile.minDelay) s late or more" }
    if let aggregate = profile.aggregate {
      text += ", sent at a random moment of \(aggregate.spreadHours) hours"
    }
    return text
  }

  private static func words(_ granularity: Granularity) -> String {
    switch granularity {
    case .g0: "every frame"
    case .g1: "every 10 seconds"
    case .g2: "every minute"
    case .g3: "every 15 minutes"
    case .g4: "every hour"
    case .g5: "every day"
    case .g6: "every month"
    }
  }

  private static func names(_ profile: Profile) -> String {
    profile.identifiers.map { mode in
      switch mode {
      case .none: "nothing"
      case .pseudonym: "a pseudonym"
      case .meterNumber: "the meter's number, if ticked"
      case .meteringPoint: "the metering point's number, if ticked"
      }
    }.joined(separator: " or ")
  }

  private static func length(_ profile: Profile) -> String {
    guard let hours = profile.maxValidityHours else {
      return "until you end it, with a reminder every \(profile.reviewEveryDays) days"
    }
    return hours <= 48 ? "\(hours) hours at most" : "\(hours / 24) days at most"
  }

  private static func line(_ documents: [ProfileDocument]) -> [UInt8] {
    var line = JSONLine()
    line.open("[")
    for document in documents {
      let profile = document.profile
      line.open("{")
      line.member("name", text: profile.name)
      line.member("enabled", truth: profile.enabled)
      line.member("explanation", text: document.explanation)
      line.member("source", text: document.source)
      list("purposes", profile.purposes.map(\.rawValue), &line)
      list("bases", profile.bases.map(\.rawValue), &line)
      list("categories", profile.categories.codes, &line)
      list("optional", profile.optional.codes, &line)
      line.member("granularity", text: "G\(profile.granularity.rawValue)")
      line.member("quantum", text: "R\(profile.quantum.rawValue)")
      line.member("delay_s", number: "\(profile.minDelay)")
      list("identifiers", profile.identifiers.map(\.rawValue), &line)
      line.member("max_validity_h", number: profile.maxValidityHours.map { "\($0)" } ?? "null")
      list("retention", profile.retention, &line)
      line.close("}")
    }
    line.close("]")
    return line.bytes + [10]
  }

  private static func list(_ key: StaticString, _ words: [String], _ line: inout JSONLine) {
    line.key(key)
    line.open("[")
    for word in words { line.string(word) }
    line.close("]")
  }
}
