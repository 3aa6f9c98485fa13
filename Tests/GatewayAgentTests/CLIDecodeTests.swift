import FoundationEssentials
import OBISDecoder
import Testing

@testable import GatewayAgent

/// Hand-made telegrams; every identifier in them is invented.
enum DecodeInput {
  /// The telegram F1 of the privacy design: 530 bytes, checksum 50EA.
  static let f1 = text(
    """
    /TST5\\2HANP-0001

    1-3:0.2.8(50)
    0-0:1.0.0(260115143007W)
    0-0:96.1.1(4530303432303031323334353637383930)
    1-0:1.8.1(001234.567*kWh)
    1-0:1.8.2(002345.678*kWh)
    1-0:2.8.1(000111.222*kWh)
    1-0:2.8.2(000000.000*kWh)
    0-0:96.14.0(0002)
    1-0:1.7.0(00.473*kW)
    1-0:2.7.0(00.000*kW)
    0-0:96.7.21(00013)
    0-0:96.7.9(00000)
    1-0:99.97.0()
    0-0:96.13.0(4B554E4445203132333435363738)
    1-0:32.7.0(231.4*V)
    1-0:31.7.0(002*A)
    0-1:24.1.0(003)
    0-1:96.1.0(4730303432303039383736353433323130)
    0-1:24.2.1(260115140000W)(00123.456*m3)
    !50EA

    """)

  /// Without checksum, with a line that cannot be read.
  static let unchecked = text(
    """
    /TST4\\1HANP-0002

    0-0:1.0.0(260715143007S)
    1-0:1.7.0(0000.47*kW)
    1-0:21.7.0(00.4x3*kW)
    !

    """)

  static func text(_ lines: String) -> [UInt8] {
    lines.utf8.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }
  }
}

@Suite struct CLIDecodeTests {
  private func json(
    _ bytes: [UInt8], showsIdentifiers: Bool = false, file: String? = nil, zone: Int16? = nil
  ) throws -> [String] {
    let printer = DecodePrinter(
      isJSON: true, showsIdentifiers: showsIdentifiers, standardOffsetMinutes: zone, file: file)
    return try events(bytes).map { String(decoding: printer.text($0), as: UTF8.self) }
      .filter { !$0.isEmpty }
  }

  private func events(_ bytes: [UInt8], piece: Int = .max) throws -> [DecodeCollector.Event] {
    var run = DecodeRun(dialect: nil, framesBefore: 0)
    var events: [DecodeCollector.Event] = []
    var start = 0
    while start < bytes.count {
      let end = piece < bytes.count - start ? start + piece : bytes.count
      events += try run.push(Array(bytes[start..<end]))
      start = end
    }
    return try events + run.finish()
  }

  @Test func printsAFrameAsTheContractHasIt() throws {
    let expected = """
      {"frame":1,"offset":0,"length":530,"dialect":"p1","integrity":"ok","trust":"clear",\
      "meter_time":"2026-01-15T14:30:07+01:00","readings":[\
      {"obis":"1-0:1.8.1","quantity":"energy_import_tariff1","value":1234567,"unit":"Wh",\
      "raw":"001234.567*kWh"},\
      {"obis":"1-0:1.8.2","quantity":"energy_import_tariff2","value":2345678,"unit":"Wh",\
      "raw":"002345.678*kWh"},\
      {"obis":"1-0:2.8.1","quantity":"energy_export_tariff1","value":111222,"unit":"Wh",\
      "raw":"000111.222*kWh"},\
      {"obis":"1-0:2.8.2","quantity":"energy_export_tariff2","value":0,"unit":"Wh",\
      "raw":"000000.000*kWh"},\
      {"obis":"0-0:96.14.0","quantity":"tariff","value":2,"unit":"1","raw":"0002"},\
      {"obis":"1-0:1.7.0","quantity":"active_power_import","value":473,"unit":"W",\
      "raw":"00.473*kW"},\
      {"obis":"1-0:2.7.0","quantity":"active_power_export","value":0,"unit":"W",\
      "raw":"00.000*kW"},\
      {"obis":"0-0:96.7.21","quantity":"power_failures","value":13,"unit":"1","raw":"00013"},\
      {"obis":"0-0:96.7.9","quantity":"long_power_failures","value":0,"unit":"1",\
      "raw":"00000"},\
      {"obis":"1-0:32.7.0","quantity":"voltage_l1","value":231.4,"unit":"V","raw":"231.4*V"},\
      {"obis":"1-0:31.7.0","quantity":"current_l1","value":2,"unit":"A","raw":"002*A"},\
      {"obis":"0-1:24.1.0","quantity":null,"value":3,"unit":"1","raw":"003"},\
      {"obis":"0-1:24.2.1","quantity":"gas_volume","value":123.456,"unit":"m3",\
      "raw":"00123.456*m3","time":"2026-01-15T14:00:00+01:00"}],\
      "identifiers":[{"kind":"meter_type","obis":null,"length":15},\
      {"kind":"meter_type","obis":"1-3:0.2.8","length":2},\
      {"kind":"meter_number","obis":"0-0:96.1.1","length":17},\
      {"kind":"message","obis":"0-0:96.13.0","length":14},\
      {"kind":"sub_meter_number","obis":"0-1:96.1.0","length":17}]}

      """
    #expect(try json(DecodeInput.f1) == [expected])
  }

