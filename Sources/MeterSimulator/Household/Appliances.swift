/// The load of a household as a pure function of seed and time.
///
/// All arithmetic is on integers, so that every machine sees the same household.
struct Appliances: Sendable {
  /// What flows in one second: lanes 0…2 are the phases; positive is import.
  struct Load {
    var watts = SIMD4<Int64>()
    var vars = SIMD4<Int64>()

    mutating func add(_ phase: Int, _ watts: Int64, _ vars: Int64) {
      self.watts[phase] += watts
      self.vars[phase] += vars
    }
  }

  /// Which noise a number is drawn for; one stream never shows in another.
  private enum Stream: UInt64 {
    case base = 1, fridge, freezer, kettle, hob, wash, evening, weather, charger, cloud, voltage
    case gas, water, solarSize
  }

  let seed: UInt64
  let options: HouseholdOptions

  /// What the house draws and feeds in during the second that begins at `second`.
  func load(at second: Int64) -> Load {
    let local = options.clock.localSeconds(at: second)
    let day = CivilClock.day(of: local)
    let clock = local - day * 86_400
    var load = Load()
    addBase(&load, second)
    addCooling(&load, second)
    addCooking(&load, day, clock)
    addEvening(&load, second, clock)
    if options.hasHeatPump { addHeating(&load, second, day, clock) }
    if options.hasCharger { addCharger(&load, day, clock) }
    if options.hasSolar { addSolar(&load, second, day, clock) }
    guard options.phases == 1 else { return load }
    return Load(
      watts: SIMD4(load.watts[0] + load.watts[1] + load.watts[2], 0, 0, 0),
      vars: SIMD4(load.vars[0] + load.vars[1] + load.vars[2], 0, 0, 0))
  }

  /// Voltage of a phase in millivolts; the load pulls it down by about 0.4 V per kilowatt.
  func millivolts(phase: Int, watts: Int64, at second: Int64) -> Int64 {
    230_500 + wave(.voltage, second &+ Int64(phase) &* 7919, period: 240, amplitude: 3000)
      + noise(.voltage, second * 3 + Int64(phase), 300) - watts * 2 / 5
  }

  /// Gas flow in millilitres a second: hot water, and heating where there is no heat pump.
  func gasFlow(at second: Int64) -> Int64 {
    let local = options.clock.localSeconds(at: second)
    let day = CivilClock.day(of: local)
    let clock = local - day * 86_400
    let shower: Int64 =
      starts(.gas, day, count: 3, from: 23_000, to: 80_000, at: clock, for: 420)
      ? 600 : 0
    let need = 170 - outdoorTenths(day: day, clock: clock)
    let burning = need > 0 && !options.hasHeatPump && second % 1800 < need * 6
    return shower + (burning ? 320 : 0)
  }

  /// Water flow in millilitres a second.
  func waterFlow(at second: Int64) -> Int64 {
    let local = options.clock.localSeconds(at: second)
    let day = CivilClock.day(of: local)
    return starts(
      .water, day, count: 14, from: 22_000, to: 84_000, at: local - day * 86_400, for: 95)
      ? 110 : 0
  }

  // MARK: Appliances

  private func addBase(_ load: inout Load, _ second: Int64) {
    for phase in 0..<3 {
      let own = Int64(draw(.base, Int64(phase)) % 60)
      let slow = wave(.base, second &+ Int64(phase) &* 104_729, period: 600, amplitude: 25)
      let watts = 55 + own + slow + noise(.base, second * 3 + Int64(phase), 4)
      load.add(phase, watts, -40 + own / 3 + slow / 2)
    }
  }

  private func addCooling(_ load: inout Load, _ second: Int64) {
    for (phase, stream, watts) in [(0, Stream.fridge, Int64(85)), (2, Stream.freezer, Int64(110))] {
      let phaseOfCycle = (second &+ Int64(draw(stream, 0) % 2700)) % 2700
      guard phaseOfCycle < 900 else { continue }
      // The compressor's motor draws several times its running power for its first two seconds.
      load.add(phase, phaseOfCycle < 2 ? watts * 6 : watts, 45)
    }
  }

  private func addCooking(_ load: inout Load, _ day: Int64, _ clock: Int64) {
    if starts(.kettle, day, count: 4, from: 24_000, to: 79_000, at: clock, for: 150) {
      load.add(0, 2050, 0)
    }
    let dinner = 63_000 + Int64(draw(.hob, day) % 5400)
    if clock >= dinner, clock < dinner + 2700 {
      // A hob regulates by switching: 20 s of every 30 s, first at full power.
      let cooking = clock < dinner + 420 || clock % 30 < 20
      if cooking { load.add(1, 1800, 0) }
      if clock < dinner + 1500, clock % 40 < 24 { load.add(2, 1400, 0) }
    }
    guard draw(.wash, day) % 3 == 0 else { return }
    let wash = 32_400 + Int64(draw(.wash, day &+ 1_000_003) % 20_000)
    if clock >= wash, clock < wash + 6300 {
      load.add(1, clock < wash + 1300 ? 2010 : 140, 160)
    }
  }

