extension InHousePlace {
  /// Makes the place of a meter in in-house topics.
  ///
  /// - Throws: `E_LABEL_PERSONAL` if root or nickname look personal; `E_LIMIT` if they are not
  ///   usable in a topic, too long (90 and 32 bytes), or the nickname is `status` or `health`.
  public init(
    root: String, nickname: String, connection: UInt8, vault: borrowing IdentifierVault
  ) throws(ConsentError) {
    try LabelLinter.check(root, as: .ownTopic, vault: vault)
    try LabelLinter.check(nickname, as: .label, vault: vault)
    guard TopicName.isUsable(root), TopicName.isUsable(nickname),
      !nickname.utf8.contains(UInt8(ascii: "/")), nickname != "status", nickname != "health",
      let rootText = FixedText<90>(root), let meterText = FixedText<32>(nickname)
    else {
      throw ConsentError(
        .limit,
        "root and nickname are topic levels without wildcards; status and health are no nicknames")
    }
    self.init(connection: connection, root: rootText, meter: meterText)
  }
}

extension HomeAssistant {
  /// Makes the discovery of a meter under Home Assistant's prefix, `homeassistant` as a rule.
  ///
  /// - Throws: `E_LIMIT` if the prefix is not usable in a topic or longer than 32 bytes.
  public init(prefix: String, place: InHousePlace) throws(ConsentError) {
    guard TopicName.isUsable(prefix), let text = FixedText<32>(prefix) else {
      throw ConsentError(.limit, "the discovery prefix is one or more topic levels, 32 bytes")
    }
    self.init(place: place, prefix: text)
  }
}
