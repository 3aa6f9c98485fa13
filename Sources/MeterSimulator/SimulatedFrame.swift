public import OBISDecoder

/// A frame as a meter would send it, with everything that a decoder should find in it.
public struct SimulatedFrame: Sendable {
  /// The bytes on the line: of all frames, where a message is sent in several.
  public var bytes: [UInt8]
  /// Where frames behind the first one begin in `bytes`.
  public var boundaries: [Int] = []
  /// What a reader has when frames are put together and deciphered: identifiers stand in it, and
  /// the system title in front of it.
  public var content: [UInt8]
  /// The values in the frame, in its order.
  public var expected: [ExpectedReading]
  /// Everything in the frame that identifies a household or a meter.
  public var identifiers: [SimulatedIdentifier]
  /// The meter's clock as the frame states it.
  public var meterTime: MeterTime?
  /// Whether the bytes are protected by a checksum.
  public var hasChecksum: Bool
  /// The dialect family, as `MeterModel.family`.
  public var family: String
  /// How far somebody who has the model's keys knows that the content comes from the meter.
  public var trust = Trust.clear

  /// The ciphered form of `message`, whose system title becomes an identifier; the message itself
  /// where there is no cipher.
  mutating func seal(
    _ message: [UInt8], _ cipher: CipherForm?, _ identity: MeterIdentity, _ counter: UInt32
  ) -> [UInt8] {
    guard let cipher else { return message }
    let title = identity.systemTitle(maker: cipher.maker)
    identifiers.append(
      SimulatedIdentifier(kind: .keyMaterial, bytes: title, text: P1Text.hex(title)))
    content = title + message
    trust = cipher.trust
    return cipher.seal(message, title: title, counter: counter)
  }
}

/// A value that stands in a simulated frame, exact to its last digit.
public struct ExpectedReading: Sendable, Equatable {
  /// The code it stands under.
  public var code: OBISCode
  /// The value in `unit`.
  public var value: Decimal
  /// The base unit.
  public var unit: Unit
  /// Capture time that stands with it.
  public var time: MeterTime?
  /// Whether every decoder must deliver it.
  ///
  /// False for counters and switches without a unit and for entries of logs, which a decoder may
  /// leave out; if it delivers one, the value must be right all the same.
  public var isRequired: Bool
}

/// Bytes of a frame that identify a household or a meter.
public struct SimulatedIdentifier: Sendable, Equatable {
  /// What it identifies.
  public enum Kind: Sendable {
    /// The electricity meter.
    case meterNumber
    /// The metering point (GSRN).
    case meteringPoint
    /// A gas, water or heat meter.
    case subMeterNumber
    /// Maker, type, firmware, list version.
    case meterType
    /// Text of the grid company.
    case message
    /// System title, public key.
    case keyMaterial
  }

  /// What it identifies.
  public var kind: Kind
  /// The bytes as they stand in the frame: hexadecimal digits in P1.
  public var bytes: [UInt8]
  /// The number or text meant.
  public var text: String
}
