public import PrivacyFilter

/// A receipt: canonical JSON after ISO/IEC TS 27560 and the DPV vocabulary (privacy design C11).
struct Receipt {
  var id: UniqueID
  var bytes: [UInt8]
}

extension ConsentStore {
  /// The receipts of a grant in the order of their making, canonical JSON each.
  ///
  /// One is made when the grant comes into force and one when its end is completed.
  public func receipts(of id: UniqueID) throws(StoreError) -> [[UInt8]] {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare("SELECT bh FROM receipts WHERE grant_id = ? ORDER BY rowid")
      try rows.bind([.text(id.text)])
      var receipts: [[UInt8]] = []
      while try rows.step() {
        if let body = try ledger.body(rows.text(0)) { receipts.append(body) }
      }
      return receipts
    }
  }

  /// Makes a receipt whose `gw:ledgerHead` is the present head: the record that it certifies
  /// comes before the receipt's own.
  func makeReceipt(
    of stored: StoredGrant, _ egress: EgressCount?, _ effects: EndEffects?, at now: Int64
  ) throws(DatabaseError) -> Receipt {
    let id = makeID()
    let document = ReceiptDocument(
      id: id, created: now, stored: stored, controller: try controller(of: stored.recipient),
      householdCountry: householdCountry, egress: egress, effects: effects,
      ledgerHead: try ledger.head() ?? LedgerRecord.noPrevious)
    return Receipt(id: id, bytes: document.json.bytes)
  }

  /// Files a receipt under its grant; the caller has a transaction open.
  func keep(_ receipt: Receipt, _ bodyHash: String, of id: UniqueID) throws(DatabaseError) {
    try database.run(
      "INSERT INTO receipts(id, grant_id, bh) VALUES(?, ?, ?)", .text(receipt.id.text),
      .text(id.text), .text(bodyHash))
  }

  /// The recipient for whom this one works, if it is registered; else the recipient itself.
  func controller(of recipient: Recipient) throws(DatabaseError) -> Recipient {
    guard let principal = recipient.onBehalfOf else { return recipient }
    return try registered("id = ?", [.text(principal)]).first ?? recipient
  }
}

/// What a receipt says, and its JSON form.
struct ReceiptDocument {
  var id: UniqueID
  var created: Int64
  var stored: StoredGrant
  var controller: Recipient
  /// ISO 3166-1 alpha-2; nil if nobody said where the household is.
  var householdCountry: String?
  /// What left; nil if nothing did, or nothing can have.
  var egress: EgressCount?
  /// What the end did; nil in the receipt of a beginning.
  var effects: EndEffects?
  var ledgerHead: String

  private var grant: Grant { stored.grant }
  private var terms: GrantTerms { stored.grant.terms }

  /// The whole receipt.
  ///
  /// `gw:effect` is there only once the grant has ended.
  var json: CanonicalJSON {
    var members: [String: CanonicalJSON] = [
      "@context": Self.context, "@type": "dpv:ConsentReceipt",
      "dct:conformsTo": "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr",
      "dct:created": .text(Timestamp.text(created)), "dct:identifier": .text(id.text),
      "gw:ledgerHead": .text(ledgerHead), "gw:record": record,
    ]
    if let effects { members["gw:effect"] = effect(effects) }
    return .object(members)
  }

  private static let context: CanonicalJSON = [
    "dct": "http://purl.org/dc/terms/", "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#", "gw": "urn:gateway-agent:terms#",
    "legal-eu": "https://w3id.org/dpv/legal/eu#", "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#", "skos": "http://www.w3.org/2004/02/skos/core#",
  ]

  private func effect(_ effects: EndEffects) -> CanonicalJSON {
    [
      "messages": .integer(Int64(clamping: egress?.messages ?? 0)),
      "lastMessage": egress.map { .text(Timestamp.text($0.lastAt)) } ?? nil,
      "purged": .integer(Int64(clamping: effects.purged)),
      "retainedCleared": .integer(Int64(clamping: effects.retainedCleared)),
      "tailBytes": .integer(Int64(clamping: effects.tailByteCount)),
      "brokerAclChanged": .boolean(effects.brokerAccessChanged),
    ]
  }

