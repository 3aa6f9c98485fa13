import Testing

@testable import OBISDecoder

/// Eight bytes looked at together against one byte after the other.
struct WordTests {
  @Test func countsDigitsOfEveryByteAtEveryPlace() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<8 {
        var bytes = Array("0aF9fA5b".utf8)
        bytes[place] = byte
        let word = bytes.span.word(at: 0)
        let isHex = hexDigit(byte) != nil
        #expect(word.hexDigits == (isHex ? 8 : place), "\(byte) at \(place)")
        bytes = Array("01234567".utf8)
        bytes[place] = byte
        #expect(bytes.span.word(at: 0).noDigits.firstByte == (isDigit(byte) ? 8 : place))
        #expect(bytes.span.word(at: 0).byte(place) == byte)
      }
    }
  }

  @Test func findsTheFirstOfAnyByte() {
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ ($0 >> 2)) }
    for byte in UInt8.min...UInt8.max {
      for start in [0, 1, 7, 60, 150, 195, 200] {
        let range = start..<(start + (200 - start) * 3 / 4)
        let expected = range.first { bytes[$0] == byte } ?? range.upperBound
        #expect(bytes.span.place(of: byte, in: range) == expected)
      }
    }
  }

  @Test func readsNumbersOfEveryLength() {
    let digits = Array("98765432".utf8)
    for length in 0...8 {
      let number = UInt64(String(decoding: digits.prefix(length), as: UTF8.self)) ?? 0
      #expect(digits.span.word(at: 0).number(ofDigits: length) == number)
    }
  }

  @Test func fillsUpWithZerosBehindTheEnd() {
    let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    #expect(bytes.span.paddedWord(at: 1) == 0x0908_0706_0504_0302)
    #expect(bytes.span.paddedWord(at: 6) == 0x09_0807)
    #expect(bytes.span.paddedWord(at: 9) == 0)
  }

  @Test("a decimal of any length is what its digits say")
  func readsDecimalsOfAnyLength() {
    for digits in 1...20 {
      for point in 0...digits {
        for sign in ["", "-", "+"] {
          let whole = String("99999999999999999999".prefix(digits))
          let text = sign + whole.prefix(point) + "." + whole.dropFirst(point)
          let mantissa = Int64((sign == "-" ? "-" : "") + whole)
          let expected = mantissa.map { Decimal(mantissa: $0, exponent: Int8(point - digits)) }
          let bytes = Array(text.utf8)
          #expect(Decimal(parsing: bytes.span, in: 0..<bytes.count) == expected, "\(text)")
        }
      }
    }
  }
}