  @Test func printsABadFrameWithoutReadings() throws {
    var damaged = DecodeInput.f1
    damaged.replaceSubrange(524..<528, with: "1234".utf8)
    let lines = try json(DecodeInput.f1 + Array("junk".utf8) + damaged)
    #expect(lines.count == 2)
    #expect(
      lines.last == """
        {"frame":2,"offset":534,"length":530,"dialect":"p1","integrity":"bad","trust":"clear",\
        "error":{"code":"checksum_mismatch","at":524,"expected":"50EA","found":"1234"}}

        """)
  }

  @Test func printsWhatCannotBeReadBesideTheRest() throws {
    let lines = try json(DecodeInput.unchecked)
    #expect(lines.count == 1)
    let line = try #require(lines.first)
    #expect(
      line.contains(
        #""integrity":"absent","trust":"clear","meter_time":"2026-07-15T14:30:07+02:00""#))
    #expect(line.contains(#""value":470,"unit":"W","raw":"0000.47*kW""#))
    #expect(!line.contains("21.7.0"))
    let value = DecodeInput.unchecked.count - "00.4x3*kW)\r\n!\r\n".utf8.count
    #expect(line.contains(#""problems":[{"code":"malformed_value","at":\#(value)"#))
  }

  @Test func takesTheZoneThatIsAskedFor() throws {
    let lines = try json(DecodeInput.unchecked, zone: 120)
    #expect(lines.first?.contains(#""meter_time":"2026-07-15T14:30:07+03:00""#) == true)
  }

  @Test func namesTheFileWhereThereAreSeveral() throws {
    let lines = try json(DecodeInput.unchecked, file: "a \"b\".txt")
    #expect(lines.first?.hasPrefix(#"{"frame":1,"file":"a \"b\".txt","offset":0,"#) == true)
  }

  /// Identifiers of F1 as text, which are shown if asked for.
  static let texts = [
    "E0042001234567890", "G0042009876543210", "KUNDE 12345678", "HANP-0001", "TST5",
  ]
  /// Their hexadecimal form in the telegram, which is never shown.
  static let digits = [
    "4530303432303031323334353637383930", "4730303432303039383736353433323130",
    "4B554E4445203132333435363738",
  ]

  @Test(arguments: [true, false])
  func hidesIdentifiersUnlessAskedFor(isJSON: Bool) throws {
    for showsIdentifiers in [true, false] {
      let printer = DecodePrinter(
        isJSON: isJSON, showsIdentifiers: showsIdentifiers, standardOffsetMinutes: nil, file: nil)
      let text = try events(DecodeInput.f1)
        .map { String(decoding: printer.text($0), as: UTF8.self) }.joined()
      for secret in Self.texts {
        #expect(text.contains(secret) == showsIdentifiers, "\(secret)")
      }
      for secret in Self.digits { #expect(!text.contains(secret), "\(secret)") }
    }
  }

  @Test func showsIdentifiersOnATerminalOnly() {
    // Standard output of a test run is a pipe or a file more often than not.
    guard !Terminal.isOutput else { return }
    let ending = Gateway.run(["decode", "--show-identifiers", "/nonexistent"])
    #expect(ending.status == 2)
    #expect(ending.message.hasPrefix("Error: --show-identifiers"))
  }

  @Test(arguments: [1, 2, 7, 529, 530, 531])
  func printsTheSameHoweverTheInputIsCut(piece: Int) throws {
    let bytes = DecodeInput.f1 + DecodeInput.unchecked + DecodeInput.f1
    let whole = try events(bytes).count
    #expect(try events(bytes, piece: piece).count == whole)
    #expect(whole >= 3)
  }

  @Test func decodesACaptureLikeTheBytesInIt() throws {
    var capture = CaptureWriter.head(port: "test")
    capture += CaptureWriter.lines(Array(DecodeInput.f1[..<100]), at: 3)
    capture += CaptureWriter.lines(Array(DecodeInput.f1[100...]), at: 90)
    capture += CaptureWriter.end(at: 1000)
    #expect(try json(capture) == json(DecodeInput.f1))
    for piece in [1, 5, 17, 18, 64] {
      #expect(try events(capture, piece: piece).count == 1)
    }
  }

  @Test func printsATableForAPerson() throws {
    let printer = DecodePrinter(
      isJSON: false, showsIdentifiers: false, standardOffsetMinutes: nil, file: nil)
    let text = try events(Array("junk".utf8) + DecodeInput.unchecked)
      .map { String(decoding: printer.text($0), as: UTF8.self) }.joined()
    #expect(text.contains("4 bytes from 0 on belong to no frame\n"))
    #expect(text.contains("frame 1 · offset 4 · "))
    #expect(text.contains("  1-0:1.7.0  active_power_import  470 W  0000.47*kW\n"))
    #expect(text.contains("  not read: malformed_value at "))
  }

  @Test func countsWhatWentWrong() throws {
    var totals = DecodeTotals()
    #expect(totals.note == "no frame found")
    var damaged = DecodeInput.f1
    damaged[300] ^= 1
    for event in try events(DecodeInput.f1 + Array("junk".utf8) + damaged) { totals.count(event) }
    #expect(totals.frameCount == 2)
    #expect(totals.badCount == 1)
    #expect(totals.note == "1 of 2 frames bad, 4 bytes belong to no frame")
  }
}

@Suite struct CLITextTests {
  private struct Held: Decodable { var raw: String }

  @Test func writesEveryByteAsValidJSON() throws {
    let bytes = (0...255).map { UInt8($0) }
    var json = JSONLine()
    json.open("{")
    json.member("raw", bytes: bytes)
    json.close("}")
    #expect(json.bytes.allSatisfy { (0x20..<0x7F).contains($0) })
    let held = try JSONDecoder().decode(Held.self, from: Data(json.bytes))
    #expect(held.raw.unicodeScalars.map(\.value) == bytes.map { UInt32($0) })
  }

  @Test func writesTextAsValidJSON() throws {
    let text = "Øl \"\\\u{7F}\u{0}\n\u{85} 🏠"
    var json = JSONLine()
    json.open("{")
    json.member("raw", text: text)
    json.close("}")
    #expect(try JSONDecoder().decode(Held.self, from: Data(json.bytes)).raw == text)
  }

  @Test(
    arguments: [
      (Decimal(mantissa: 473, exponent: 0), "473"),
      (Decimal(mantissa: -125, exponent: -1), "-12.5"),
      (Decimal(mantissa: 5, exponent: 30), "5e30"), (Decimal(mantissa: 5, exponent: -30), "5e-30"),
      (Decimal(mantissa: 0, exponent: 30), "0"), (Decimal(mantissa: 1, exponent: 3), "1000"),
    ] as [(GatewayAgentDecimal, String)])
  func writesNumbersExactly(number: GatewayAgentDecimal, text: String) {
    #expect(number.exactText == text)
  }

  @Test func writesTimesWithTheOffsetThatIsKnown() throws {
    func time(_ season: MeterTime.Season, _ offset: Int16?) throws -> MeterTime {
      try #require(
        MeterTime(
          year: 2026, month: 3, day: 4, hour: 5, minute: 6, second: 7, season: season,
          offsetMinutes: offset))
    }
    #expect(
      try time(.daylight, 0).isoText(standardOffsetMinutes: 60) == "2026-03-04T05:06:07+00:00")
    #expect(
      try time(.daylight, nil).isoText(standardOffsetMinutes: 60) == "2026-03-04T05:06:07+02:00")
    #expect(
      try time(.standard, nil).isoText(standardOffsetMinutes: -210) == "2026-03-04T05:06:07-03:30")
    #expect(try time(.standard, nil).isoText(standardOffsetMinutes: nil) == "2026-03-04T05:06:07")
    #expect(try time(.unspecified, nil).isoText(standardOffsetMinutes: 60) == "2026-03-04T05:06:07")
  }
}

