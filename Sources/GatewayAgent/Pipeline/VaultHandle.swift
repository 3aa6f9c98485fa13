import OBISDecoder
import PrivacyFilter

/// The agent's one vault of identifiers, shared by all meters.
///
/// A class, because several feeds fill it and the linter reads it; it lives in memory only.
final class VaultHandle {
  private(set) var vault = IdentifierVault()

  /// Keeps an identifier of a frame; costs no heap if it is known.
  func insert(_ secret: Secret, in bytes: Span<UInt8>, source: UInt8) {
    vault.keep(secret, in: bytes, source: source)
  }
}
