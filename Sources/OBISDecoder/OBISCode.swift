/// An OBIS code A-B:C.D.E*F, which names one quantity of a meter.
///
/// Each group is 0…255; F is 255 where the meter sends none. Ordered by A, then B … F.
/// Source: IEC 62056-61 (OBIS); DLMS UA Blue Book, part 2, "COSEM object identification".
public struct OBISCode: Equatable, Comparable, Sendable, BitwiseCopyable {
  /// The six groups, A in bits 40–47 down to F in bits 0–7.
  public let rawValue: UInt64

  /// Makes a code from its six groups.
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, _ e: UInt8, _ f: UInt8 = 255) {
    rawValue =
      UInt64(a) << 40 | UInt64(b) << 32 | UInt64(c) << 24 | UInt64(d) << 16 | UInt64(e) << 8
      | UInt64(f)
  }

  /// The code in the lowest six bytes of a number, A highest.
  init(lowest word: UInt64) { rawValue = word & 0xFFFF_FFFF_FFFF }

  /// The code in the six bytes at `offset`, which must be there.
  init(_ bytes: Span<UInt8>, at offset: Int) {
    self.init(lowest: bytes.bigEndian(at: offset, count: 6))
  }

  /// Medium: 0 abstract, 1 electricity.
  public var a: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 40) }
  /// Channel: 0 the meter itself, 1…4 its M-Bus sub-meters.
  public var b: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 32) }
  /// Physical quantity, 96 for abstract data.
  public var c: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 24) }
  /// Kind of processing: 7 instantaneous, 8 time integral.
  public var d: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 16) }
  /// Tariff or further classification; 0 is the total.
  public var e: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 8) }
  /// Billing period; 255 is none.
  public var f: UInt8 { UInt8(truncatingIfNeeded: rawValue) }

  /// Groups C, D and E packed in 24 bits: what a quantity is, apart from medium, channel and period.
  public var cde: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 8) & 0xFF_FFFF }

  /// Packs C, D and E the way `cde` does, for comparing and switching.
  @inlinable
  public static func cde(_ c: UInt8, _ d: UInt8, _ e: UInt8) -> UInt32 {
    UInt32(c) << 16 | UInt32(d) << 8 | UInt32(e)
  }

  /// Orders codes group by group, A first.
  public static func < (left: OBISCode, right: OBISCode) -> Bool { left.rawValue < right.rawValue }

  /// Appends the code as `A-B:C.D.E`, with `.F` behind it only where F is not 255.
  public func write<let capacity: Int>(to out: inout ByteBuffer<capacity>) {
    out.append(integer: Int64(a))
    out.append(UInt8(ascii: "-"))
    out.append(integer: Int64(b))
    out.append(UInt8(ascii: ":"))
    out.append(integer: Int64(c))
    out.append(UInt8(ascii: "."))
    out.append(integer: Int64(d))
    out.append(UInt8(ascii: "."))
    out.append(integer: Int64(e))
    guard f != 255 else { return }
    out.append(UInt8(ascii: "."))
    out.append(integer: Int64(f))
  }
}

#if !hasFeature(Embedded)
  // Embedded Swift would draw in `arc4random_buf` for the hash seed, so only hosted code hashes.
  extension OBISCode: Hashable {}

  extension OBISCode: CustomStringConvertible {
    /// The code as `A-B:C.D.E`, with `.F` where F is not 255.
    public var description: String {
      let head = "\(a)-\(b):\(c).\(d).\(e)"
      return f == 255 ? head : head + ".\(f)"
    }
  }
#endif
