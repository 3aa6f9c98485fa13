extension GrantTerms {
  /// Whether `other` releases nothing that these terms do not: then it may replace them in place.
  ///
  /// Everything else (a category, a finer rung, a longer validity, an identifier, another country,
  /// purpose or basis) is widening and needs a new grant.
  public func isNarrowed(by other: GrantTerms) -> Bool {
    guard isSameAgreement(as: other) else { return false }
    let endsNoLater =
      switch (validUntil, other.validUntil) {
      case (nil, _): true
      case (.some, nil): false
      case (.some(let old), .some(let new)): new <= old
      }
    return other.categories.isSubset(of: categories)
      && Set(other.sources).isSubset(of: sources) && !other.sources.isEmpty
      && Set(other.channels).isSubset(of: channels)
      && other.granularity >= granularity && other.quantum >= quantum
      && other.minDelay >= minDelay && (absolute || !other.absolute)
      && (fineConfirmed || !other.fineConfirmed)
      && (other.identifier == identifier || other.identifier == .none)
      && (rotateDays == 0 || (other.rotateDays > 0 && other.rotateDays <= rotateDays))
      && other.validFrom >= validFrom && endsNoLater
      && other.reviewEveryDays <= reviewEveryDays && other.optional.isSubset(of: optional)
  }

  private func isSameAgreement(as other: GrantTerms) -> Bool {
    profile == other.profile && recipient == other.recipient && purpose == other.purpose
      && basis == other.basis && destination == other.destination && aggregate == other.aggregate
      && notice == other.notice && retention == other.retention
      && ageAttested == other.ageAttested
  }
}
