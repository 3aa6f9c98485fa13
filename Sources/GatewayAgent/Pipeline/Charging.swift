import ChargingFeed
import OBISDecoder
import PrivacyFilter

/// The charging feed of one meter, its file and its timers.
///
/// A class: the loop's timer and the pipeline share it. Nothing leaves from here: `Agent+Charging`
/// takes the documents to the gates.
final class Charging {
  /// How often the state is saved, and how often a sink that has a watchdog is told again, ms.
  static let saveMilliseconds: Int64 = 60_000
  static let sinkMilliseconds: Int64 = 5_000

  let configuration: Configuration.Charging
  /// The meter's number among the agent's sources.
  let source: UInt8
  let path: String
  var feed: EVFeed
  var timer: Timer?
  /// Names in topics, made once; nil where one does not fit, which the configuration excludes.
  let chargerNames: [FixedText<112>?]
  /// When sinks are told again, on the steady clock; nil while there is nothing to tell.
  var sinkAt: Int64?
  /// The newest hour that was published: said anew to a broker that comes back.
  var lastHour: ClosedSlot?
  /// Whether sinks have been told that the feed is stale.
  var sinksKnowStale = false
  private var saveAt: Int64 = 0
  private var isLoaded = false

  init(_ configuration: Configuration.Charging, stateDirectory: String) {
    self.configuration = configuration
    source = UInt8(clamping: configuration.meter)
    path = stateDirectory + "/ev.state"
    feed = EVFeed(configuration.settings)
    chargerNames = configuration.settings.chargers.map { FixedText<112>($0.name) }
  }

  /// Takes up what an earlier run saved; a file that is not whole is told and left out (F-6).
  func load(at now: Instant) {
    guard !isLoaded, now.isSynchronised else { return }
    isLoaded = true
    guard let bytes = try? FileAccess.read(path, limit: EVFeed.savedBytes) else { return }
    if let restored = EVFeed(configuration.settings, restoring: bytes, at: now) {
      // Samples may have come while the clock was in doubt.
      feed.takeUp(restored)
    } else {
      Log.event(.warning, "EV_STATE_DAMAGED")
    }
  }

  /// Saves the state if a minute has passed since it was saved.
  func saveIfDue(at now: Instant) {
    guard now.monotonic >= saveAt else { return }
    save(at: now)
  }

  /// Saves the state.
  func save(at now: Instant) {
    saveAt = now.monotonic + Self.saveMilliseconds
    // What was not read yet must not be overwritten.
    guard isLoaded else { return }
    do throws(SystemError) {
      try FileAccess.replace(path, with: feed.saved())
    } catch {
      Log.event(.warning, "EV_STATE_UNSAVED", Int64(error.number))
    }
  }

  /// Forgets everything that was computed: the household has ended the last grant for it.
  func forget() {
    feed = EVFeed(configuration.settings)
    lastHour = nil
    sinkAt = nil
    FileAccess.remove(path)
  }

  /// What a frame's quantities, by their ids, are to the feed.
  static let fields: [(id: UInt8, field: MeterSample.Field)] = [
    (35, .current(0)), (36, .current(1)), (37, .current(2)), (31, .voltage(0)), (32, .voltage(1)),
    (33, .voltage(2)), (25, .importOfLine(0)), (26, .importOfLine(1)), (27, .importOfLine(2)),
    (28, .exportOfLine(0)), (29, .exportOfLine(1)), (30, .exportOfLine(2)), (22, .importPower),
    (24, .exportPower), (40, .reactiveImport), (41, .reactiveExport), (0, .importEnergy),
    (5, .exportEnergy), (57, .demand), (58, .demandPeak), (52, .frequency),
  ]
}
