import PrivacyFilter
import Synchronization

@testable import GatewayAgent

/// A time that stands still until the test moves it.
final class ManualTime: GatewayClock.Source {
  private let instant: Atomic<Int64>
  private let vouched: Atomic<Bool>

  init(_ milliseconds: Int64, isSynchronised: Bool = true) {
    instant = Atomic(milliseconds)
    vouched = Atomic(isSynchronised)
  }

  var milliseconds: Int64 {
    get { instant.load(ordering: .relaxed) }
    set { instant.store(newValue, ordering: .relaxed) }
  }

  var isSynchronised: Bool {
    get { vouched.load(ordering: .relaxed) }
    set { vouched.store(newValue, ordering: .relaxed) }
  }
}

/// Milliseconds of a time of 15 January 2026 (`14:30:07`), or of a whole date and time in UTC.
func at(_ text: String) -> Int64 {
  guard let instant = Timestamp.parse(text.contains("T") ? text : "2026-01-15T\(text)Z") else {
    preconditionFailure("a test writes its times right")
  }
  return instant
}
