public import PrivacyFilter

/// What belongs to the household rather than to one grant: its meters' ids and the texts it was
/// shown.
extension ConsentStore {
  /// The random id under which grants know the meter of this nickname; made at the first asking.
  ///
  /// It comes from nothing but random bytes, so that a meter's number cannot be checked against it,
  /// and stays when the meter is exchanged (privacy design C6).
  /// - Throws: `E_LEDGER_WRITE`.
  public func sourceID(of nickname: String) throws(StoreError) -> UniqueID {
    let known = try reading { () throws(DatabaseError) in
      var rows = try database.prepare("SELECT id FROM sources WHERE name = ?")
      try rows.bind([.text(nickname)])
      return try rows.step() ? rows.text(0) : nil
    }
    if let known, let id = UniqueID(parsing: known) { return id }
    let id = makeID()
    try writing { () throws(DatabaseError) in
      try database.run(
        "INSERT OR REPLACE INTO sources VALUES(?, ?)", .text(nickname), .text(id.text))
    }
    return id
  }

  /// Keeps the text that was shown, word for word, under its hash.
  ///
  /// - Throws: `E_NOTICE_MISSING` if the text does not have that hash; `E_LEDGER_WRITE`.
  public func keepNotice(_ text: String, _ notice: Notice) throws(StoreError) {
    guard Crypto.sha256Text(text) == notice.sha256 else { throw .consent(.noticeOfAnotherText) }
    try writing { () throws(DatabaseError) in
      try database.run(
        "INSERT OR IGNORE INTO notices VALUES(?, ?, ?)", .text(notice.sha256), .text(notice.lang),
        .text(text))
    }
  }

  /// The text with this hash, nil if it is not kept.
  public func notice(_ sha256: String) throws(StoreError) -> String? {
    try reading { () throws(DatabaseError) in
      var rows = try database.prepare("SELECT text FROM notices WHERE sha256 = ?")
      try rows.bind([.text(sha256)])
      return try rows.step() ? rows.text(0) : nil
    }
  }
}
