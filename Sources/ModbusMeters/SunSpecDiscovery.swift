import OBISDecoder

/// Finds a device's SunSpec meter: asks for blocks, is told what came, ends with a profile of registers.
///
/// ```
/// base: "SunS"   ID L points…   ID L points…   FFFF
/// ```
/// Each device has a common block (model 1) and behind it its models; a data manager lists several
/// devices. Which meter is meant says `SunSpecChoice.index`. The end marker may be missing: a refused
/// header ends the chain too.
/// Source: SunSpec Device Information Model Specification V1.2, 4; order of bases: pysunspec2.
public struct SunSpecDiscovery: Sendable {
  /// What to do next.
  public enum Step: Equatable, Sendable {
    /// Send this request, and tell `answer` or `refuse`.
    case ask(ReadBlock)
    /// The meter: a profile with fixed registers, for `MeterPlanner` and `RegisterDecoding`.
    case found(MeterProfile)
    /// There is no such meter.
    case failed(Fault)
  }

  /// Why there is no meter.
  public enum Fault: Equatable, Sendable {
    /// No marker at any of the bases.
    case noSunSpec
    /// The chain has no meter of these models, or fewer than the index; these models it has.
    case noMeter(models: [UInt16])
  }

  /// Most models of a chain that are looked at; data managers list some 20.
  public static let models = 64

  private enum State {
    case base(Int)
    /// The ID and length registers of a model; only the ID where both were refused.
    case header(Int, registers: Int)
    case ended(Step)
  }

  private let profile: MeterProfile
  private let choice: SunSpecChoice
  private var state = State.base(0)
  private var found: [UInt16] = []
  private var meters = 0
  private var commonAddress: Int?

  /// Begins for a profile with a SunSpec choice; one without it finds nothing.
  public init(_ profile: MeterProfile) {
    self.profile = profile
    choice = profile.sunSpec ?? SunSpecChoice(models: [], index: 1, isExportPositive: false)
  }

  /// What is to be done.
  public var step: Step {
    switch state {
    case .base(let index): ask(Int(SunSpecModel.bases[index]), 3)
    case .header(let address, let registers): ask(address, registers)
    case .ended(let step): step
    }
  }

  /// Takes the words of the block asked for; a wrong number of them counts as refused.
  public mutating func answer(_ words: [UInt16]) -> Step {
    switch state {
    case .base(let index):
      guard words.count == 3, Array(words.prefix(2)) == SunSpecModel.marker else { return refuse() }
      state = .header(Int(SunSpecModel.bases[index]) + 2, registers: 2)
    case .header(let address, let registers):
      guard words.count == registers else { return refuse() }
      if registers == 2, words[0] != SunSpecModel.end, words[0] != 0 {
        take(words[0], length: Int(words[1]), at: address)
      } else {
        end()
      }
    case .ended: break
    }
    return step
  }

  /// Takes note that the block asked for brought an exception, or nothing after every retry.
  public mutating func refuse() -> Step {
    switch state {
    case .base(let index) where index + 1 < SunSpecModel.bases.count: state = .base(index + 1)
    case .base: state = .ended(.failed(.noSunSpec))
    case .header(let address, registers: 2): state = .header(address, registers: 1)
    case .header: end()
    case .ended: break
    }
    return step
  }

  private mutating func take(_ model: UInt16, length: Int, at address: Int) {
    found.append(model)
    if model == SunSpecModel.common { commonAddress = address }
    if choice.models.contains(model) {
      meters += 1
      guard meters < choice.index else {
        state = .ended(.found(meter(model, length: length, at: address)))
        return
      }
    }
    let next = address + 2 + length
    // A header takes two registers below 65 536.
    guard next <= 65534, found.count < SunSpecDiscovery.models else { return end() }
    state = .header(next, registers: 2)
  }

  private mutating func end() {
    state = .ended(.failed(.noMeter(models: found)))
  }

  private func meter(_ model: UInt16, length: Int, at address: Int) -> MeterProfile {
    var meter = profile
    meter.sunSpec = nil
    meter.fields = SunSpecModel.fields(
      model, at: address, length: length, profile.function,
      isExportPositive: choice.isExportPositive)
    // Behind a new connect the chain may have changed: then the ID is no longer there.
    meter.identify = IdentityCheck(
      register: Register(
        function: profile.function, address: UInt16(address), type: .uint16, wordOrder: .highFirst),
      rule: .among([UInt64(model)...UInt64(model)]))
    if let commonAddress {
      let place = SunSpecModel.serialNumber
      meter.identifiers = [
        IdentifierField(
          kind: .meterNumber, function: profile.function,
          address: UInt16(commonAddress + place.lowerBound), count: place.count, form: .text,
          wordOrder: .highFirst)
      ]
    }
    return meter
  }

  private func ask(_ address: Int, _ count: Int) -> Step {
    .ask(ReadBlock(profile.function, address..<address + count))
  }
}
