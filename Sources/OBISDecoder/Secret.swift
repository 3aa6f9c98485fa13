/// Where a frame holds something that identifies a household, and what kind it is.
///
/// It is a place, not a value: it cannot be printed, encoded or stored past the frame. Whoever has
/// the frame's bytes may copy them into a vault. Kinds follow the categories of the privacy design:
/// everything that is not a number with a known meaning is one.
public struct Secret: Equatable, Sendable, BitwiseCopyable {
  /// What it identifies.
  public enum Kind: UInt8, Sendable, BitwiseCopyable {
    /// The electricity meter's number, any form (category I1).
    case meterNumber
    /// Metering point id, GSRN or EAN (I2).
    case meteringPoint
    /// Number of a gas, water or heat meter (I3).
    case subMeterNumber
    /// Keys, system title, invocation counter, signature (I4).
    case keyMaterial
    /// Maker, type, firmware, list id, identification line (I6).
    case meterType
    /// Text message of the grid company (I7).
    case message
    /// Text or code of no known meaning: treated as an identifier.
    case unknown

    /// The kind's name in documents, such as `meter_number`.
    public var name: StaticString {
      switch self {
      case .meterNumber: "meter_number"
      case .meteringPoint: "metering_point"
      case .subMeterNumber: "sub_meter_number"
      case .keyMaterial: "key_material"
      case .meterType: "meter_type"
      case .message: "message"
      case .unknown: "unknown"
      }
    }
  }

  /// What it identifies.
  public var kind: Kind
  /// The code it stood under; nil for the identification line and header fields.
  public var code: OBISCode?
  /// Where it begins, counted from the first byte of the frame.
  public var offset: Int
  /// How many bytes of the frame it takes.
  public var count: Int
  /// Whether those bytes are hexadecimal digits that stand for the octets meant (P1, tag 0-0:96.1.1).
  public var isHex: Bool

  /// Makes a secret.
  public init(kind: Kind, code: OBISCode?, offset: Int, count: Int, isHex: Bool) {
    self.kind = kind
    self.code = code
    self.offset = offset
    self.count = count
    self.isHex = isHex
  }
}
