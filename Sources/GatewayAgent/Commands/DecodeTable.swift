import OBISDecoder

/// Writes decoded frames for a person: a head line, then one aligned line a value.
struct DecodeTable {
  /// Whether identifiers carry their value.
  var showsIdentifiers: Bool
  /// For clocks that send no offset; nil leaves their times without one.
  var standardOffsetMinutes: Int16?
  /// The file, where there are several.
  var file: String?

  /// The lines of a frame, and an empty one.
  func lines(_ frame: DecodedFrame) -> [UInt8] {
    var lines = [head(frame)]
    if let rejection = frame.rejection {
      lines.append("  unusable: " + text(rejection))
    }
    lines += DecodeTable.aligned(frame.values.map { row($0, frame.summary.dialect) })
    if !frame.identifiers.isEmpty {
      lines.append(
        showsIdentifiers
          ? "  identifiers:" : "  identifiers (values hidden; --show-identifiers shows them):")
      lines += DecodeTable.aligned(frame.identifiers.map(row))
    }
    lines += frame.problems.map { "  not read: " + text($0) }
    return Array((lines.joined(separator: "\n") + "\n\n").utf8)
  }

  /// The line for bytes that belong to no frame.
  func line(discarded count: Int, at offset: UInt64) -> [UInt8] {
    Array("\(count) bytes from \(offset) on belong to no frame\n\n".utf8)
  }

  private func head(_ frame: DecodedFrame) -> String {
    let summary = frame.summary
    let checksum =
      switch frame.integrityName {
      case "ok": "checksum right"
      case "absent": "no checksum"
      default: "bad"
      }
    var parts = [
      "frame \(frame.number)", "offset \(summary.offset)", "\(summary.count) bytes",
      summary.dialect.name.description, checksum,
    ]
    if summary.trust != .clear { parts.append(summary.trust.name.description) }
    if summary.isReplay { parts.append("counter not above the last one (replay)") }
    if let file { parts.insert(DecodeTable.printable(Array(file.utf8)), at: 1) }
    if let time = summary.meterTime {
      parts.append(time.isoText(standardOffsetMinutes: standardOffsetMinutes))
    }
    return parts.joined(separator: " · ")
  }

  private func row(_ value: DecodedFrame.Value, _ dialect: Dialect) -> [String] {
    let reading = value.reading
    let unit = reading.unit == .one ? "" : " " + reading.unit.symbol.description
    let raw =
      switch dialect {
      case .p1, .d0: DecodeTable.printable(value.raw)
      case .hdlc, .mbus, .apdu, .sml: DecodedFrame.hex(value.raw)
      }
    let time = reading.time.map { $0.isoText(standardOffsetMinutes: standardOffsetMinutes) }
    return [
      reading.code.description, value.quantity ?? "-", reading.value.exactText + unit, raw,
      time ?? "",
    ]
  }

  private func row(_ identifier: DecodedFrame.Identifier) -> [String] {
    [
      identifier.secret.code?.description ?? "-", identifier.secret.kind.name.description,
      "\(identifier.octetCount) bytes", showsIdentifiers ? identifier.text : "",
    ]
  }

  private func text(_ error: DecodeError) -> String {
    var text = "\(error.code.name) at \(error.offset)"
    func number(_ number: UInt32) -> String {
      error.code.isChecksum ? number.checksumText : String(number)
    }
    if let expected = error.expected { text += ", expected \(number(expected))" }
    if let found = error.found { text += ", found \(number(found))" }
    return text
  }

  /// Rows with their columns under each other, the numbers of column 2 flush right.
  static func aligned(_ rows: [[String]]) -> [String] {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let space = String(repeating: " ", count: widths[column] - cell.count)
        line += "  " + (column == 2 ? space + cell : cell + space)
      }
      while line.last == " " { line.removeLast() }
      return line
    }
  }

  /// Bytes as a terminal may show them: anything but printable ASCII is a dot.
  static func printable(_ bytes: [UInt8]) -> String {
    String(
      decoding: bytes.map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: ".") }, as: UTF8.self)
  }
}
