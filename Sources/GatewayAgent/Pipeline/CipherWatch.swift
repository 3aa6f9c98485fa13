import OBISDecoder

/// What a meter's encryption has come to: told once when it changes, counted always.
struct CipherWatch {
  /// What stands between the meter and its values.
  enum Trouble: UInt8, Equatable, Sendable {
    /// It encrypts, and there is no key.
    case needsKey = 1
    /// The key is another meter's.
    case wrongKey = 2
    /// Deciphered, and the authentication tag differs.
    case tagMismatch = 3
  }

  /// How far the last good frame is known to come from the meter; nil before the first.
  private(set) var trust: Trust?
  /// Whether the last good frame's invocation counter was not above the one before.
  private(set) var isReplay = false
  /// Good frames of which that was so.
  private(set) var replays: UInt64 = 0
  /// Frames whose tag differed.
  private(set) var tagMismatches: UInt64 = 0
  /// Frames that the key did not fit.
  private(set) var wrongKeys: UInt64 = 0
  /// Frames for which there is no key.
  private(set) var unread: UInt64 = 0
  /// Nil since the last good frame.
  private(set) var trouble: Trouble?
  private let source: UInt8

  init(source: UInt8) { self.source = source }

  /// Notes a frame that could be read.
  mutating func noteGood(_ summary: FrameSummary) {
    if trust != summary.trust {
      // In clear from the first frame on is what most meters do, and no news.
      if trust != nil || summary.trust != .clear {
        Log.event(.info, "TRUST", Int64(source), Int64(summary.trust.rawValue))
      }
      trust = summary.trust
    }
    if isReplay != summary.isReplay {
      isReplay = summary.isReplay
      Log.event(isReplay ? .warning : .info, "REPLAY", Int64(source), isReplay ? 1 : 0)
    }
    if summary.isReplay { replays &+= 1 }
    trouble = nil
  }

  /// Notes a frame that could not be deciphered; whether that is news.
  mutating func note(_ trouble: Trouble) -> Bool {
    switch trouble {
    case .needsKey: unread &+= 1
    case .wrongKey: wrongKeys &+= 1
    case .tagMismatch: tagMismatches &+= 1
    }
    guard self.trouble != trouble else { return false }
    self.trouble = trouble
    switch trouble {
    case .needsKey: Log.event(.warning, "KEY_MISSING", Int64(source))
    case .wrongKey: Log.event(.warning, "WRONG_KEY", Int64(source))
    case .tagMismatch: Log.event(.warning, "TAG_MISMATCH", Int64(source))
    }
    return true
  }
}

extension CipherWatch.Trouble {
  /// Nil for an error that has nothing to do with keys.
  init?(_ code: DecodeError.Code) {
    switch code {
    case .encrypted: self = .needsKey
    case .wrongKey: self = .wrongKey
    case .tagMismatch: self = .tagMismatch
    default: return nil
    }
  }
}
