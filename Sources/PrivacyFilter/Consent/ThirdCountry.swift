// Rules for a destination outside the European Economic Area (privacy design §C8).

extension Destination {
  /// The 27 member states and Iceland, Liechtenstein and Norway.
  static let economicArea: Set<String> = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV",
    "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO",
  ]

  /// Whether the country is outside the EEA; an unreadable code counts as outside.
  public var isThirdCountry: Bool { !Destination.economicArea.contains(country) }
}

extension GrantTerms {
  func checkThirdCountry() throws(ConsentError) {
    guard destination.isThirdCountry else { return }
    guard identifier == .none || identifier == .pseudonym,
      categories.isDisjoint(with: .identifiers)
    else {
      throw ConsentError(.thirdCountryIdentifier, "no identifier leaves the EEA")
    }
    guard !absolute else {
      throw ConsentError(.thirdCountryAbsolute, "no absolute register leaves the EEA")
    }
    guard categories.subtracting(.n1).isSubset(of: [.e3, .e4]) else {
      throw ConsentError(.thirdCountryCategory, "only E3 and E4 may leave the EEA")
    }
    guard granularity >= .g4 else {
      throw ConsentError(.thirdCountryGranularity, "nothing finer than an hour leaves the EEA")
    }
    guard destination.transfer != .none else {
      throw ConsentError(.thirdCountryTransfer, "a transfer outside the EEA needs its ground")
    }
    guard destination.route == .relayEEA || categories.contains(.n1) else {
      throw ConsentError(
        .thirdCountryAddress,
        "a direct connection shows the house's IP address: use a relay or confirm N1")
    }
  }
}
