internal import ArgumentParser

/// `gateway-agent ev`: the charging feed's own verbs.
struct EVCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ev", abstract: "Set up the feed for car charging.",
    subcommands: [EVSetup.self])
}

/// `gateway-agent ev setup`: asks for net, fuse, tariff and chargers, and writes `[ev]`.
struct EVSetup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "setup", abstract: "Ask for net, fuse, tariff and chargers, and write [ev].",
    discussion: """
      Asks, shows what it would change in the configuration, and writes it if you say so. Everything else in \
      the file stays as it is, byte for byte. Answers may come from a pipe, a line each.
      """)

  @Option(help: ArgumentHelp("The configuration.", valueName: "file"))
  var config = Configuration.defaultPath

  func run() throws { try Self.run(.terminal, on: config) }

  /// The dialog and the change, on the file at `path`.
  static func run(_ dialog: Dialog, on path: String) throws(CommandFailure) {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try FileAccess.read(path, limit: Configuration.Limits.fileBytes)
    } catch {
      throw .unusable(path, error)
    }
    let before = try usable(bytes, path)
    let setup = try ChargingSetup(asking: dialog, meters: before.meters.map(\.name))
    let edit = ConfigurationEdit(
      of: String(decoding: bytes, as: UTF8.self), replacing: ChargingSetup.tables,
      with: setup.lines)
    let new = Array(edit.text.utf8)
    let after = try usable(new, path)
    guard after.charging != nil else {
      throw .failed("\(path): [ev] could not be put in; nothing was written")
    }
    try dialog.say("\nIn \(path):")
    for line in edit.removed { try dialog.say("- \(line)") }
    for line in setup.lines { try dialog.say(line.isEmpty ? "" : "+ \(line)") }
    guard try dialog.confirm("Write it?", usual: true) else {
      throw .failed("nothing was written")
    }
    do throws(SystemError) {
      try FileAccess.rewrite(path, with: new)
    } catch {
      throw .unusable(path, error)
    }
    try dialog.say(
      "Written. It counts when the agent is started again (systemctl restart gateway-agent), and for recipients under "
        + "an in-house grant such as local-automation.")
  }

  /// The configuration in `bytes`; secrets need not be readable for whoever sets this up.
  private static func usable(
    _ bytes: [UInt8], _ path: String
  ) throws(CommandFailure) -> Configuration {
    let reader = ConfigurationReader(
      ownMeters: OwnMeters.directory(beside: path), checksFiles: false)
    switch reader.read(bytes, file: path) {
    case .usable(let configuration): return configuration
    case .unusable(let errors):
      throw .unusable(errors.map(\.description).joined(separator: "\n"))
    }
  }
}
