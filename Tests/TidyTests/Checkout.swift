import Foundation

/// The files of this checkout, found from this source file's own path.
enum Checkout {
  /// The folder that holds `Package.swift`.
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Folders that are built or downloaded, not written.
  private static let skipped: Set<String> = [".build", ".git", ".venv", "__pycache__"]

  /// Paths below `folder`, relative to the root, sorted; none if there is no such folder.
  static func files(below folder: String, withExtensions extensions: Set<String>? = nil) -> [String]
  {
    var found: [String] = []
    collect(folder, &found)
    guard let extensions else { return found.sorted() }
    return found.filter { extensions.contains(URL(filePath: $0).pathExtension) }.sorted()
  }

  /// The text of a file, by its path from the root; nil if it is absent or no UTF-8.
  static func text(_ path: String) -> String? {
    try? String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The bytes of a file, by its path from the root.
  static func bytes(_ path: String) -> [UInt8]? {
    (try? Data(contentsOf: root.appending(path: path))).map { [UInt8]($0) }
  }

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: path).path)
  }

  /// Every Swift file below `folder`, read.
  static func sources(below folder: String) -> [SwiftSource] {
    files(below: folder, withExtensions: ["swift"]).compactMap { path in
      text(path).map { SwiftSource(path: path, text: $0) }
    }
  }

  private static func collect(_ path: String, _ found: inout [String]) {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: path).path)) ?? []
    for name in names where !skipped.contains(name) {
      let inner = path.isEmpty ? name : "\(path)/\(name)"
      var isFolder: ObjCBool = false
      let full = root.appending(path: inner).path
      guard unsafe FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) else {
        continue
      }
      // A link would count its target twice.
      if (try? FileManager.default.destinationOfSymbolicLink(atPath: full)) != nil { continue }
      if isFolder.boolValue { collect(inner, &found) } else { found.append(inner) }
    }
  }
}
