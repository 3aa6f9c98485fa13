// What a connection says of its messages.

extension MosquittoConnection {
  /// What became of a release.
  enum Verdict: Equatable, Sendable {
    /// The library has it, or the socket already.
    case sent
    /// It waits for the connection or for an acknowledgement.
    case queued
    /// It is gone: live data without a connection, with a broker too slow, or not sendable.
    case dropped
  }

  /// What a withdrawal did to a connection.
  struct Purge: Equatable, Sendable {
    /// Messages that were forgotten.
    let messageCount: Int
    /// Bytes that were on their way and may still have arrived.
    let tailBytes: Int
    /// Whether the connection was cut and is made anew.
    let isCut: Bool
  }

  /// What happened so far.
  struct Counters: Equatable, Sendable {
    /// Messages handed to the library, repetitions included.
    var sent = 0
    /// Their topic and payload bytes.
    var sentBytes = 0
    /// Messages the broker acknowledged.
    var acknowledged = 0
    /// Live messages that went because there was no connection.
    var droppedOffline = 0
    /// Live messages that went because the broker took nothing.
    var droppedCongested = 0
    /// Messages that the library or the broker's limits do not allow.
    var rejected = 0
    /// Connections made.
    var connections = 0
  }
}
