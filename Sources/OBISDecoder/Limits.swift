/// Every capacity of the decoder, with its reason.
public enum Limits {
  /// Longest frame in bytes; more is `tooLong`.
  ///
  /// A Flemish telegram with 13 months of peaks and two 1 024-character messages takes about 5 KiB;
  /// an HDLC frame at most 2 049 (11-bit length and two flags).
  public static let frameBytes = 8192
  /// Longest P1 identification line in bytes; IEC 62056-21 §6.3.2 allows 16 behind the baud rate
  /// character, meters send up to 30.
  public static let identificationBytes = 64
  /// Deepest nesting of COSEM structures; meters use 3.
  public static let nesting = 8
  /// Most COSEM elements of one list; Aidon's longest sends 27 × 6.
  public static let elements = 512
  /// M-Bus channels of a P1 meter (DSMR 5.0.2 §6.12).
  public static let channels = 4
  /// Most frames that one message may come in; Landis+Gyr sends 5.
  public static let pieces = 32
  /// Silences that a message in several frames survives; the next `idle` gives it up.
  ///
  /// At one silence in 250 ms these are 5 s: an E450 pauses 3 s in front of its last block
  /// (esphome pull request 16942).
  public static let silences = 20
}
