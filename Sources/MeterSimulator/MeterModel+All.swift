extension MeterModel {
  /// Every model: text telegrams, then Nordic push lists, then those of central Europe and Germany.
  public static let all: [MeterModel] = northern + central + german

  private static let northern: [MeterModel] = [
    p1("nl-dsmr5", "Netherlands, DSMR 5 text telegram every second", .dutch5),
    p1(
      "nl-dsmr4", "Netherlands, DSMR 4.2 text telegram every 10 s", .dutch4, period: 10_000,
      captureSeconds: 3600),
    p1(
      "nl-dsmr22", "Netherlands, DSMR 2.2 text telegram every 10 s, without checksum", .dutch22,
      period: 10_000, line: LineSettings(baudRate: 9600, dataBits: 7, parity: .even),
      captureSeconds: 3600),
    p1(
      "be-emucs", "Belgium, e-MUCS text telegram every second, with peak history", .belgian,
      tariffOneIsDay: true),
    p1(
      "se-p1", "Sweden, text telegram of the industry recommendation every 10 s", .swedish,
      period: 10_000, clock: .nordicStandard),
    p1(
      "fi-p1", "Finland, text telegram every 10 s", .finnish, period: 10_000,
      clock: CivilClock(standardOffsetMinutes: 120, daylightSaving: .european)),
    p1("dk-p1", "Denmark, text telegram every 10 s", .danish, period: 10_000),
    p1("hu-p1", "Hungary, text telegram every 10 s, with billing line", .hungarian, period: 10_000),
    p1(
      "lt-p1", "Lithuania, text telegram every 10 s in kV and kA", .lithuanian, period: 10_000,
      clock: CivilClock(standardOffsetMinutes: 120, daylightSaving: .european)),
    p1(
      "lu-p1", "Luxembourg, Smarty text telegram every 10 s, plain", .luxembourgish, period: 10_000),
    p1("ch-p1", "Switzerland, text telegram every 5 s", .swiss, period: 5000),
    norwegian(
      "no-aidon", "Norway, Aidon on three phases: lists 1, 2 and 3", phases: 3, every: 2500
    ) { .aidon(list: $0, phases: 3) },
    norwegian(
      "no-aidon-1ph", "Norway, Aidon on one phase: lists 1, 2 and 3", phases: 1, every: 2500
    ) { .aidon(list: $0, phases: 1) },
    push(
      "se-aidon", "Sweden, Aidon: one list of 27 elements every 10 s", phases: 3, parity: .even,
      [ScheduledFrame(layout: .push(.swedishAidon), period: 10_000, offset: 0)]),
    norwegian(
      "no-kaifa", "Norway, Kaifa on three phases: lists 1, 2 and 3 without codes", phases: 3,
      every: 2000
    ) { .kaifa(list: $0, phases: 3) },
    norwegian(
      "no-kaifa-1ph", "Norway, Kaifa on one phase: lists 1, 2 and 3 without codes", phases: 1,
      every: 2000
    ) { .kaifa(list: $0, phases: 1) },
    push(
      "se-kaifa", "Sweden, Kaifa: one list with codes every 10 s", phases: 3, parity: .even,
      [ScheduledFrame(layout: .push(.swedishKaifa), period: 10_000, offset: 0)]),
    kamstrup("no-kamstrup", "Norway, Kamstrup on three phases: every 10 s and hourly", phases: 3),
    kamstrup("no-kamstrup-1ph", "Norway, Kamstrup on one phase: every 10 s and hourly", phases: 1),
    push(
      "dk-kamstrup", "Denmark, Kamstrup: one list of 65 elements every 10 s", phases: 3,
      parity: .none,
      [ScheduledFrame(layout: .push(.danishKamstrup), period: 10_000, offset: 0)]),
    push(
      "dk-kamstrup-ciphered", "Denmark, Kamstrup: the same list ciphered with a tag", phases: 3,
      parity: .none,
      [
        ScheduledFrame(
          layout: .push(.danishKamstrup.sealed(maker: "KAM")), period: 10_000, offset: 0)
      ]),
    push(
      "se-aidon-ciphered", "Sweden, Aidon: the list of 27 elements ciphered with a tag", phases: 3,
      parity: .even,
      [
        ScheduledFrame(
          layout: .push(.swedishAidon.sealed(maker: "AID")), period: 10_000, offset: 0)
      ]),
  ]

  static func p1(
    _ name: String, _ summary: String, _ layout: P1Layout, period: Int64 = 1000,
    line: LineSettings = LineSettings(baudRate: 115_200, dataBits: 8, parity: .none),
    clock: CivilClock = .central, captureSeconds: Int64 = 300, tariffOneIsDay: Bool = false
  ) -> MeterModel {
    MeterModel(
      name: name, summary: summary, line: line, phases: 3,
      schedule: [ScheduledFrame(layout: .p1(layout), period: period, offset: 0)], clock: clock,
      captureSeconds: captureSeconds, tariffOneIsDay: tariffOneIsDay)
  }

  /// List 1 at short intervals, list 2 every 10 s, list 3 at ten seconds past the hour (NVE).
  private static func norwegian(
    _ name: String, _ summary: String, phases: Int, every period: Int64,
    _ list: (Int) -> PushLayout
  ) -> MeterModel {
    push(
      name, summary, phases: phases, parity: .even,
      [
        ScheduledFrame(layout: .push(list(1)), period: period, offset: 0),
        ScheduledFrame(layout: .push(list(2)), period: 10_000, offset: 0),
        ScheduledFrame(layout: .push(list(3)), period: 3_600_000, offset: 10_000),
      ])
  }

  private static func kamstrup(_ name: String, _ summary: String, phases: Int) -> MeterModel {
    push(
      name, summary, phases: phases, parity: .none,
      [
        ScheduledFrame(
          layout: .push(.kamstrup(hourly: false, phases: phases)), period: 10_000, offset: 0),
        ScheduledFrame(
          layout: .push(.kamstrup(hourly: true, phases: phases)), period: 3_600_000, offset: 5000),
      ])
  }

  private static func push(
    _ name: String, _ summary: String, phases: Int, parity: LineSettings.Parity,
    _ schedule: [ScheduledFrame]
  ) -> MeterModel {
    MeterModel(
      name: name, summary: summary,
      line: LineSettings(baudRate: 2400, dataBits: 8, parity: parity), phases: phases,
      schedule: schedule, clock: .nordicStandard, captureSeconds: 300,
      tariffOneIsDay: false)
  }
}

extension CivilClock {
  /// Central European Time with daylight saving time.
  public static let central = CivilClock(
    standardOffsetMinutes: 60, daylightSaving: .european)
  /// Central European Time all the year, as Nordic meters keep it.
  public static let nordicStandard = CivilClock(standardOffsetMinutes: 60, daylightSaving: .never)
}
