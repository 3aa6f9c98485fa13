import Testing

/// Every rule really catches: each is given a text that breaks it, and one that only seems to.
struct RuleTests {
  private func source(_ text: String, at path: String = "Sources/OBISDecoder/X.swift")
    -> SwiftSource
  {
    SwiftSource(path: path, text: text)
  }

  @Test func blanksCommentsAndLiterals() {
    let text = #"""
      let a = "try! \(f("x)" + g) ) end" // try!
      /* try! /* nested */ try! */ let b = #"try! \n "quoted" "# + c
      """#
    let code = source(text).code
    #expect(!code.joined().contains("try!"))
    #expect(code[0].contains("let a ="))
    #expect(code[0].contains("+ g"))
    #expect(code[1].contains("let b ="))
    #expect(code[1].hasSuffix("+ c"))
    #expect(code.map(\.utf8.count) == source(text).lines.map(\.utf8.count))
  }

  @Test func blanksMultilineLiterals() {
    let text = "let a = \"\"\"\n  try! \"quoted\" { \\\"\"\"\n  \"\"\"\ntry! b()"
    #expect(WordRules.findings(in: source(text)).map(\.line) == [4])
  }

  @Test(arguments: ["import Glibc", "internal import Foundation", "import struct Foundation.Data"])
  func rejectsImportsInTheDecoder(line: String) {
    #expect(!ImportRules.findings(in: [source(line)]).isEmpty)
  }

  @Test func rejectsFoundationInAnyRoom() {
    let file = source("import Foundation", at: "Sources/GatewayAgent/System/X.swift")
    #expect(ImportRules.findings(in: [file]).count == 2)
    let essentials = source(
      "import FoundationEssentials", at: "Sources/GatewayAgent/System/X.swift")
    #expect(ImportRules.findings(in: [essentials]).isEmpty)
  }

  @Test func rejectsASecondImporterOfACModule() {
    let first = source("import CSQLite", at: "Sources/ConsentLedger/A.swift")
    let second = source("internal import CSQLite", at: "Sources/ConsentLedger/B.swift")
    #expect(ImportRules.findings(in: [first]).isEmpty)
    #expect(ImportRules.findings(in: [first, second]).count == 1)
    let elsewhere = source("import CSQLite", at: "Sources/GatewayAgent/System/A.swift")
    #expect(ImportRules.findings(in: [elsewhere]).count == 1)
  }

  @Test func rejectsALongFile() {
    let lines = Array(repeating: "let a = 1", count: LengthRules.fileLines)
    #expect(LengthRules.findings(in: source(lines.joined(separator: "\n") + "\n")).isEmpty)
    #expect(
      LengthRules.findings(in: source((lines + ["// one more"]).joined(separator: "\n"))).count == 1
    )
  }

  @Test(arguments: [
    "func f() {", "public init(a: Int) throws(E) {", "  deinit {", "subscript(i: Int) -> Int {",
    "@inlinable static func f<T>(\n  _ a: T\n) {",
  ])
  func rejectsALongFunction(head: String) {
    let headLines = head.split(separator: "\n").count
    let fits = String(
      repeating: "  a += 1 // }\n", count: LengthRules.functionLines - headLines - 1)
    #expect(LengthRules.findings(in: source("\(head)\n\(fits)}\n")).isEmpty)
    #expect(LengthRules.findings(in: source("\(head)\n\(fits)  b(\"}\")\n}\n")).count == 1)
  }

  @Test func countsCodeAndNoProse() {
    let prose = "  // why\n\n  let a = \"\"\"\n    text\n    more\n    \"\"\"\n"
    #expect(LengthRules.functions(in: source("func f() {\n\(prose)}\n")).map(\.count) == [4])
  }

  @Test func measuresNoRequirementAndNoCall() {
    let text = "protocol P {\n  func f()\n  func g()\n}\nlet a = A.init(1)\nself.init(2)\n"
    #expect(LengthRules.functions(in: source(text)).isEmpty)
  }

  @Test(arguments: [
    "try! f()", "fatalError(\"x\")", "print(a)", "Swift.print(a)", "  debugPrint(a)",
  ])
  func rejectsTrapsAndPrints(line: String) {
    #expect(WordRules.findings(in: source(line)).count == 1)
  }

  @Test func allowsPrintingWhereAPersonReads() {
    let command = source("print(a)", at: "Sources/GatewayAgent/Commands/X.swift")
    #expect(WordRules.findings(in: command).isEmpty)
    for line in ["decimal.print(into: &a)", "func print(into a: Int) {", "blueprint(a)"] {
      #expect(WordRules.findings(in: source(line)).isEmpty, "\(line)")
    }
  }

  @Test func rejectsLeftovers() {
    #expect(WordRules.leftovers(in: ["  // TO" + "DO: later"], of: "x").count == 1)
    #expect(WordRules.leftovers(in: ["nothing to do"], of: "x").isEmpty)
  }

  @Test(arguments: [
    "let s = socket(AF_INET, 0, 0)", "_ = unsafe connect(s, a, 16)", "getaddrinfo(a, b, c, d)",
    "Glibc.socket(1, 2, 3)",
  ])
  func rejectsSocketsOutsideTheirRooms(line: String) {
    #expect(PrivacyRules.sockets(in: source(line)).count == 1)
    let pipeline = source(line, at: "Sources/GatewayAgent/Pipeline/X.swift")
    #expect(PrivacyRules.sockets(in: pipeline).count == 1)
    let output = source(line, at: "Sources/GatewayAgent/Outputs/X.swift")
    #expect(PrivacyRules.sockets(in: output).isEmpty)
  }

  @Test func allowsMethodsThatOnlySoundLikeSockets() {
    for line in ["broker.connect()", "func connect() {", "control.socket(1)", "connect()"] {
      #expect(PrivacyRules.sockets(in: source(line)).isEmpty, "\(line)")
    }
  }

  @Test(arguments: [
    "extension Secret: CustomStringConvertible {}", "public struct Secret: Equatable,\n  Codable {",
    "extension SecretVault: @retroactive Encodable {",
  ])
  func rejectsSecretsThatSpeak(text: String) {
    #expect(PrivacyRules.speakingSecrets(in: source(text)).count == 1)
  }

  @Test func allowsSecretsThatAreSilent() {
    let text = "public struct Secret: Equatable, Sendable {\nextension Reading: Codable {\n"
    #expect(PrivacyRules.speakingSecrets(in: source(text)).isEmpty)
  }

  @Test(arguments: [
    "enum Log {\n  static func event(_ a: String) {\n",
    "struct Log {\n  func a(\n    _ b: [Substring]\n  ) {",
    "extension Log {\n  static func a(_ b: some StringProtocol) {",
  ])
  func rejectsALogThatTakesText(text: String) {
    #expect(PrivacyRules.logParameters(in: source(text)).count == 1)
  }

  @Test func allowsALogOfCodesAndNumbers() {
    let text = "enum Log {\n  static func event(_ code: StaticString, _ a: Int64...) -> String {\n"
    #expect(PrivacyRules.logParameters(in: source(text)).isEmpty)
  }

  @Test func findsAVectorThatNoReadmeNames() {
    #expect(
      VectorRules.unlisted(["T/Vectors/p1/a.txt", "T/Vectors/b.txt"], in: "`a.txt`").count == 1)
  }

  @Test func findsAPathThatIsGone() {
    let text =
      "Run `scripts/check.sh --now`, see `docs/gone.md`, `scripts/*.sh` and `other/gone.md`."
    let findings = VectorRules.deadPaths(in: text, of: "x") { $0 == "scripts/check.sh" }
    #expect(findings.map(\.what) == ["names docs/gone.md, which is absent"])
  }

  @Test(arguments: ["(90417733)", "0x3930343137373333", "90417733\r\n", "id=A90417733B"])
  func findsAnIdentifierInAnyForm(text: String) {
    let known = ["90417733"]
    #expect(KnownIdentifiers.findings(known, in: Array(text.utf8), of: "x").count == 1)
    #expect(KnownIdentifiers.findings(["90417734"], in: Array(text.utf8), of: "x").isEmpty)
  }

  @Test func ignoresFillers() {
    for filler in ["00000000", "1234567890123", "0011223344556677", "4711"] {
      #expect(!KnownIdentifiers.isTelling(filler), "\(filler)")
    }
    #expect(KnownIdentifiers.isTelling("90417733"))
  }
}