  private func addEvening(_ load: inout Load, _ second: Int64, _ clock: Int64) {
    guard clock > 61_000, clock < 83_500 else { return }
    load.add(0, 130 + wave(.evening, second, period: 1200, amplitude: 60), -15)
    load.add(2, 75, -10)
  }

  private func addHeating(_ load: inout Load, _ second: Int64, _ day: Int64, _ clock: Int64) {
    let need = 170 - outdoorTenths(day: day, clock: clock)
    guard need > 0, second % 2400 < 500 + need * 10 else { return }
    for phase in 0..<3 { load.add(phase, 240 + need * 3, 110 + need / 2) }
  }

  private func addCharger(_ load: inout Load, _ day: Int64, _ clock: Int64) {
    // A session may pass midnight, so that yesterday's counts too.
    for back in [Int64(0), 1] {
      let today = day - back
      guard draw(.charger, today) % 7 < 5 else { continue }
      let start = 64_800 + Int64(draw(.charger, today &+ 500_009) % 18_000)
      let lasts = 3600 + Int64(draw(.charger, today &+ 900_007) % 12_600)
      let since = clock + back * 86_400 - start
      guard since >= 0, since < lasts else { continue }
      let watts: Int64 = lasts - since < 600 ? 1400 : 3680
      for phase in 0..<(options.phases == 1 ? 2 : 3) { load.add(phase, watts, 30) }
    }
  }

  private func addSolar(_ load: inout Load, _ second: Int64, _ day: Int64, _ clock: Int64) {
    let size = 3000 + Int64(draw(.solarSize, 0) % 5000)
    // Daylight from 8 hours on 21 December to 16 hours on 21 June, noon at 13:00 local time.
    let length = 28_800 + season(day) * 288
    let since = clock - (46_800 - length / 2)
    guard since > 0, since < length else { return }
    let height = 4 * since * (length - since) / (length / 100 * length / 100)
    let strength = 45 + season(day) * 55 / 100
    let cloud = 65 + wave(.cloud, second, period: 300, amplitude: 34)
    let watts = size * height / 10_000 * strength / 100 * cloud / 100
    for phase in 0..<3 { load.add(phase, -watts / 3, 8) }
  }

  // MARK: Weather and chance

  /// 0 on 21 December … 100 on 21 June.
  private func season(_ day: Int64) -> Int64 {
    let dayOfYear = ((day + 11) % 365 + 365) % 365
    let away = dayOfYear < 183 ? dayOfYear : 365 - dayOfYear
    return away * 100 / 183
  }

  /// Outdoor temperature in tenths of a degree Celsius.
  private func outdoorTenths(day: Int64, clock: Int64) -> Int64 {
    let hoursFromThree = abs(clock / 3600 - 15)
    return -20 + season(day) * 2 + 40 - hoursFromThree * 6
      + wave(.weather, day * 24 + clock / 3600, period: 60, amplitude: 50)
  }

  /// Whether one of the day's `count` chance starts happened less than `duration` seconds ago.
  private func starts(
    _ stream: Stream, _ day: Int64, count: Int64, from: Int64, to: Int64, at clock: Int64,
    for duration: Int64
  ) -> Bool {
    guard clock >= from else { return false }
    for index in 0..<count {
      let start = from + Int64(draw(stream, day &* 32 &+ index) % UInt64(to - from))
      if clock >= start, clock < start + duration { return true }
    }
    return false
  }

  /// A number of one stream and one moment, always the same.
  private func draw(_ stream: Stream, _ bucket: Int64) -> UInt64 {
    let place = RandomSource.mixed(UInt64(bitPattern: bucket) &+ stream.rawValue << 56)
    return RandomSource.mixed(seed ^ place)
  }

  /// −amplitude…amplitude, anew for each bucket.
  private func noise(_ stream: Stream, _ bucket: Int64, _ amplitude: Int64) -> Int64 {
    Int64(draw(stream, bucket) % UInt64(2 * amplitude + 1)) - amplitude
  }

  /// Noise that moves in straight lines from one period's value to the next one's.
  private func wave(_ stream: Stream, _ second: Int64, period: Int64, amplitude: Int64) -> Int64 {
    let bucket = second >= 0 ? second / period : (second - period + 1) / period
    let from = noise(stream, bucket &* 2 &+ 1_000_001, amplitude)
    let to = noise(stream, (bucket + 1) &* 2 &+ 1_000_001, amplitude)
    return from + (to - from) * (second - bucket * period) / period
  }
}
