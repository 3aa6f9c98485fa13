/// Recognises personal numbers and addresses in texts that people type: labels, topics, client ids.
public enum LabelLinter {
  /// What a text is used for, which decides how strict the linter is.
  public enum Use: Sendable {
    /// Names, nicknames, titles: everything is looked for.
    case label
    /// The topic root of a grant: besides, no run of six digits or more.
    case topicRoot
    /// A topic that the owner typed for something of their own: only identifiers.
    case ownTopic
  }

  /// Checks a text.
  ///
  /// Looks for a GSRN (18 digits, GS1 check digit), a CPR number (ten digits that begin with a
  /// date), a fødselsnummer (11 digits, two modulo-11 check digits), a GS1 number of 13 or more
  /// digits, an e-mail address, a telephone number, a street with number, and any value of the vault.
  ///
  /// - Throws: `E_LABEL_PERSONAL`.
  public static func check(
    _ text: String, as use: Use, vault: borrowing IdentifierVault
  ) throws(ConsentError) {
    guard !vault.occurs(in: text), !hasPersonalNumber(text) else { throw personal }
    switch use {
    case .ownTopic: return
    case .label:
      guard !hasAddress(text), !hasTelephone(text) else { throw personal }
    case .topicRoot:
      guard !hasAddress(text), longestDigitRun(text) < 6 else { throw personal }
    }
  }

  private static var personal: ConsentError {
    ConsentError(
      .labelPersonal,
      "the text looks like a personal number, an address or a meter's number; choose a plain word")
  }

  // MARK: - Numbers

  /// Runs of digits, with single spaces, dots or hyphens inside them left out.
  static func digitRuns(_ text: String) -> [[UInt8]] {
    let units = Array(text.utf8)
    var runs: [[UInt8]] = []
    var run: [UInt8] = []
    for (index, unit) in units.enumerated() {
      if let digit = digit(unit) {
        run.append(digit)
        continue
      }
      let isSeparator = [UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: ".")].contains(unit)
      let isInside =
        index > 0 && index + 1 < units.count && digit(units[index - 1]) != nil
        && digit(units[index + 1]) != nil
      if isSeparator, isInside { continue }
      if !run.isEmpty { runs.append(run) }
      run = []
    }
    if !run.isEmpty { runs.append(run) }
    return runs
  }

  private static func hasPersonalNumber(_ text: String) -> Bool {
    digitRuns(text).contains { run in
      windows(run, 18).contains(where: isGSRN) || windows(run, 11).contains(where: isBirthNumber)
        || (run.count == 10 && isCPR(run))
    }
  }

  private static func windows(_ run: [UInt8], _ length: Int) -> [[UInt8]] {
    guard run.count >= length else { return [] }
    return (0...(run.count - length)).map { Array(run[$0..<($0 + length)]) }
  }

  /// 18 digits, the last of which is the GS1 modulo-10 check digit (GS1 General Specifications §7.9).
  static func isGSRN(_ digits: [UInt8]) -> Bool {
    guard digits.count == 18 else { return false }
    var sum = 0
    for (index, digit) in digits.dropLast().enumerated() {
      sum += Int(digit) * (index % 2 == 0 ? 3 : 1)
    }
    return (10 - sum % 10) % 10 == Int(digits[17])
  }

  /// Ten digits DDMMYYSSSS; the modulo-11 rule was given up in 2007, so the date decides.
  static func isCPR(_ digits: [UInt8]) -> Bool {
    digits.count == 10 && isDate(day: number(digits, 0), month: number(digits, 2))
  }

  /// Eleven digits DDMMYYIIIKK with both check digits (folkeregisterforskriften § 2-2-1).
  ///
  /// Days of D-numbers are 40 more, months of synthetic numbers 40 or 80 more.
  static func isBirthNumber(_ digits: [UInt8]) -> Bool {
    guard digits.count == 11 else { return false }
    let day = number(digits, 0) % 40
    let month = number(digits, 2) % 40
    guard isDate(day: day, month: month) else { return false }
    let first: [Int] = [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]
    let second: [Int] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]
    return weighted(digits, first) % 11 == 0 && weighted(digits, second) % 11 == 0
  }

  private static func weighted(_ digits: [UInt8], _ weights: [Int]) -> Int {
    zip(digits, weights).reduce(0) { $0 + Int($1.0) * $1.1 }
  }

  private static func number(_ digits: [UInt8], _ start: Int) -> Int {
    Int(digits[start]) * 10 + Int(digits[start + 1])
  }

  private static func isDate(day: Int, month: Int) -> Bool {
    (1...12).contains(month) && (1...31).contains(day)
      && !((month == 2 && day > 29) || ([4, 6, 9, 11].contains(month) && day > 30))
  }

  static func longestDigitRun(_ text: String) -> Int {
    var longest = 0
    var length = 0
    for unit in text.utf8 {
      length = digit(unit) == nil ? 0 : length + 1
      longest = max(longest, length)
    }
    return longest
  }

  private static func digit(_ unit: UInt8) -> UInt8? {
    unit >= UInt8(ascii: "0") && unit <= UInt8(ascii: "9") ? unit - UInt8(ascii: "0") : nil
  }

  // MARK: - Addresses

  /// Eight digits or more, or a plus sign before six or more.
  private static func hasTelephone(_ text: String) -> Bool {
    let runs = digitRuns(text)
    return runs.contains { $0.count >= 8 }
      || (text.utf8.contains(UInt8(ascii: "+")) && runs.contains { $0.count >= 6 })
  }

  private static func hasAddress(_ text: String) -> Bool {
    hasMailAddress(text) || hasStreet(text)
  }

  private static func hasMailAddress(_ text: String) -> Bool {
    let units = Array(text.utf8)
    for (index, unit) in units.enumerated() where unit == UInt8(ascii: "@") {
      let rest = units[(index + 1)...].prefix { $0 > 0x20 && $0 != UInt8(ascii: "/") }
      if index > 0, units[index - 1] > 0x20, rest.contains(UInt8(ascii: ".")) { return true }
    }
    return false
  }

  /// A word that ends like a street's name, then a house number.
  private static func hasStreet(_ text: String) -> Bool {
    let endings = [
      "vej", "vejen", "vei", "veien", "veg", "vegen", "gade", "gaden", "gate", "gata", "gaten",
      "allé", "alle", "stræde", "plads", "plass", "torv", "gatan", "vägen", "straße", "strasse",
      "street", "road", "avenue", "straat", "laan", "weg", "katu", "tie",
    ]
    let words = text.lowercased().split { !($0.isLetter || $0.isNumber) }
    for (word, next) in zip(words, words.dropFirst()) {
      guard next.first?.isNumber == true, next.count <= 5, word.count > 3 else { continue }
      if endings.contains(where: { word.hasSuffix($0) }) { return true }
    }
    return false
  }
}
