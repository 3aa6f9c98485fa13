/// Whether the meters of one serial line can be read with one setting.
public enum SerialAgreement {
  /// One sentence if two meters of a port differ in speed, parity or stop bits; nil if all agree.
  ///
  /// - Parameter meters: a name for each, such as its profile's file, and its settings; the unit does
  ///   not matter.
  public static func fault(
    onPort port: String, _ meters: [(name: String, settings: SerialDefaults)]
  ) -> String? {
    guard let first = meters.first else { return nil }
    for other in meters.dropFirst() {
      let differences = [
        ("baud", "\(first.settings.baud)", "\(other.settings.baud)"),
        ("parity", first.settings.parity.rawValue, other.settings.parity.rawValue),
        ("stop_bits", "\(first.settings.stopBits)", "\(other.settings.stopBits)"),
      ]
      guard let (key, one, another) = differences.first(where: { $0.1 != $0.2 }) else { continue }
      return
        "port \(port): \(key) \(one) (\(first.name)) and \(another) (\(other.name)) on one bus: "
        + "all meters on a bus must agree"
    }
    return nil
  }
}
