extension ProfileReader {
  /// Checks what concerns more than one value: overlaps, the number of requests, what is useful.
  func check(_ profile: MeterProfile, _ values: ProfileTable) {
    checkOverlaps(profile, values)
    let useful: [MeterQuantity] = [.power, .powerL1, .energyImport, .energyExport]
    if !profile.fields.contains(where: { $0.quantity.map(useful.contains) ?? false }) {
      findings.add(
        .warning, line: nil, field: nil, "no power or energy reading in [values]")
    }
    let requests = MeterPlanner(profile).plan.fast
    guard requests.count > ProfileReader.manyRequests else { return }
    var text = "\(requests.count) requests per cycle"
    if let serial = profile.serial {
      let tenths =
        requests.reduce(0) { sum, block in
          sum + LineTime.microseconds(of: block, serial.baud, profile.limits)
        } / 100_000
      text += " at \(serial.baud) baud takes about \(tenths / 10).\(tenths % 10) s"
    }
    findings.add(
      .warning, line: nil, field: nil,
      "\(text); raise max_gap (now \(profile.limits.maxGap)) or mark values group = \"slow\"")
  }

  /// Two values may not share registers, unless one says `overlap_ok`: most often a 32-bit number was
  /// given one register.
  private func checkOverlaps(_ profile: MeterProfile, _ values: ProfileTable) {
    var values = values
    var seen: [RegisterField] = []
    for field in profile.fields {
      let clash = seen.first {
        $0.register.function == field.register.function
          && $0.register.range.overlaps(field.register.range)
      }
      seen.append(field)
      guard let clash, var entry = values.subtable(field.name),
        var other = values.subtable(clash.name), !entry.boolean("overlap_ok"),
        !other.boolean("overlap_ok")
      else { continue }
      values.reject(
        field.name,
        "\(field.name) (\(span(field))) overlaps \(clash.name) (\(span(clash))): "
          + "32-bit values need two registers")
    }
  }

  private func span(_ field: RegisterField) -> String {
    let range = field.register.range
    let first = ProfileReader.hexadecimal(range.lowerBound)
    return range.count == 1 ? first : "\(first)-\(ProfileReader.hexadecimal(range.upperBound - 1))"
  }

  /// An address as manuals print it: `0x0034`.
  static func hexadecimal(_ address: Int) -> String {
    let digits = String(address, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: max(4 - digits.utf8.count, 0)) + digits
  }
}

/// What a request costs on a serial line (MODBUS over serial line V1.02, 2.5.1.1).
public enum LineTime {
  /// How long a meter thinks, where nobody measured it (Carlo Gavazzi: typically 40 ms).
  static let turnaroundMicroseconds = 40_000

  /// Microseconds of one request with its reply: eight characters out, five and two a register back,
  /// ten bits each; the longer of the profile's silence and 3.5 characters; the meter's turnaround.
  public static func microseconds(
    of block: ReadBlock, _ baud: Int, _ limits: RequestLimits
  ) -> Int {
    let character = 10_000_000 / max(baud, 1)
    let silence = max(limits.minGapMilliseconds * 1000, character * 7 / 2)
    return (13 + block.count * 2) * character + silence + turnaroundMicroseconds
  }
}
