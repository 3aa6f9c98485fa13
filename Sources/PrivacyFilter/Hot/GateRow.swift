/// What the bank keeps of one gate, apart from its slots.
///
/// It is large, and no copy is ever meant.
struct GateRow: BitwiseCopyable {
  var gate = CompiledGate()
  /// The quantities that it averages: told without a look at their slots.
  var averaged = QuantitySet()
  var state = GateState()
  var counters = GateCounters()
  var enode = EnodeState()
}
