import OBISDecoder

/// Makers of meters by the three letters that their frames carry; never a number of a meter.
///
/// Letters of the FLAG association (IEC 62056-21, 6.3.2), as identification lines, system titles and
/// server ids hold them; list ids begin with the maker's name.
enum MakerNames {
  private static let names: [String: String] = [
    "ADN": "Aidon", "AID": "Aidon", "APA": "Apator", "AUX": "Ningbo Sanxing", "CTA": "Addax",
    "DNT": "Discovergy", "DZG": "DZG", "EBZ": "eBZ", "EFR": "EFR", "ELS": "Elster", "EMH": "EMH",
    "ENE": "Sagemcom", "ESY": "EasyMeter", "EST": "Sagemcom", "FLU": "Sagemcom or Siconia",
    "HAG": "Hager", "HLY": "Holley", "HXE": "Hexing", "ISK": "Iskraemeco", "ITR": "Itron",
    "KAM": "Kamstrup", "KFM": "Kaifa", "KMP": "Kamstrup", "LGF": "Landis+Gyr",
    "LGZ": "Landis+Gyr", "LGY": "Landis+Gyr", "LOG": "Logarex", "LUX": "Sagemcom",
    "NOR": "Norax", "SAG": "Sagemcom", "SIE": "Siemens", "SMS": "Siemens",
    "XMX": "Landis+Gyr or Xemex",
  ]

  /// The maker whose letters `octets` hold where `secret` has them; nil where nobody is known.
  static func name(in octets: [UInt8], _ secret: Secret) -> String? {
    let text = String(decoding: octets, as: UTF8.self)
    for (beginning, name) in [("AIDON", "Aidon"), ("Kamstrup", "Kamstrup"), ("KFM_", "Kaifa")]
    where text.hasPrefix(beginning) { return name }
    switch octets.count {
    // System title.
    case 8 where secret.kind == .keyMaterial: return name(octets[0...2])
    // Server id of SML.
    case 10 where octets[0] == 0x0A || octets[0] == 0x09: return name(octets[2...4])
    // Identification line of P1 and D0, without its slash.
    case 4... where secret.kind == .meterType && secret.code == nil && !secret.isHex:
      return name(octets[0...2])
    default: return nil
    }
  }

  private static func name(_ letters: ArraySlice<UInt8>) -> String? {
    names[String(decoding: letters, as: UTF8.self).uppercased()]
  }
}
