public import PrivacyFilter

/// The receipt of a grant in the form of Kantara's Consent Receipt Specification 1.1.
///
/// Its fields are those of the specification's section 4 and appendix A; what nobody told the agent
/// (a controller's phone, say) is left out and not made up.
extension ConsentStore {
  /// The present receipt of a grant in Kantara's form, JSON; nil if it has none yet.
  public func kantaraReceipt(of id: UniqueID) throws(StoreError) -> [UInt8]? {
    let stored = try grant(id)
    guard let decidedAt = stored.grant.decidedAt else { return nil }
    return try reading { () throws(DatabaseError) in
      var last = try database.prepare(
        "SELECT id FROM receipts WHERE grant_id = ? ORDER BY rowid DESC LIMIT 1")
      try last.bind([.text(id.text)])
      guard try last.step() else { return nil }
      return kantara(
        stored, receipt: last.text(0), decidedAt: decidedAt,
        controller: try controller(of: stored.recipient)
      ).bytes
    }
  }

  private func kantara(
    _ stored: StoredGrant, receipt: String, decidedAt: Int64, controller: Recipient
  ) -> CanonicalJSON {
    let terms = stored.grant.terms
    var members: [String: CanonicalJSON] = [
      "version": "KI-CR-v1.1.0", "consentReceiptID": .text(receipt),
      "consentTimestamp": .integer(decidedAt / 1000),
      "collectionMethod": "control socket, notice shown", "language": .text(terms.notice.lang),
      "piiPrincipalId": "household",
      "piiControllers": [Self.kantara(controller, worksForAnother: stored.recipient != controller)],
      "policyUrl": .text("urn:sha256:" + terms.notice.sha256),
      "services": [
        [
          "service": .text(terms.profile), "purposes": [Self.purpose(stored, controller)],
        ]
      ],
      "sensitive": false, "spiCat": [],
    ]
    if let householdCountry { members["jurisdiction"] = .text(householdCountry) }
    return .object(members)
  }

  private static func kantara(_ controller: Recipient, worksForAnother: Bool) -> CanonicalJSON {
    var members: [String: CanonicalJSON] = [
      "piiController": .text(controller.legalName), "onBehalf": .boolean(worksForAnother),
    ]
    if let contact = controller.contact { members["contact"] = .text(contact) }
    return .object(members)
  }

  private static func purpose(_ stored: StoredGrant, _ controller: Recipient) -> CanonicalJSON {
    let terms = stored.grant.terms
    let command = "gateway-agent withdraw " + stored.grant.id.text.prefix(8)
    let end = stored.endedAt ?? terms.validUntil
    let isOther = stored.recipient != controller
    var members: [String: CanonicalJSON] = [
      "purpose": .text(terms.purpose),
      "purposeCategory": [.text(ReceiptTerms.kantaraCategory(terms.purpose))],
      "consentType": "EXPLICIT",
      "piiCategory": .array(terms.categories.codes.map { .text($0) }),
      "primaryPurpose": true,
      "termination": .text(end.map { "\(command); ends \(Timestamp.text($0))" } ?? command),
      "thirdPartyDisclosure": .boolean(isOther),
    ]
    if isOther { members["thirdPartyName"] = .text(stored.recipient.legalName) }
    return .object(members)
  }
}

extension ReceiptTerms {
  /// The category of appendix B of Kantara's specification that is nearest to a purpose.
  static func kantaraCategory(_ purpose: String) -> String {
    switch Purpose(rawValue: purpose) {
    case .insight, .disaggregation, .adviceContract: "Personalized Experience"
    case .productImprovement, .research, .statistics: "Improve Performance"
    case .billingCheck, .supply, .smartCharging: "Contracted Service"
    default: "Core Function"
    }
  }
}
