import Native

/// Writes everything that a decoder reports to standard output, one line an event.
///
///     piece 0 120 8
///     deciphered 48 7 24 400 424 12
///     reading 1-0:1.8.0 1234567e-3 30 0 2026-01-15T14:30:07/1+60 118 10
///     secret 0 0-0:96.1.1 64 34 hex
///     problem 11 400 - -
///     ended 0 0 916 0 0 0 2026-01-15T14:30:07/1
///     rejected 1 916 120 1 0 118 4660 22136
///     discarded 12 1036
///
/// Enumerations are their raw values. Needs neither heap nor Swift runtime.
struct EventWriter: FrameSink {
  private struct Line: ~Copyable {
    private var text = ByteBuffer<512>()

    init(_ name: StaticString) { text.append(name) }

    mutating func add(_ number: Int64) {
      text.append(UInt8(ascii: " "))
      text.append(integer: number)
    }

    mutating func add(_ numbers: [2 of Int]) {
      for index in numbers.indices { add(Int64(numbers[index])) }
    }

    mutating func add(_ number: UInt32?) {
      if let number { add(Int64(number)) } else { add("-") }
    }

    mutating func add(_ word: StaticString) {
      text.append(UInt8(ascii: " "))
      text.append(word)
    }

    mutating func add(_ code: OBISCode?) {
      guard let code else { return add("-") }
      text.append(UInt8(ascii: " "))
      code.write(to: &text)
    }

    mutating func add(_ value: Decimal) {
      add(value.mantissa)
      text.append(UInt8(ascii: "e"))
      text.append(integer: Int64(value.exponent))
    }

    mutating func add(_ time: MeterTime?) {
      guard let time else { return add("-") }
      add(Int64(time.year))
      let parts: [5 of UInt8] = [time.month, time.day, time.hour, time.minute, time.second]
      let marks: [5 of UInt8] = [0x2D, 0x2D, 0x54, 0x3A, 0x3A]
      for index in parts.indices {
        text.append(marks[index])
        text.append(magnitude: UInt64(parts[index]), minimumDigits: 2)
      }
      text.append("/")
      text.append(integer: Int64(time.season.rawValue))
      guard let offset = time.offsetMinutes else { return }
      text.append(offset < 0 ? "" : "+")
      text.append(integer: Int64(offset))
    }

    mutating func add(_ error: DecodeError) {
      add(Int64(error.code.rawValue))
      add(Int64(error.offset))
      add(error.expected)
      add(error.found)
    }

    mutating func add(_ summary: FrameSummary) {
      add(Int64(summary.dialect.rawValue))
      add(Int64(bitPattern: summary.offset))
      add([summary.count, Int(summary.integrity.rawValue)])
      add([Int(summary.trust.rawValue), summary.isReplay ? 1 : 0])
      add(summary.meterTime)
    }

    consuming func end() {
      text.append(UInt8(ascii: "\n"))
      text.withBytes { line in
        unsafe line.withUnsafeBytes { bytes in
          unsafe native_write(bytes.baseAddress, UInt(bytes.count))
        }
      }
    }
  }

  mutating func piece(_ piece: MessagePiece) {
    var line = Line("piece")
    line.add([piece.offset, piece.count])
    line.add(Int64(bitPattern: piece.position))
    line.end()
  }

  mutating func deciphered(_ part: CipheredPart) {
    var line = Line("deciphered")
    line.add(Int64(part.header.securityControl))
    line.add(Int64(part.header.invocationCounter))
    line.add([part.ciphertext.lowerBound, part.ciphertext.count])
    line.add([part.tag.lowerBound, part.tag.count])
    line.end()
  }

  mutating func reading(_ reading: Reading, in bytes: Span<UInt8>) {
    var line = Line("reading")
    line.add(reading.code)
    line.add(reading.value)
    line.add([Int(reading.unit.rawValue), Int(reading.medium.rawValue)])
    line.add(reading.time)
    line.add([reading.offset, reading.count])
    line.end()
  }

  mutating func secret(_ secret: Secret, in bytes: Span<UInt8>) {
    var line = Line("secret")
    line.add(Int64(secret.kind.rawValue))
    line.add(secret.code)
    line.add([secret.offset, secret.count])
    line.add(secret.isHex ? "hex" : "plain")
    line.end()
  }

  mutating func problem(_ error: DecodeError, in bytes: Span<UInt8>) {
    var line = Line("problem")
    line.add(error)
    line.end()
  }

  mutating func frameEnded(_ summary: FrameSummary, in bytes: Span<UInt8>) {
    var line = Line("ended")
    line.add(summary)
    line.end()
  }

  mutating func frameRejected(_ summary: FrameSummary, _ error: DecodeError) {
    var line = Line("rejected")
    line.add(summary)
    line.add(error)
    line.end()
  }

  mutating func discarded(_ count: Int, at offset: UInt64) {
    var line = Line("discarded")
    line.add(Int64(count))
    line.add(Int64(bitPattern: offset))
    line.end()
  }
}
