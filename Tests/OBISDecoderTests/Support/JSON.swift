import Foundation

/// Any JSON value, its numbers exact: a double would not do as an expected reading.
enum JSON: Decodable, Sendable, Equatable {
  case null
  case bool(Bool)
  /// Exact decimal; `description` prints all of its digits.
  case number(Foundation.Decimal)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Foundation.Decimal.self) {
      self = .number(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([JSON].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  /// The member of that name; null if this is no object or has none.
  subscript(name: String) -> JSON {
    if case .object(let members) = self { members[name] ?? .null } else { .null }
  }

  var string: String? { if case .string(let value) = self { value } else { nil } }
  var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  var array: [JSON] { if case .array(let values) = self { values } else { [] } }
  var members: [String: JSON] { if case .object(let values) = self { values } else { [:] } }
  /// A number in plain decimal digits.
  var digits: String? { if case .number(let value) = self { value.description } else { nil } }
}
