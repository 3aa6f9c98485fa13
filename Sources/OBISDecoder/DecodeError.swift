/// A rule that bytes broke: which, where, what was expected and what was found.
public struct DecodeError: Error, Equatable, Sendable, BitwiseCopyable {
  /// Which rule.
  public enum Code: UInt8, Sendable, BitwiseCopyable {
    /// The frame's checksum differs from the bytes; expected is computed, found is what was sent.
    case checksumMismatch
    /// The HDLC header's checksum (HCS) differs.
    case headerChecksumMismatch
    /// The frame ends before its end.
    case truncated
    /// The frame is longer than `Limits.frameBytes`.
    case tooLong
    /// An identification line, HDLC header or LLC is not as the standard has it.
    case malformedHeader
    /// A checksum field that is not hexadecimal.
    case malformedChecksum
    /// A data line without code or brackets.
    case malformedLine
    /// A code that is not A-B:C.D.E.
    case malformedCode
    /// A value that is not what its code or unit requires.
    case malformedValue
    /// A number with more digits than 64 bits hold.
    case numberTooLarge
    /// A unit that no standard names.
    case unknownUnit
    /// A date or time that no calendar has.
    case invalidTime
    /// A code that stood in the frame before: the first one counts.
    case duplicateCode
    /// An APDU other than data-notification; found is its tag.
    case unsupportedAPDU
    /// A ciphered APDU, for which a key is needed; found is its tag.
    case encrypted
    /// A part of a message in several frames whose other parts are missing.
    case segmented
    /// A COSEM type tag that the standard does not have; found is the tag.
    case unknownType
    /// Structures nested deeper than `Limits.nesting`.
    case nestingTooDeep
    /// A list of no known layout.
    case unknownList
    /// More elements than `Limits.elements`.
    case tooManyElements
    /// Bytes behind the last element.
    case trailingBytes
    /// Bytes that are no P1 character (not ASCII): often a wrong parity setting.
    case notText
    /// What a key made of a ciphered message is none: the key is another meter's.
    case wrongKey
    /// The authentication tag differs: the authentication key is wrong, or bytes were lost.
    case tagMismatch
    /// A block of a general block transfer out of its order; expected and found are block numbers.
    case blockOutOfOrder

    /// The rule's name in documents and logs, such as `checksum_mismatch`.
    public var name: StaticString {
      switch self {
      case .checksumMismatch: "checksum_mismatch"
      case .headerChecksumMismatch: "header_checksum_mismatch"
      case .truncated: "truncated"
      case .tooLong: "too_long"
      case .malformedHeader: "malformed_header"
      case .malformedChecksum: "malformed_checksum"
      case .malformedLine: "malformed_line"
      case .malformedCode: "malformed_code"
      case .malformedValue: "malformed_value"
      case .numberTooLarge: "number_too_large"
      case .unknownUnit: "unknown_unit"
      case .invalidTime: "invalid_time"
      case .duplicateCode: "duplicate_code"
      case .unsupportedAPDU: "unsupported_apdu"
      case .encrypted: "encrypted"
      case .segmented: "segmented"
      case .unknownType: "unknown_type"
      case .nestingTooDeep: "nesting_too_deep"
      case .unknownList: "unknown_list"
      case .tooManyElements: "too_many_elements"
      case .trailingBytes: "trailing_bytes"
      case .notText: "not_text"
      case .wrongKey: "wrong_key"
      case .tagMismatch: "tag_mismatch"
      case .blockOutOfOrder: "block_out_of_order"
      }
    }
  }

  /// Which rule.
  public var code: Code
  /// Index of the first offending byte, counted from the first byte of the frame.
  public var offset: Int
  /// What the rule asks for: a checksum, a count, a tag; nil where no number says it.
  public var expected: UInt32?
  /// What stood there instead.
  public var found: UInt32?

  /// Makes an error.
  public init(_ code: Code, at offset: Int, expected: UInt32? = nil, found: UInt32? = nil) {
    self.code = code
    self.offset = offset
    self.expected = expected
    self.found = found
  }
}
