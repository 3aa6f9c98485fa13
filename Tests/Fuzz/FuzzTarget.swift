/// What one fuzz run feeds: a family's framer and reader, or the whole decoder.
enum FuzzTarget: Equatable {
  /// One family: the bytes are a stream of its frames.
  case family(Dialect)
  /// The reader of DLMS messages behind the framer: the bytes are the content of one HDLC frame,
  /// whose header and checksums are put around them.
  case dlms
  /// Ciphered messages of every wrapping, with the toy cipher.
  case ciphered
  /// Every family at once.
  case whole

  /// The target of that name; nil if there is none.
  init?(name: String) {
    switch name {
    case "p1": self = .family(.p1)
    case "hdlc": self = .family(.hdlc)
    case "mbus": self = .family(.mbus)
    case "apdu": self = .family(.apdu)
    case "sml": self = .family(.sml)
    case "d0": self = .family(.d0)
    case "dlms": self = .dlms
    case "ciphered": self = .ciphered
    case "whole": self = .whole
    default: return nil
    }
  }

  /// The only family that its decoder looks for; nil for all.
  var dialect: Dialect? {
    switch self {
    case .family(let dialect): dialect
    case .dlms: .hdlc
    case .ciphered, .whole: nil
    }
  }

  /// Whether a message may come in several frames.
  var mayBeInParts: Bool {
    switch self {
    case .family(.hdlc), .family(.mbus), .family(.apdu), .dlms, .ciphered, .whole: true
    case .family: false
    }
  }
}
