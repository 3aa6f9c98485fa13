internal import ArgumentParser
import ModbusMeters
import TOMLText

/// `gateway-agent meters`: the Modbus meters that the agent knows.
struct Meters: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The Modbus meters that the agent knows, the household's own among them.",
    discussion: """
      A profile is a file that says which registers a meter has. One of your own, \
      \(OwnMeters.directory)/NAME.toml, takes the place of a built-in one of the same name; \
      gateway-agent meters show NAME --file prints one to begin with.
      """,
    subcommands: [MetersList.self, MetersShow.self], defaultSubcommand: MetersList.self)
}

/// Where the household's own profiles are.
struct OwnMetersOption: ParsableArguments {
  @Option(
    name: .customLong("directory"),
    help: ArgumentHelp("The household's own profiles.", valueName: "path"))
  var path = OwnMeters.directory

  /// Reads them, and says on standard error what is wrong with them.
  func load() -> OwnMeters {
    let own = OwnMeters(path)
    for finding in own.findings { Terminal.note(finding.description) }
    return own
  }
}

/// `meters list`: one line a meter.
struct MetersList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the meters.")

  @OptionGroup var own: OwnMetersOption

  @Flag(help: "Print one JSON object a line.")
  var json = false

  mutating func run() throws {
    let own = own.load()
    let pages = own.catalogue.ids.compactMap { id in
      own.catalogue.profile(id).map { MeterPage($0, isOwn: own.catalogue.isOwn(id)) }
    }
    if json {
      for page in pages { try Terminal.write(page.json(isWhole: false)) }
    } else {
      for line in DecodeTable.aligned(pages.map(\.row)) { try Terminal.line(line) }
    }
    if own.hasError { throw ExitCode(2) }
  }
}

/// `meters show`: one meter with its read plan.
struct MetersShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one meter: its line, its requests, its values.")

  @OptionGroup var own: OwnMetersOption

  @Flag(help: "Print one JSON object.")
  var json = false

  @Flag(name: .customLong("file"), help: "Print the built-in profile's file.")
  var isFile = false

  @Argument(help: "The meter, as gateway-agent meters lists it.")
  var name: String

  mutating func run() throws {
    if isFile {
      guard let text = MeterCatalogue.text(of: name) else { throw unknown(MeterCatalogue(own: [])) }
      return try Terminal.write(Array(text.utf8))
    }
    let own = own.load()
    guard let profile = own.catalogue.profile(name) else { throw unknown(own.catalogue) }
    let page = MeterPage(profile, isOwn: own.catalogue.isOwn(name))
    try Terminal.write(json ? page.json(isWhole: true) : page.text)
    if own.hasError { throw ExitCode(2) }
  }

  private func unknown(_ catalogue: MeterCatalogue) -> CommandFailure {
    let near = Suggestion.nearest(to: name, among: catalogue.ids)
    return .unusable(
      "no meter \(name)"
        + (near.map { ", did you mean \($0)?" } ?? "; gateway-agent meters lists them"))
  }
}
