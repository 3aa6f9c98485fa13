import ModbusMeters
import Testing

@testable import GatewayAgent

/// `[[meters]]` with a `profile`: what they mean, and what is wrong with them.
@Suite struct ConfigurationModbusTests {
  private func meters(_ text: String) throws -> [Configuration.Meter] {
    guard
      case .usable(let configuration) = ConfigurationReader.test.read(
        Array(text.utf8), file: "c.toml")
    else {
      Issue.record("\(ConfigurationReader.test.lines(text))")
      return []
    }
    return configuration.meters
  }

  @Test func takesWhatTheProfileSays() throws {
    let meter = try #require(
      meters("[[meters]]\nport = \"/dev/ttyUSB0\"\nprofile = \"inepro-pro380\"").first)
    let modbus = try #require(meter.modbus)
    #expect(modbus.profile.id == "inepro-pro380")
    #expect(modbus.unit == 1)
    #expect(modbus.framing == .rtu)
    #expect(modbus.serial == SerialDefaults(baud: 9600, parity: .even, stopBits: 1, unit: 1))
    #expect(modbus.pollSeconds == 1)
    #expect(meter.staleAfterSeconds == 30)
  }

  @Test func takesWhatTheTableSays() throws {
    let text = """
      [[meters]]
      name = "pump"
      port = "/dev/ttyUSB0"
      profile = "eastron-sdm630"
      unit = 7
      speed = 19200
      parity = "even"
      stop_bits = 2
      rs485 = false
      poll_seconds = 20
      """
    let meter = try #require(meters(text).first)
    let modbus = try #require(meter.modbus)
    #expect(modbus.unit == 7)
    #expect(modbus.serial == SerialDefaults(baud: 19_200, parity: .even, stopBits: 2, unit: 1))
    #expect(!modbus.usesRS485)
    #expect(modbus.pollSeconds == 20)
    #expect(meter.staleAfterSeconds == 60)
  }

  @Test func takesTheNetworksSide() throws {
    let text = """
      [[meters]]
      name = "a"
      port = "tcp://[fe80::1%eth0]:502"
      profile = "siemens-pac2200"
      [[meters]]
      name = "b"
      port = "tcp://gateway.lan:4001"
      profile = "eastron-sdm630"
      framing = "rtu"
      """
    let found = try meters(text)
    #expect(
      found.map(\.input) == [
        .tcp(host: "fe80::1%eth0", port: 502), .tcp(host: "gateway.lan", port: 4001),
      ])
    #expect(found.compactMap { $0.modbus?.framing } == [.tcp, .rtu])
  }

  @Test func putsMetersOfOnePlaceOnOneBus() throws {
    let text = """
      [[meters]]
      name = "a"
      port = "/dev/ttyUSB0"
      profile = "eastron-sdm630"
      [[meters]]
      name = "b"
      port = "tcp://gateway.lan:502"
      profile = "eastron-sdm630"
      [[meters]]
      name = "c"
      port = "/dev/ttyUSB0"
      profile = "eastron-sdm630"
      unit = 2
      [[meters]]
      name = "d"
      port = "stdin"
      """
    let buses = try ModbusPlan.buses(of: meters(text))
    #expect(buses.map { $0.units.map(\.source) } == [[0, 2], [1]])
    #expect(buses[0].units.map(\.unit.address) == [1, 2])
  }

  @Test func putsMetersOnOneBusThatTheirMakersGaveDifferentUnits() throws {
    let text = """
      [[meters]]
      name = "a"
      port = "/dev/ttyUSB0"
      profile = "eastron-sdm630"
      [[meters]]
      name = "b"
      port = "/dev/ttyUSB0"
      profile = "huawei-dtsu666-h"
      """
    let found = try meters(text)
    #expect(found.compactMap { $0.modbus?.unit } == [1, 11])
    let buses = ModbusPlan.buses(of: found)
    #expect(buses.map { $0.units.map(\.unit.address) } == [[1, 11]])
  }

  static let cases: [BadConfiguration] = [
    .meter(
      "profile = \"eastron-sdm360\"",
      "c.toml:3: meters.profile: expected a meter that gateway-agent meters lists, found "
        + "\"eastron-sdm360\" (did you mean \"eastron-sdm630\"?)"),
    .meter(
      "profile = \"eastron-sdm630\"\nunit = 248",
      "c.toml:4: meters.unit: expected 1 to 247, found 248"),
    .meter(
      "profile = \"eastron-sdm630\"\nunit = 0",
      "c.toml:4: meters.unit: expected a whole number from 1 to 255, found 0"),
    .meter(
      "profile = \"eastron-sdm630\"\nframing = \"rtu\"",
      "c.toml:4: meters.framing: expected this key only beside a port on the network, found a "
        + "serial port"),
    .meter(
      "profile = \"eastron-sdm630\"\nspeed = 96000",
      "c.toml:4: meters.speed: expected 1200, 2400, 4800, 9600, 19200, 38400, 57600 or 115200, "
        + "found 96000"),
    .meter(
      "profile = \"eastron-sdm630\"\ndialect = \"p1\"",
      "c.toml:4: meters.dialect: expected a key of [[meters]], found an unknown key"),
    .meter("unit = 1", "c.toml:3: meters.unit: expected profile beside it, found this key"),
    BadConfiguration(
      "[[meters]]\nport = \"tcp://a:1\"\nprofile = \"eastron-sdm630\"\nspeed = 9600",
      "c.toml:4: meters.speed: expected this key only beside a serial port, found a port of "
        + "another kind"),
    BadConfiguration(
      "[[meters]]\nport = \"stdin\"\nprofile = \"eastron-sdm630\"",
      "c.toml:2: meters.port: expected \"/dev/…\" or \"tcp://host:port\", found \"stdin\""),
  ]

  @Test(arguments: cases) func refuses(_ bad: BadConfiguration) {
    #expect(ConfigurationReader.test.lines(bad.text) == [bad.line])
  }

  @Test func saysThatAnOwnProfileHasErrors() {
    let directory = LoopHarness.temporaryDirectory()
    LoopHarness.write("[meter]\nvendor = 3\n", to: directory + "/ours.toml")
    var reader = ConfigurationReader.test
    reader.ownMeters = directory
    #expect(
      reader.lines("[[meters]]\nport = \"/dev/ttyUSB0\"\nprofile = \"ours\"") == [
        "c.toml:3: meters.profile: expected a profile without errors, found \"ours\" with some, "
          + "which gateway-agent check-config lists"
      ])
  }

  private func two(_ first: String, _ second: String, port: String = "/dev/ttyUSB0") -> [String] {
    ConfigurationReader.test.lines(
      """
      [[meters]]
      name = "a"
      port = "\(port)"
      \(first)
      [[meters]]
      name = "b"
      port = "\(port)"
      \(second)
      """)
  }

  @Test func refusesTwoParitiesOnOneLine() {
    #expect(
      two("profile = \"eastron-sdm630\"", "profile = \"inepro-pro380\"\nunit = 2") == [
        "c.toml:7: meters.port: expected one setting for the whole line, found port /dev/ttyUSB0: "
          + "parity none (a) and even (b) on one bus: all meters on a bus must agree"
      ])
  }

  @Test func refusesALineThatIsAndIsNotTurnedByTheKernel() {
    #expect(
      two(
        "profile = \"eastron-sdm630\"", "profile = \"eastron-sdm630\"\nunit = 2\nrs485 = false")
        == [
          "c.toml:10: meters.rs485: expected the rs485 of a, as they share a line, found false"
        ])
  }

  @Test func refusesOneUnitTwice() {
    #expect(
      two("profile = \"eastron-sdm630\"", "profile = \"eastron-sdm630\"") == [
        "c.toml:5: meters.unit: expected a unit of its own on the port, found 1, which a has"
      ])
  }

  @Test func refusesABusThatIsAlsoAnotherInput() {
    #expect(
      two("profile = \"eastron-sdm630\"", "dialect = \"p1\"") == [
        "c.toml:7: meters.port: expected a port for each meter, found one that another meter uses"
      ])
  }

  @Test func refusesTwoFramingsOnOneConnection() {
    #expect(
      two(
        "profile = \"eastron-sdm630\"", "profile = \"eastron-sdm630\"\nunit = 2\nframing = \"rtu\"",
        port: "tcp://gateway.lan:502") == [
          "c.toml:10: meters.framing: expected the framing of a, as they share a connection, found "
            + "\"rtu\""
        ])
  }
}
