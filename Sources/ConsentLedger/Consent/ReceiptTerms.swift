internal import PrivacyFilter

/// How the words of a grant are called in a receipt: DPV 2 terms where there is one, else `gw:`.
enum ReceiptTerms {
  /// One entry for each category granted, and one for each that was offered and not ticked.
  static func personalData(_ terms: GrantTerms) -> [CanonicalJSON] {
    let profile = Profiles.named(terms.profile)?.profile.optional ?? []
    let optional = terms.optional.union(profile)
    return categories.compactMap { category, name, broader in
      let isGranted = terms.categories.contains(category)
      guard isGranted || terms.optional.contains(category) else { return nil }
      let isOptional = optional.contains(category)
      var members: [String: CanonicalJSON] = [
        "@id": .text("gw:" + name), "skos:broader": .text("pd:" + broader),
        "dpv:hasNecessity": isOptional ? "dpv:Optional" : "dpv:Required",
      ]
      if isOptional { members["gw:ticked"] = .boolean(isGranted) }
      return .object(members)
    }
  }

  private static let categories: [(CategorySet, String, String)] = [
    (.e1, "EnergyImportRegister", "ServiceConsumptionBehaviour"),
    (.e2, "EnergyExportRegister", "ServiceConsumptionBehaviour"),
    (.e3, "EnergyImportInterval", "ServiceConsumptionBehaviour"),
    (.e4, "EnergyExportInterval", "ServiceConsumptionBehaviour"),
    (.e5, "EnergyLastHour", "ServiceConsumptionBehaviour"),
    (.p1, "PowerImport", "ServiceConsumptionBehaviour"),
    (.p3, "PowerExport", "ServiceConsumptionBehaviour"),
    (.p2, "PowerByPhase", "ServiceConsumptionBehaviour"),
    (.v1, "Voltage", "ServiceConsumptionBehaviour"),
    (.a1, "Current", "ServiceConsumptionBehaviour"),
    (.q1, "ReactivePower", "ServiceConsumptionBehaviour"),
    (.f1, "Frequency", "ServiceConsumptionBehaviour"),
    (.d1, "DemandPeaks", "ServiceConsumptionBehaviour"),
    (.o1, "OutageHistory", "ServiceConsumptionBehaviour"),
    (.t1, "Tariff", "ServiceConsumptionBehaviour"),
    (.l1, "LimiterAndBreaker", "ServiceConsumptionBehaviour"),
    (.c1, "MeterClock", "ServiceConsumptionBehaviour"),
    (.u1, "OperatingHours", "ServiceConsumptionBehaviour"),
    (.m1, "GasVolume", "ServiceConsumptionBehaviour"),
    (.m2, "WaterVolume", "ServiceConsumptionBehaviour"),
    (.m3, "HeatEnergy", "ServiceConsumptionBehaviour"),
    (.x1, "HouseholdInfo", "Household"),
    (.x2, "CoarseLocation", "Location"),
    (.n1, "HouseIPAddress", "IPAddress"),
    (.i1, "MeterNumber", "Identifying"),
    (.i2, "MeteringPointId", "Identifying"),
    (.i3, "SubMeterNumbers", "Identifying"),
    (.i6, "MeterType", "DeviceBased"),
  ]

  /// The DPV term for a purpose; nil if DPV has none that is near enough.
  static func purpose(_ purpose: String) -> String? {
    switch Purpose(rawValue: purpose) {
    case .insight, .disaggregation, .adviceContract: "dpv:ProvidePersonalisedRecommendations"
    case .smartCharging, .familyView, .localDisplay, .localAutomation, .supply:
      "dpv:ServiceProvision"
    case .billingCheck: "dpv:PaymentManagement"
    case .gridOperation, .faultFinding: "dpv:TechnicalServiceProvision"
    case .research, .statistics: "dpv:ResearchAndDevelopment"
    case .productImprovement: "dpv:ImproveExistingProductsAndServices"
    case nil: nil
    }
  }

  /// The article that a claimed basis stands for; nil if none is claimed.
  static func basis(_ basis: Basis) -> String? {
    basis == .unknown ? nil : "eu-gdpr:A6-1-" + basis.rawValue
  }

  /// The DPV term for a recipient's role.
  static func type(of role: Role) -> String {
    switch role {
    case .processor: "dpv:DataProcessor"
    case .controller: "dpv:DataController"
    case .person, .inHouse: "dpv:Recipient"
    }
  }

  /// The DPV status of a grant that has ended (privacy design C7); nil for one that has not.
  static func status(_ state: GrantState) -> String? {
    switch state {
    case .withdrawn, .objected: "dpv:ConsentWithdrawn"
    case .expired: "dpv:ConsentExpired"
    case .revokedByRecipient: "dpv:ConsentRevoked"
    case .invalidated: "dpv:ConsentInvalidated"
    case .refused: "dpv:ConsentRefused"
    case .superseded, .erased, .proposed, .scheduled, .active, .restricted, .paused,
      .reviewRequired:
      nil
    }
  }

  /// The time between two messages, ISO 8601; a zero duration means every frame.
  static func duration(_ granularity: Granularity) -> String {
    switch granularity {
    case .g0: "PT0S"
    case .g1: "PT10S"
    case .g2: "PT1M"
    case .g3: "PT15M"
    case .g4: "PT1H"
    case .g5: "P1D"
    case .g6: "P1M"
    }
  }

  /// The steps to which the granted values are rounded (privacy design C2).
  static func rounding(_ terms: GrantTerms) -> String {
    let steps: [(CategorySet, [Rounding: String])] = [
      ([.p1, .p2, .p3], [.r1: "10 W", .r2: "100 W"]),
      (
        [.e1, .e2, .e3, .e4, .e5],
        [.r1: "1 Wh", .r2: "10 Wh", .r3: "100 Wh", .r4: "1000 Wh"]
      ),
      ([.v1], [.r1: "1 V", .r2: "1 V"]), ([.a1], [.r1: "0.1 A", .r2: "0.5 A"]),
    ]
    let granted = steps.compactMap { categories, texts in
      terms.categories.isDisjoint(with: categories) ? nil : texts[terms.quantum]
    }
    return granted.isEmpty ? "none" : granted.joined(separator: ", ")
  }
}
