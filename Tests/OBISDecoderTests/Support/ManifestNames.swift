@testable import OBISDecoder

/// The names of quantities in the manifest of ../shared/frames.
enum ManifestNames {
  /// Groups C, D and E of a name such as `active_energy_import_t1`; nil for what is no quantity.
  static func cde(of name: String) -> UInt32? { table[name] }

  private static let table: [String: UInt32] = {
    let directions: [(String, UInt8)] = [
      ("active_%_import", 1), ("active_%_export", 2), ("reactive_%_import", 3),
      ("reactive_%_export", 4),
    ]
    let phases: [(String, UInt8)] = [("", 0), ("_l1", 20), ("_l2", 40), ("_l3", 60)]
    var table: [String: UInt32] = [:]
    for (pattern, c) in directions {
      let power = pattern.replacing("%", with: "power")
      let energy = pattern.replacing("%", with: "energy")
      for (phase, base) in phases {
        table[power + phase] = OBISCode.cde(base + c, 7, 0)
        table[power + phase + "_total"] = OBISCode.cde(base + c, 8, 0)
      }
      table[energy] = OBISCode.cde(c, 8, 0)
      table[energy + "_t1"] = OBISCode.cde(c, 8, 1)
      table[energy + "_t2"] = OBISCode.cde(c, 8, 2)
    }
    for (phase, base) in phases {
      table["current" + phase] = OBISCode.cde(base + 11, 7, 0)
      table["voltage" + phase] = OBISCode.cde(base + 12, 7, 0)
    }
    return table
  }()
}