/// The decoder's decimal, which FoundationEssentials has a namesake of.
typealias GatewayAgentDecimal = OBISDecoder.Decimal

@Suite struct CLIArgumentTests {
  @Test(arguments: [
    [], ["--help"], ["--version"], ["decode", "--help"], ["help", "record"],
  ])
  func endsWithZeroForHelp(arguments: [String]) {
    let ending = Gateway.run(arguments)
    #expect(ending.status == 0)
    #expect(!ending.message.isEmpty)
  }

  @Test(arguments: [
    ["nonsense"], ["decode"], ["decode", "--dialect", "sml", "x"], ["decode", "-", "-"],
    ["decode", "--time-zone", "Mars/Olympus", "x"], ["replay", "--speed", "0", "x"],
    ["replay", "--link", "x", "--to", "tcp:1", "y"], ["replay", "--to", "udp", "y"],
    ["simulate", "nothing"], ["simulate"], ["simulate", "nl-dsmr5", "--rate", "0"],
    ["simulate", "nl-dsmr5", "--start", "2026-02-30T00:00:00Z"],
    ["record", "/dev/ttyUSB0"], ["record", "ttyUSB0", "-o", "x"],
    ["record", "/dev/ttyUSB0", "-o", "-"],
    ["record", "/dev/ttyUSB0", "-o", "x", "--speed", "12345"],
    ["decode", "/nonexistent/file"],
    ["check-config", "--config", "/nonexistent/file"],
  ])
  func endsWithTwoForUnusableArguments(arguments: [String]) {
    #expect(Gateway.run(arguments).status == 2)
  }

  @Test func namesAFileThatIsNotThere() {
    #expect(
      Gateway.run(["replay", "/nonexistent/file"])
        == Gateway.Ending(
          status: 2, message: "gateway-agent: /nonexistent/file: no such file or directory"))
  }
}
