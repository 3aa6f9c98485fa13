import Foundation
import Testing

/// Rules about files that are no Swift sources.
struct RepositoryTests {
  @Test func listsEveryVectorInItsReadme() {
    for readme in Checkout.files(below: "Tests", withExtensions: ["md"])
    where readme.hasSuffix("Vectors/README.md") {
      let folder = String(readme.dropLast("/README.md".count))
      let text = Checkout.text(readme) ?? ""
      expectNone(
        VectorRules.unlisted(Checkout.files(below: folder).filter { $0 != readme }, in: text))
    }
  }

  @Test func hasAReadmeBesideEveryVectorsFolder() {
    let folders = Set(
      Checkout.files(below: "Tests").compactMap { path in
        path.range(of: "/Vectors/").map { String(path[..<$0.upperBound]) }
      })
    for folder in folders { #expect(Checkout.exists(folder + "README.md"), "\(folder)") }
  }

  @Test func namesTheTwoCommandsInTheReadme() throws {
    let readme = try #require(Checkout.text("README.md"))
    #expect(readme.contains("make demo"))
    #expect(readme.contains("make test"))
  }

  @Test(arguments: [
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "deploy/INSTALL.md", "docs/topics.md",
  ])
  func namesOnlyFilesThatExist(document: String) throws {
    let text = try #require(Checkout.text(document))
    expectNone(VectorRules.deadPaths(in: text, of: document) { Checkout.exists($0) })
  }

  @Test(.enabled(if: KnownIdentifiers.all != nil, "no ../shared/frames here: skipped"))
  func holdsNoIdentifierOfARecordedHousehold() throws {
    let known = try #require(KnownIdentifiers.all)
    #expect(known.count > 50)
    var findings: [Finding] = []
    for path in Checkout.files(below: "") {
      guard let bytes = Checkout.bytes(path) else { continue }
      findings += KnownIdentifiers.findings(known, in: bytes, of: path)
    }
    expectNone(findings)
  }
}

/// Rules about lists of files.
enum VectorRules {
  static func unlisted(_ paths: [String], in readme: String) -> [Finding] {
    paths.filter { path in
      !readme.contains(path.split(separator: "/").last ?? "")
    }.map { Finding(path: $0, line: 0, what: "not listed in its folder's README") }
  }

  /// Paths in back-quotes that begin with a folder of this repository and are not there.
  static func deadPaths(
    in text: String, of document: String, exists: (String) -> Bool
  ) -> [Finding] {
    let folders = ["scripts/", "deploy/", "docs/", "Sources/", "Tests/", "Benchmarks/"]
    var findings: [Finding] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      for (position, piece) in line.split(separator: "`", omittingEmptySubsequences: false)
        .enumerated()
      where position % 2 == 1 {
        let path = String(piece.prefix { $0 != " " && $0 != "*" && $0 != "…" && $0 != "<" })
        guard path == piece || piece.dropFirst(path.count).hasPrefix(" ") else { continue }
        guard folders.contains(where: { path.hasPrefix($0) }), !exists(path) else { continue }
        findings.append(
          Finding(path: document, line: index + 1, what: "names \(path), which is absent"))
      }
    }
    return findings
  }
}
