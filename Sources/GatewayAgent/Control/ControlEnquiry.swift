/// What is done with enquiries: one is opened or answered, or all are listed (neither).
struct EnquiryRequest: Codable, Sendable {
  /// The right that somebody asks for.
  var kind: String?
  /// The day or time at which it came; nil for now.
  var received: String?
  /// The number of an enquiry that was answered.
  var answered: Int64?
}

/// An enquiry as a person sees it.
struct EnquiryView: Codable, Equatable, Sendable {
  var number: Int64
  var kind: String
  /// Who asked over MQTT.
  var recipient: String?
  var received: String
  /// When the answer is due.
  var due: String
  var answered: String?
  /// Whether the household is reminded.
  var isUrgent: Bool
}
