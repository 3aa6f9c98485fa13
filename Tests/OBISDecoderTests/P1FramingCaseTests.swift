import OBISDecoder
import Testing

/// Framing and integrity of P1: cases 1 to 14 of the hard cases.
struct P1FramingCaseTests {
  private static let lines = ["0-0:1.0.0(260115143007W)", "1-0:1.7.0(00.473*kW)"]
  private static let good = telegram(lines)

  /// The telegram with everything behind '!' replaced.
  private func withEnd(_ end: String, _ lines: [String] = lines) -> [UInt8] {
    let whole = telegram(lines)
    let mark = whole.lastIndex(of: UInt8(ascii: "!")) ?? 0
    return Array(whole[...mark]) + Array(end.utf8)
  }

  private func checksum(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.suffix(6).prefix(4), as: UTF8.self)
  }

  @Test("case 1: a telegram without checksum says so, each for itself")
  func statesIntegrityPerTelegram() {
    let sink = decode(Self.good + withEnd("\r\n") + Self.good)
    #expect(sink.summaries.map(\.integrity) == [.ok, .absent, .ok])
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W", "473 W", "473 W"])
  }

  @Test("case 2: a checksum of one to four digits is a checksum")
  func readsShortChecksums() throws {
    var found = Set<Int>()
    for number in 0..<70_000 where found.count < 3 {
      let bytes = telegram(["0-0:96.7.21(\(number))"])
      let digits = checksum(bytes)
      let short = String(digits.drop { $0 == "0" })
      guard short.count < 4, !short.isEmpty, found.insert(short.count).inserted else { continue }
      let sink = decode(withEnd(short + "\r\n", ["0-0:96.7.21(\(number))"]))
      #expect(sink.summaries.map(\.integrity) == [.ok], "\(short)")
      let wrong = decode(withEnd("E" + short.dropFirst() + "\r\n", ["0-0:96.7.21(\(number))"]))
      #expect(wrong.readings.isEmpty || short.hasPrefix("E"))
    }
    #expect(found.contains(3) && found.contains(2))
  }

  @Test("case 3: the case of a checksum's letters is free")
  func readsAnyCase() {
    for number in 0..<40 {
      let lines = ["0-0:96.7.21(\(number))"]
      let digits = checksum(telegram(lines))
      let mixed = digits.enumerated().map {
        $0.offset % 2 == 0 ? "\($0.element)".lowercased() : "\($0.element)"
      }
      for end in [digits.lowercased(), mixed.joined()] {
        #expect(decode(withEnd(end + "\r\n", lines)).summaries.map(\.integrity) == [.ok])
      }
    }
  }

  @Test("case 4: NUL behind the checksum and between lines is skipped")
  func skipsNUL() {
    let digits = checksum(Self.good)
    for end in ["\(digits)\u{0}\r\n", "\(digits)\u{0}\r\n\u{0}\u{0}"] {
      let sink = decode(withEnd(end) + Self.good)
      #expect(sink.summaries.map(\.integrity) == [.ok, .ok])
      #expect(sink.rejections.isEmpty)
    }
    let inside = telegram(["\u{0}1-0:1.7.0(00.473*kW)"])
    #expect(decode(inside).values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
  }

  @Test("a mark behind a byte that only resembles a line end does not end the telegram")
  func takesNoOtherByteForLineEnd() {
    // Eight bytes are searched together; a VT right behind an LF is what such a search may mistake.
    for width in 0..<8 {
      let filler = String(repeating: "x", count: width)
      for mark in ["!", "/"] {
        let lines = ["0-0:96.13.0(\(filler))", "\u{0B}\(mark)ABC", "1-0:1.7.0(00.473*kW)"]
        let sink = decode(telegram(lines))
        #expect(sink.summaries.map(\.integrity) == [.ok])
        #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
      }
    }
  }

  @Test("case 5: bare LF ends a line, and the checksum counts the bytes as received")
  func readsBareLineFeeds() {
    let body = Array("/TST5\\Made\n\n1-0:1.7.0(00.473*kW)\n!".utf8)
    let end = String(arc(body), radix: 16)
    let sink = decode(body + Array((end + "\n").utf8))
    #expect(sink.summaries.map(\.integrity) == [.ok])
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
  }

  @Test("case 6: '/' and '!' within a line are text")
  func keepsMarksWithinText() {
    let lines = ["0-0:96.13.0(a/ABC5 b!1234 !)", "1-0:1.7.0(00.473*kW)", "0-0:96.1.1(/XYZ5\\n!)"]
    let sink = decode(telegram(lines))
    #expect(sink.summaries.count == 1 && sink.rejections.isEmpty)
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
    let texts = sink.secrets.map { String(decoding: $0.text, as: UTF8.self) }
    #expect(texts == ["TST5\\Made", "a/ABC5 b!1234 !", "/XYZ5\\n!"])
  }

  @Test("case 7: a stream that begins within a telegram loses that one only")
  func losesOnlyTheCutTelegram() {
    for cut in 1..<Self.good.count {
      let sink = decode(Array(Self.good.dropFirst(cut)) + Self.good + Self.good)
      #expect(sink.summaries.count == 2, "\(cut)")
    }
  }

  @Test("case 8: a telegram that lost bytes on the line is rejected whole and counted")
  func rejectsLostBytes() {
    let mark = Self.good.firstIndex(of: UInt8(ascii: "(")) ?? 0
    for start in mark..<Self.good.count - 8 {
      for count in [1, 2, 5] where start + count < Self.good.count - 7 {
        let damaged = Array(Self.good[..<start] + Self.good[(start + count)...])
        let sink = decode(damaged + Self.good)
        #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"], "\(start) \(count)")
        #expect(sink.rejections.count == 1)
      }
    }
  }

  @Test("case 9: damaged characters that still look like data give no value")
  func checksBeforeItReads() {
    for (from, to) in [("00.473", "00.30M"), ("1-0:1.7.0", "1-0:!.7.0"), ("473", "873")] {
      let text = String(decoding: Self.good, as: UTF8.self).replacing(from, with: to)
      let sink = decode(Array(text.utf8))
      #expect(sink.readings.isEmpty && sink.summaries.isEmpty)
      #expect(sink.rejections.map(\.error.code) == [.checksumMismatch])
    }
  }

  @Test("case 10: a line of 3 kB and a telegram of 7 kB are read, a longer one is too long")
  func hasNoLimitOnALine() {
    let month = "(260601000000S)(260523192538S)(03.695*kW)"
    let history = "0-0:98.1.0(70)(1-0:1.6.0)(1-0:1.6.0)" + String(repeating: month, count: 70)
    let text = "0-0:96.13.0(\(String(repeating: "3F", count: 2000)))"
    let sink = decode(telegram([history, text, "1-0:1.7.0(00.473*kW)"]))
    #expect(sink.readings.count == 71)
    let long = decode(telegram([history, text, text, text]) + Self.good)
    #expect(long.rejections.map(\.error.code) == [.tooLong])
    #expect(long.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
  }

  @Test("case 11: 0xFF bytes in a message are opaque")
  func takesAnyByteInAMessage() {
    var bytes = Array(telegram(["0-0:96.13.0(~)", "1-0:1.7.0(00.473*kW)"]).dropLast(6))
    let place = bytes.firstIndex(of: UInt8(ascii: "~")) ?? 0
    bytes.replaceSubrange(place...place, with: [UInt8](repeating: 0xFF, count: 210))
    let sink = decode(bytes + Array((String(arc(bytes), radix: 16) + "\r\n").utf8))
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
    #expect(sink.secrets.map(\.secret.count) == [9, 210])
    #expect(sink.problems.isEmpty)
  }

  @Test("case 12: bytes that are no text in an identifier leave the readings alone")
  func takesAnyByteInAnIdentifier() {
    var bytes = Array(
      telegram(["0-0:96.1.1(~~)", "1-0:1.7.0(00.473*kW)"], identification: "/TST5~").dropLast(6))
    for index in bytes.indices where bytes[index] == UInt8(ascii: "~") { bytes[index] = 0xC3 }
    let sink = decode(bytes + Array((String(arc(bytes), radix: 16) + "\r\n").utf8))
    #expect(sink.values(OBISCode(1, 0, 1, 7, 0)) == ["473 W"])
    #expect(sink.secrets.map(\.secret.isHex) == [false, false])
    #expect(sink.problems.map(\.code) == [.notText])
  }

  @Test("case 13: the other parity is named, not only a bad checksum", arguments: [0, 1])
  func namesWrongParity(_ parity: Int) {
    let bytes = Self.good.map { $0.nonzeroBitCount % 2 == parity ? $0 : $0 | 0x80 }
    let sink = decode(bytes + bytes)
    #expect(sink.rejections.map(\.error.code) == [.notText, .notText])
    #expect(sink.readings.isEmpty && sink.summaries.isEmpty)
    #expect(accountingFault(sink, total: 2 * bytes.count) == nil)
  }

  @Test("case 14: a code with a group too many costs its line; a wrong checksum the telegram")
  func skipsMalformedCode() {
    let lines = ["1-0:4:24.7.0(0000.664*kVAr)", "1-0:1.7.0(00.473*kW)"]
    let sink = decode(telegram(lines))
    #expect(sink.readings.map(\.code) == [OBISCode(1, 0, 1, 7, 0)])
    #expect(sink.problems.map(\.code) == [.malformedCode])
    #expect(decode(withEnd("0000\r\n", lines)).readings.isEmpty)
  }
}
