import Testing

/// The rules themselves, on small houses that break them.
@Suite struct RulesTests {
  private func manifest(_ arrows: [(String, [String])]) throws -> Manifest {
    let targets = arrows.map { name, dependencies in
      let kind =
        switch Floor.of[name] {
        case .c: "systemLibrary"
        case nil where name.hasSuffix("Tests"): "testTarget"
        default: "target"
        }
      return ".\(kind)(name: \"\(name)\", dependencies: \(dependencies))"
    }
    return try Manifest("let p = Package(targets: [\n\(targets.joined(separator: ",\n"))\n])")
  }

  @Test func `a house that stands has no breaches`() throws {
    let house = try manifest([
      ("Events", []), ("EventStorage", []), ("Projections", ["Events", "EventStorage"]),
      ("CLZ4", []), ("SegmentStorage", ["EventStorage", "CLZ4"]), ("Gateway", ["Projections"]),
      ("Runtime", ["Gateway", "SegmentStorage"]), ("Benchmarks", ["CSQLite", "CLZ4", "Runtime"]),
      ("CSQLite", []), ("signalbox", ["Runtime", "Benchmarks"]),
      ("SegmentStorageTests", ["SegmentStorage", "CLZ4", "Gateway"]),
    ])
    #expect(house.breaches == [])
  }

  @Test(arguments: [
    ("Events", "Runtime", "stands above"), ("Projections", "SegmentStorage", "stands above"),
    ("Gateway", "Runtime", "stands above"), ("Runtime", "signalbox", "stands above"),
    ("Gateway", "SegmentStorage", "no adapter knows another"),
    ("Gateway", "CLZ4", "belong to SegmentStorage"), ("Runtime", "CISAL", "belong to"),
    ("Events", "CSQLite", "belong to Benchmarks"), ("CLZ4", "Events", "stands above"),
    ("Runtime", "EventsTests", "is for tests"),
  ])
  func `a forbidden arrow is found`(_ from: String, _ to: String, _ rule: String) throws {
    let breaches = try manifest([(to, []), (from, [to])]).breaches
    #expect(breaches.count == 1)
    #expect(breaches.first?.rule.contains(rule) == true, "\(breaches)")
    #expect(breaches.first?.line == 3)
  }

  @Test func `a module without a floor is found`() throws {
    #expect(try manifest([("Helpers", [])]).breaches.map(\.rule) == ["Helpers stands on no floor"])
  }

  private func breaches(
    _ text: String, in module: String, file: String = "Other.swift"
  ) throws -> [String] {
    let house = try manifest([
      ("Events", []), ("EventStorage", []), ("CLZ4", []),
      ("SegmentStorage", ["EventStorage", "CLZ4"]), ("Gateway", ["Events"]),
    ])
    return try SourceRules(
      text, file: "Sources/\(module)/\(file)", module: module, manifest: house
    ).breaches.map { "\($0.line) \($0.rule)" }
  }

  @Test(arguments: [
    ("EventStorage", "import Synchronization\npublic import struct Crypto.SHA256"),
    ("Gateway", "import Events\nimport Foundation\nlet a = Date()\nlet b = UUID()"),
    ("SegmentStorage", "internal import EventStorage\nimport CLZ4\nimport Glibc"),
    ("Events", "// import Foundation, Date(), Task { }\nlet a = \"UUID() Task {\""),
    ("Events", "struct Date {}\nfunc random() {}\nlet dates: [Date] = []\nstruct EventsRead {}"),
    ("Gateway", "try await Task.sleep(for: a)\nlet t: Task<Void, Never>\nif Task.isCancelled {}"),
    ("Gateway", "group.addTask { }\nclass func Gateways() {}"),
  ])
  func `sound source has no breaches`(_ module: String, _ text: String) throws {
    #expect(try breaches(text, in: module) == [])
  }

  @Test(arguments: [
    ("Events", "\nimport EventStorage", "2 Events imports EventStorage, but does not depend"),
    ("Gateway", "import CLZ4", "1 Gateway imports CLZ4, which belongs to SegmentStorage"),
    ("Gateway", "@testable import struct SegmentStorage.Log", "1 Gateway imports SegmentStorage"),
    ("Events", "import Foundation", "1 the pure module Events imports Foundation"),
    ("Events", "import FoundationEssentials", "1 the pure module Events imports Foundation"),
    ("Events", "package import Glibc", "1 the pure module Events imports Glibc"),
    ("Events", "import Dispatch", "1 the pure module Events imports Dispatch"),
    ("Events", "import NIOCore", "1 the pure module Events imports NIOCore"),
    ("EventStorage", "import Glibc", "1 the pure module EventStorage imports Glibc"),
    ("Events", "let a = Date()", "1 the pure module Events uses Date"),
    ("Events", "let a = Date.now", "1 the pure module Events uses Date"),
    ("Events", "let a = \"\\(UUID())\"", "1 the pure module Events uses UUID"),
    ("Events", "let a = Int.random(in: b)", "1 the pure module Events uses random"),
    ("Events", "let a = b.shuffled()", "1 the pure module Events uses shuffled"),
    ("Events", "let a = b.hashValue", "1 the pure module Events uses hashValue"),
    ("Events", "try await Task.sleep(for: a)", "1 the pure module Events uses sleep"),
    ("Events", "let a = ContinuousClock()", "1 the pure module Events uses ContinuousClock"),
    ("Gateway", "let a = b\nTask { }", "2 an unstructured task"),
    ("Gateway", "_ = Task<Void, Never> { }", "1 an unstructured task"),
    ("Gateway", "Task(priority: .high) { }", "1 an unstructured task"),
    ("Gateway", "Task\n  .detached { }", "1 an unstructured task"),
    ("Gateway", "enum Gateway {}", "1 the type Gateway has the name of its module"),
    ("Gateway", "final class Gateway {}", "1 the type Gateway has the name of its module"),
  ])
  func `a line that breaks a rule is found`(
    _ module: String, _ text: String, _ rule: String
  ) throws {
    let found = try breaches(text, in: module)
    #expect(found.count == 1, "\(found)")
    #expect(found.first?.hasPrefix(rule) == true, "\(found)")
  }

  @Test func `the exception holds for its file alone`() throws {
    #expect(try breaches("import Glibc", in: "EventStorage", file: "Monitor.swift") == [])
    #expect(
      try breaches("import Dispatch", in: "EventStorage", file: "Monitor.swift").count == 1)
  }

  @Test func `a file of 400 lines is long enough`() throws {
    let lines = String(repeating: "\n", count: SourceRules.linesMax)
    #expect(try breaches(lines, in: "Events") == [])
    #expect(
      try breaches(lines + "\n", in: "Events") == ["401 401 lines, and 400 are the most"])
  }

  @Test func `a breach says where, which rule and what to do`() {
    #expect(
      "\(Breach(file: "Sources/A/B.swift", line: 7, rule: "a rule", remedy: "do this"))"
        == "Sources/A/B.swift:7: a rule; do this")
  }
}
