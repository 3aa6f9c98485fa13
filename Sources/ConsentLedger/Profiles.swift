internal import FoundationEssentials
public import PrivacyFilter

/// A profile with what a person reads about it.
public struct ProfileDocument: Sendable {
  /// The ceiling for grants under it.
  public var profile: Profile
  /// Where its rules come from.
  public var source: String
  /// What it means, in plain words, for the person who decides.
  public var explanation: String
}

extension ProfileDocument: Decodable {
  private enum Key: String, CodingKey {
    case source, explanation
  }

  /// Reads a file of `Profiles/`: a `gateway-profile/1` with `source` and `explanation` beside.
  ///
  /// - Throws: `DecodingError`.
  public init(from decoder: any Decoder) throws {
    profile = try Profile(from: decoder)
    let words = try decoder.container(keyedBy: Key.self)
    source = try words.decode(String.self, forKey: .source)
    explanation = try words.decode(String.self, forKey: .explanation)
  }
}

/// The profiles that this agent knows, from the data files in `Profiles/`.
public enum Profiles {
  /// The profile of that name; nil if there is none.
  ///
  /// Only its file is decoded.
  public static func named(_ name: String) -> ProfileDocument? {
    files.first { $0.name == name }.flatMap { decode($0.bytes()) }
  }

  /// Every profile, in the order of the privacy design C4.
  public static var all: [ProfileDocument] { files.compactMap { decode($0.bytes()) } }

  /// The names of all, in the same order.
  public static var names: [String] { files.map(\.name) }

  /// The files by the name of their profile; the bytes lie in the program, not beside it.
  static let files: [(name: String, bytes: @Sendable () -> [UInt8])] = [
    ("local-dashboard", { PackageResources.local_dashboard_json }),
    ("local-automation", { PackageResources.local_automation_json }),
    ("app-insight", { PackageResources.app_insight_json }),
    ("eliq-disaggregation", { PackageResources.eliq_disaggregation_json }),
    ("enode-smartcharge", { PackageResources.enode_smartcharge_json }),
    ("supplier-billing-check", { PackageResources.supplier_billing_check_json }),
    ("dso-hourly-copy", { PackageResources.dso_hourly_copy_json }),
    ("family-view", { PackageResources.family_view_json }),
    ("installer-fault", { PackageResources.installer_fault_json }),
    ("research-aggregate", { PackageResources.research_aggregate_json }),
    ("statistics-aggregate", { PackageResources.statistics_aggregate_json }),
    ("thirdcountry-analytics", { PackageResources.thirdcountry_analytics_json }),
    ("custom", { PackageResources.custom_json }),
  ]

  private static func decode(_ bytes: [UInt8]) -> ProfileDocument? {
    guard
      let document = try? JSONDecoder().decode(ProfileDocument.self, from: Data(bytes)),
      document.profile.schema == "gateway-profile/1"
    else { return nil }
    return document
  }
}
