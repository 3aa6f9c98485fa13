/// Which attribute of which object a value is: class, OBIS code, attribute, data index.
///
/// DLMS UA Blue Book, "Push setup", push_object_list, and Green Book, "cosem-attribute-descriptor":
///
///     PUSH OBJECT LIST: a structure of        DESCRIPTOR: 9 bytes without tags
///     long-unsigned  class                    2  class
///     octet-string   OBIS code, 6 bytes       6  OBIS code
///     integer        attribute                1  attribute
///     long-unsigned  data index, 0 is all
///     [restriction, columns; later editions]
struct COSEMAttribute: Equatable, BitwiseCopyable {
  var classID: UInt16
  var code: OBISCode
  /// 1 is the object's own name.
  var index: UInt8
  /// Which element of the attribute, 0 for the whole.
  var dataIndex: UInt16

  /// Bytes of a descriptor.
  static let descriptorCount = 9

  /// Reads an entry of a push object list; nil if `cursor` is at none.
  init?(_ cursor: inout AXDRCursor, in bytes: Span<UInt8>) {
    guard let head = try? cursor.next(in: bytes), head.tag == AXDRElement.Tag.structure,
      head.count >= 4,
      let object = try? cursor.next(in: bytes), object.tag == AXDRElement.Tag.longUnsigned,
      let code = try? cursor.next(in: bytes).code(in: bytes),
      let attribute = try? cursor.next(in: bytes), attribute.tag == AXDRElement.Tag.integer,
      let part = try? cursor.next(in: bytes), part.tag == AXDRElement.Tag.longUnsigned,
      (try? cursor.skip(to: head.level, in: bytes)) != nil
    else { return nil }
    classID = UInt16(truncatingIfNeeded: bytes.bigEndian(at: object.content, count: 2))
    self.code = code
    index = bytes[attribute.content]
    dataIndex = UInt16(truncatingIfNeeded: bytes.bigEndian(at: part.content, count: 2))
  }

  /// Reads a descriptor, which is the next element of `cursor`; nil if there is none.
  init?(descriptor cursor: inout AXDRCursor, in bytes: Span<UInt8>) {
    let offset = cursor.offset
    guard (try? cursor.skipElement(bytes: Self.descriptorCount)) != nil else { return nil }
    classID = UInt16(truncatingIfNeeded: bytes.bigEndian(at: offset, count: 2))
    code = OBISCode(bytes, at: offset + 2)
    index = bytes[offset + 8]
    dataIndex = 0
    guard classID != 0, code.f == 255, index != 0 else { return nil }
  }

  /// Whether it is the object's own name, an OBIS code.
  var isName: Bool { index == 1 }
  /// Whether the object is a register, extended register or demand register.
  var isRegister: Bool { (3...5).contains(classID) }
  /// Whether it is a register's value.
  var isRegisterValue: Bool { isRegister && index == 2 && dataIndex == 0 }
  /// Whether it is a register's scaler_unit.
  var isScaler: Bool { isRegister && index == scalerIndex }
  /// Whether it is an extended register's capture_time.
  var isCaptureTime: Bool { classID == 4 && index == Self.captureTimeIndex }

  /// Which attribute of such a register is its scaler_unit.
  var scalerIndex: UInt8 { classID == 5 ? 4 : 3 }
  static let captureTimeIndex: UInt8 = 5
}
