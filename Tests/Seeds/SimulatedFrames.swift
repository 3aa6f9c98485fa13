import OBISDecoder

/// Prints frames of every simulated meter with random content, one a line: family, name, hexadecimal.
///
/// Compiled into one module with the simulator by `scripts/make-seeds.sh`. The same lines in every run.
@main
enum SimulatedFrames {
  private static let framesPerModel: UInt64 = 4

  static func main() {
    for model in MeterModel.all {
      for seed in 0..<framesPerModel {
        var state = RandomState(seed: seed)
        let hexadecimal = state.frame(of: model).bytes.map { byte in
          let digits = String(byte, radix: 16)
          return byte < 16 ? "0" + digits : digits
        }
        print(model.family, "\(model.name)-\(seed)", hexadecimal.joined())
      }
    }
  }
}
