import PrivacyFilter

/// What of the household's history is wanted.
struct ExportRequest: Codable, Sendable {
  /// A meter's nickname; the first by default.
  var meter: String?
  var from: String?
  /// The first instant that is not wanted any more.
  var to: String?
  /// Seconds of a window: 900, 3600 or 86400.
  var seconds: Int64
  /// Where the last part ended.
  var next: Int64?
}

/// A part of the household's history.
struct ExportView: Codable, Sendable {
  /// One value; the keys are the columns of the CSV form.
  struct Row: Codable, Sendable, Equatable {
    var time_utc: String
    var duration_s: Int64
    var quantity: String
    /// An exact decimal.
    var value: String
    var unit: String
    var quality: String
  }

  var rows: [Row]
  var next: Int64?

  /// A quantity's name, with the channel of a sub-meter.
  static func name(_ quantity: Quantity) -> String {
    quantity.channel > 0 ? "\(quantity.name)_\(quantity.channel)" : "\(quantity.name)"
  }

  /// Thousandths as a decimal without zeros at its end.
  static func decimal(_ thousandths: Int64) -> String {
    let whole = thousandths.magnitude / 1000
    var digits = String(1000 + thousandths.magnitude % 1000).dropFirst()
    while digits.last == "0" { digits = digits.dropLast() }
    let sign = thousandths < 0 ? "-" : ""
    return sign + String(whole) + (digits.isEmpty ? "" : "." + digits)
  }
}
