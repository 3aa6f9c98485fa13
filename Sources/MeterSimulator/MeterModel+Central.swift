extension LineSettings {
  fileprivate static let slow = LineSettings(baudRate: 2400, dataBits: 8, parity: .even)
  fileprivate static let fast = LineSettings(baudRate: 115_200, dataBits: 8, parity: .none)
  fileprivate static let rs485 = LineSettings(baudRate: 9600, dataBits: 8, parity: .none)
  fileprivate static let optical = LineSettings(baudRate: 9600, dataBits: 7, parity: .even)
}

extension MeterModel {
  /// Models of Austria, Switzerland, Slovenia, the Czech Republic and Luxembourg.
  static let central: [MeterModel] = [
    push(
      "at-kaifa", "Austria, Kaifa MA309 (Netz NÖ): two ciphered M-Bus frames every 5 s", .slow,
      5000, .lowerAustrian(maker: "KFM")),
    push(
      "at-kaifa-1ph", "Austria, Kaifa MA110M (Netz NÖ): one phase, ciphered M-Bus", .slow, 5000,
      .lowerAustrian(maker: "KFM", phases: 1), phases: 1),
    push(
      "at-kaifa-tirol", "Austria, Kaifa MA309 (TINETZ): ciphered M-Bus, described list", .slow,
      5000, .tyrolean(.mbus(length: 250), cipher: CipherForm(maker: "KFM", security: 0x21))),
    push(
      "at-kaifa-bridge", "Austria, Kaifa MA309 (Salzburg Netz): message that a bridge passes on",
      .fast, 5000, .tyrolean(.bare, cipher: nil)),
    push(
      "at-kaifa-llc", "Austria, Kaifa MA309: message behind LLC that a bridge passes on", .fast,
      5000, .tyrolean(.llc, cipher: nil)),
    push(
      "at-sagemcom", "Austria, Sagemcom T210-D: ciphered M-Bus frames of 257 bytes", .slow, 5000,
      .lowerAustrian(maker: "SAG", length: 257)),
    push(
      "at-siemens", "Austria, Siemens IM350: ciphered list without codes every second", .fast, 1000,
      .infrared(maker: "SMS", address: [0xCF, 0x00, 0x02, 0x00, 0x23], isLong: false)),
    push(
      "at-iskra-ciphered", "Austria, Iskra AM550: ciphered list without codes every second", .fast,
      1000, .infrared(maker: "ISK", address: [0xCF, 0x02, 0x23], isLong: true)),
    push(
      "at-iskra", "Austria, Iskra AM550: described list in three HDLC segments", .fast, 5000,
      .austrianIskra),
    p1(
      "at-sagemcom-p1", "Austria, Sagemcom T210-D (Energie Steiermark): ciphered text telegram",
      .styrian.sealed(maker: "SAG", isToldKey: false), period: 10_000),
    p1(
      "at-kelag-p1", "Austria, KELAG: ciphered text telegram behind an identification line",
      .styrian.sealed(maker: "KFM", isIntroduced: true), period: 10_000),
    push(
      "ch-landisgyr", "Switzerland, Landis+Gyr E450: object list and values, block transfer", .slow,
      10_000, .landisGyr(sendsScalers: false)),
    push(
      "ch-landisgyr-scalers", "Switzerland, Landis+Gyr E450: the same with scalers and units",
      .slow, 10_000, .landisGyr(sendsScalers: true)),
    push(
      "ch-landisgyr-ciphered",
      "Switzerland, Landis+Gyr E450: codes and values, ciphered with a tag",
      .slow, 5000, .sealedE450),
    push(
      "ch-landisgyr-e570", "Switzerland, Landis+Gyr E570: ciphered object list, block transfer",
      .slow, 5000, .sealedE570),
    push(
      "ch-iskra", "Switzerland, Iskra AM550: object list and values in HDLC segments", .fast, 5000,
      .swissIskra),
    MeterModel(
      name: "si-iskra", summary: "Slovenia, Iskra AM550: lists 1 and 2 of SODO without codes",
      line: .fast, phases: 3,
      schedule: [
        ScheduledFrame(layout: .push(.slovenian(list: 1)), period: 5000, offset: 0),
        ScheduledFrame(layout: .push(.slovenian(list: 2)), period: 900_000, offset: 0),
      ], clock: .central, captureSeconds: 300, tariffOneIsDay: false),
    push(
      "cz-sagemcom", "Czech Republic, Sagemcom XT211 (ČEZ): message every minute", .rs485, 60_000,
      .czech),
    p1(
      "lu-p1-ciphered", "Luxembourg, Smarty text telegram every 10 s, ciphered with a tag",
      .luxembourgish.sealed(
        maker: "SAG", authenticationKey: CipherForm.luxembourgishAuthenticationKey),
      period: 10_000),
  ]

  /// SML and D0, mostly of Germany.
  static let german: [MeterModel] = [
    optical("de-iskra", "Germany, Iskra MT175: SML every second", .sml(.iskra(phases: false))),
    optical(
      "de-iskra-mt631", "Germany, Iskra MT631 with PIN: SML with the power of each phase",
      .sml(.iskra(lead: 0x0A, phases: true))),
    optical(
      "de-iskra-locked", "Germany, Iskra MT631 without PIN: SML in whole kWh", .sml(.withoutPIN)),
    optical("de-emh", "Germany, EMH ED300L: SML every second", .sml(.emh)),
    optical("de-ebz", "Germany, eBZ DD3: SML in 10 µWh and 10 mW", .sml(.ebz)),
    optical("de-holley", "Germany, Holley DTZ541: SML under its older checksum", .sml(.holley)),
    optical("de-dzg", "Germany, DZG DVS74: SML with its power marked wrong", .sml(.dzg)),
    optical(
      "de-easymeter-d0", "Germany, EasyMeter Q3D: D0 every 2 s, without checksum",
      .d0(.easyMeter), line: .optical, 2000),
    optical(
      "de-emh-d0", "Germany, EMH eHZ: D0 every 2 s, without checksum", .d0(.emh), line: .optical,
      2000),
    optical(
      "ch-landisgyr-d0", "Switzerland, Landis+Gyr E350 and ZMD: D0 readout with block check",
      .d0(.landisGyr), line: .optical, 15_000),
    optical(
      "si-iskra-d0", "Slovenia, Iskra ME and MT: D0 readout with block check", .d0(.iskra),
      line: .optical, 15_000),
  ]

  private static func push(
    _ name: String, _ summary: String, _ line: LineSettings, _ period: Int64,
    _ layout: PushLayout, phases: Int = 3
  ) -> MeterModel {
    MeterModel(
      name: name, summary: summary, line: line, phases: phases,
      schedule: [ScheduledFrame(layout: .push(layout), period: period, offset: 0)],
      clock: .central, captureSeconds: 300, tariffOneIsDay: false)
  }

  private static func optical(
    _ name: String, _ summary: String, _ layout: ScheduledFrame.Layout,
    line: LineSettings = .rs485, _ period: Int64 = 1000
  ) -> MeterModel {
    MeterModel(
      name: name, summary: summary, line: line, phases: 3,
      schedule: [ScheduledFrame(layout: layout, period: period, offset: 0)], clock: .central,
      captureSeconds: 300, tariffOneIsDay: false)
  }
}
