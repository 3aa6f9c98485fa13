import OBISDecoder

/// The keys of a `[[meters]]` table that tell the decoder what the frames do not say.
extension ConfigurationReader {
  /// Reads all of them.
  func decoding(_ table: inout ConfigurationTable) -> DecodingKeys {
    let clock = table.choice("clock", of: ClockWord.self)?.convention
    let scale = scale(&table)
    let keyFile = key("key_file", &table)
    let authenticationKeyFile = key("authentication_key_file", &table)
    if table.has("authentication_key_file"), !table.has("key_file") {
      table.note("authentication_key_file", expected: "a key_file beside it", found: "none")
    }
    let titleFile = secret("system_title_file", &table)
    if let titleFile, checksFiles, SecretFile.fault(of: titleFile) == nil,
      let fault = SecretFile.titleFault(in: titleFile)
    {
      table.note(
        "system_title_file", expected: SystemTitle.expected, found: "\(titleFile): \(fault)")
    }
    if table.has("system_title_file"), !table.has("key_file") {
      table.note("system_title_file", expected: "a key_file beside it", found: "none")
    }
    return DecodingKeys(
      keyFile: keyFile, authenticationKeyFile: authenticationKeyFile, systemTitleFile: titleFile,
      scale: scale, clock: clock ?? .asSent)
  }

  /// A file with a meter's key; what is wrong with a key is said without showing it.
  private func key(_ name: String, _ table: inout ConfigurationTable) -> String? {
    guard let path = secret(name, &table) else { return nil }
    guard checksFiles, SecretFile.fault(of: path) == nil else { return path }
    if let fault = SecretFile.keyFault(in: path) {
      table.note(name, expected: SecretFile.expectedKey, found: "\(path): \(fault)")
    }
    return path
  }

  /// `scale_…` and `transformer_ratio`.
  private func scale(_ table: inout ConfigurationTable) -> ScaleOverride {
    func exponent(_ key: String) -> Int8? {
      let range = ScaleOverride.exponents
      return table.integer(key, in: Int(range.lowerBound)...Int(range.upperBound))
        .map { Int8(clamping: $0) }
    }
    let power = exponent("scale_power")
    let current = exponent("scale_current")
    let voltage = exponent("scale_voltage")
    let energy = exponent("scale_energy")
    var ratio: (primary: UInt16, secondary: UInt16) = (1, 1)
    let expected =
      "\"PRIMARY/SECONDARY\" in ampere, each from 1 to \(ScaleOverride.currents.upperBound), "
      + "such as \"300/5\", that is a finite decimal"
    _ = table.text("transformer_ratio", expected: expected) { text in
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        .map { UInt16($0) }
      guard parts.count == 2, let primary = parts[0], let secondary = parts[1],
        ScaleOverride(
          power: nil, current: nil, voltage: nil, energy: nil, primary: primary,
          secondary: secondary) != nil
      else { return false }
      ratio = (primary, secondary)
      return true
    }
    return ScaleOverride(
      power: power, current: current, voltage: voltage, energy: energy, primary: ratio.primary,
      secondary: ratio.secondary) ?? .none
  }
}

/// What a `[[meters]]` table tells the decoder.
struct DecodingKeys {
  var keyFile: String?
  var authenticationKeyFile: String?
  var systemTitleFile: String?
  var scale: ScaleOverride
  var clock: ClockConvention
}

/// How the configuration names the conventions of clocks: as `ClockConvention.name`.
private enum ClockWord: String, CaseIterable {
  case asSent = "as_sent"
  case standardTime = "standard_time"
  case europeanSummerTime = "european_summer_time"

  var convention: ClockConvention {
    switch self {
    case .asSent: .asSent
    case .standardTime: .standardTime
    case .europeanSummerTime: .europeanSummerTime
    }
  }
}