  private var record: CanonicalJSON {
    var members: [String: CanonicalJSON] = [
      "@type": "dpv:ConsentRecord", "dct:identifier": .text(grant.id.text),
      "dpv:hasDataSubject": "gw:household",
      "dpv:hasApplicableLaw": "legal-eu:law-GDPR",
      "dpv:hasNotice": [
        "@type": "dpv:ConsentNotice", "gw:sha256": .text(terms.notice.sha256),
        "dct:language": .text(terms.notice.lang),
      ],
      "dpv:hasProcess": [process],
      "dpv:hasRight": .array(
        ["A7-3", "A15", "A16", "A17", "A18", "A20", "A21", "A77"].map { .text("eu-gdpr:" + $0) }),
      "dpv:hasConsentControl": [
        "@type": "dpv:WithdrawConsent",
        "dpv:isExercisedAt": .text("gateway-agent withdraw " + grant.id.text.prefix(8)),
      ],
      "dpv:hasConsentStatus": .array(statuses),
    ]
    if let householdCountry {
      members["dpv:hasJurisdiction"] = .text("loc:" + householdCountry)
    }
    return .object(members)
  }

  private var process: CanonicalJSON {
    var members: [String: CanonicalJSON] = [
      "@type": "dpv:Process", "gw:purpose": .text(terms.purpose),
      "dpv:hasPersonalData": .array(ReceiptTerms.personalData(terms)),
      "dpv:hasDataController": named(controller, [:]),
      "dpv:hasRecipient": named(
        stored.recipient,
        [
          "@type": .text(ReceiptTerms.type(of: stored.recipient.role)),
          "dpv:hasCountry": .text(stored.recipient.country),
        ]),
      "dpv:hasTechnicalMeasure": ["dpv:HashMessageAuthenticationCode", "dpv:DataRedaction"],
      "gw:granularity": .text(ReceiptTerms.duration(terms.granularity)),
      "gw:rounding": .text(ReceiptTerms.rounding(terms)),
      "gw:identifier": .text(terms.identifier.rawValue),
      "dpv:hasStorageCondition": [
        ["@type": "dpv:StorageDeletion", "gw:rule": .text(terms.retention)]
      ],
    ]
    if let purpose = ReceiptTerms.purpose(terms.purpose) {
      members["dpv:hasPurpose"] = .text(purpose)
    }
    if let basis = ReceiptTerms.basis(terms.basis) { members["dpv:hasLegalBasis"] = .text(basis) }
    return .object(members)
  }

  private func named(
    _ recipient: Recipient, _ others: [String: CanonicalJSON]
  ) -> CanonicalJSON {
    var members = others
    members["dpv:hasName"] = .text(recipient.legalName)
    if let number = recipient.orgNo {
      members["dpv:hasIdentifier"] = .text(recipient.country + " " + number)
    }
    return .object(members)
  }

  private var statuses: [CanonicalJSON] {
    var statuses: [CanonicalJSON] = []
    if let by = grant.decidedBy, let at = grant.decidedAt {
      statuses.append([
        "@type": grant.version > 1 ? "dpv:RenewedConsentGiven" : "dpv:ConsentGiven",
        "dpv:isIndicatedBy": .text(by),
        "dpv:isIndicatedAtTime": .text(Timestamp.text(at)),
        "dpv:hasIndicationMethod": "control socket, notice shown",
      ])
    }
    if let at = stored.endedAt, let type = ReceiptTerms.status(grant.state) {
      statuses.append([
        "@type": .text(type), "dpv:isIndicatedBy": .text(stored.endedBy ?? "agent"),
        "dpv:isIndicatedAtTime": .text(Timestamp.text(at)),
      ])
    }
    return statuses
  }
}
