import PrivacyFilter

/// Whether a text that the owner typed identifies somebody, as PrivacyFilter's linter decides.
///
/// The vault is empty when a configuration is read: values of the meter itself are looked for again
/// when they are known (acceptance test 37 of privacy.md C13).
enum LabelCheck {
  /// True for metering-point, personal and phone numbers, street and mail addresses; in a topic,
  /// which is the owner's own, for numbers only.
  static func isPersonal(_ text: String, as use: LabelLinter.Use) -> Bool {
    do throws(ConsentError) {
      try LabelLinter.check(text, as: use, vault: IdentifierVault())
      return false
    } catch {
      return true
    }
  }
}
