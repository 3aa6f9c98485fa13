/// Data categories that a grant can name, one bit each; bit numbers are frozen.
///
/// Keys, link addresses, messages and diagnostics have no bit: nobody can grant them.
public struct CategorySet: RawRepresentable, Equatable, Sendable, BitwiseCopyable {
  /// The bits.
  public var rawValue: UInt32

  /// Makes a set from its bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Import register, absolute.
  public static let e1 = CategorySet(rawValue: 1 << 0)
  /// Export register, absolute.
  public static let e2 = CategorySet(rawValue: 1 << 1)
  /// Import energy, by interval or counted from the grant's start.
  public static let e3 = CategorySet(rawValue: 1 << 2)
  /// Export energy, by interval or counted from the grant's start.
  public static let e4 = CategorySet(rawValue: 1 << 3)
  /// Energy of the last full hour.
  public static let e5 = CategorySet(rawValue: 1 << 4)
  /// Import power.
  public static let p1 = CategorySet(rawValue: 1 << 5)
  /// Export power.
  public static let p3 = CategorySet(rawValue: 1 << 6)
  /// Power of each phase.
  public static let p2 = CategorySet(rawValue: 1 << 7)
  /// Voltage.
  public static let v1 = CategorySet(rawValue: 1 << 8)
  /// Current.
  public static let a1 = CategorySet(rawValue: 1 << 9)
  /// Reactive and apparent power and energy.
  public static let q1 = CategorySet(rawValue: 1 << 10)
  /// Frequency and power factor.
  public static let f1 = CategorySet(rawValue: 1 << 11)
  /// Demand and its peaks.
  public static let d1 = CategorySet(rawValue: 1 << 12)
  /// Outages, sags and swells.
  public static let o1 = CategorySet(rawValue: 1 << 13)
  /// Tariff in force.
  public static let t1 = CategorySet(rawValue: 1 << 14)
  /// Limiter, breaker and fuse.
  public static let l1 = CategorySet(rawValue: 1 << 15)
  /// The meter's clock; stays in the house.
  public static let c1 = CategorySet(rawValue: 1 << 16)
  /// Operating hours and the like; stays in the house.
  public static let u1 = CategorySet(rawValue: 1 << 17)
  /// Gas sub-meters.
  public static let m1 = CategorySet(rawValue: 1 << 18)
  /// Water sub-meters.
  public static let m2 = CategorySet(rawValue: 1 << 19)
  /// Heat sub-meters.
  public static let m3 = CategorySet(rawValue: 1 << 20)
  /// What the owner typed about the household.
  public static let x1 = CategorySet(rawValue: 1 << 21)
  /// Coarse location that the owner typed.
  public static let x2 = CategorySet(rawValue: 1 << 22)
  /// The IP address of the house, which every direct connection shows.
  public static let n1 = CategorySet(rawValue: 1 << 23)
  /// Meter number.
  public static let i1 = CategorySet(rawValue: 1 << 24)
  /// Metering point id.
  public static let i2 = CategorySet(rawValue: 1 << 25)
  /// Numbers of sub-meters.
  public static let i3 = CategorySet(rawValue: 1 << 26)
  /// Meter type, firmware, list id; stays in the house.
  public static let i6 = CategorySet(rawValue: 1 << 27)

  /// The sub-meter categories.
  public static let subMeters: CategorySet = CategorySet(rawValue: 0b111 << 18)
  /// The categories that name a device or a place in the grid.
  public static let identifiers: CategorySet = CategorySet(rawValue: 0b1111 << 24)
  /// Categories that no external grant can hold, whatever its profile.
  public static let neverOffSite: CategorySet = CategorySet(
    rawValue: 1 << 16 | 1 << 17 | 1 << 27)
}

#if !hasFeature(Embedded)
  // An option set is made from array literals, which need a heap, so only hosted code has it.
  extension CategorySet: OptionSet {}
#endif
