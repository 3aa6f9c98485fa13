import OBISDecoder
import PrivacyFilter

/// The agent's one vault of identifiers, shared by all meters, and the tripwire made of it.
///
/// A class, because several feeds fill it and the linter reads it; it lives in memory only.
final class VaultHandle {
  private(set) var vault = IdentifierVault()
  private var tripwire = Tripwire()
  private var builtRevision = 0

  /// Keeps an identifier of a frame; costs no heap if it is known.
  func insert(_ secret: Secret, in bytes: Span<UInt8>, source: UInt8) {
    vault.keep(secret, in: bytes, source: source)
  }

  /// Lends the tripwire for all that is known now; made anew if there is something new.
  func withTripwire<Result>(_ body: (borrowing Tripwire) -> Result) -> Result {
    if builtRevision != vault.revision {
      tripwire = Tripwire(vault)
      builtRevision = vault.revision
    }
    return body(tripwire)
  }
}
