import EventLaws
import Foundation
import PropertyTesting
import Testing

/// The example of docs/event-laws.md, as it stands there.
@Suite struct WorkedExampleTests {
  private func text(_ path: String) throws -> String {
    let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return try String(contentsOf: here.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func `law 6 finds the example's bug and shrinks it to two records`() throws {
    let broken = #expect(throws: LawsBroken.self) {
      try checkLaws(
        of: Owners.self, laws: [.compaction], .fixed,
        // As in the example, so that the failure reads as it does there.
        fileID: "MyTests/OwnersTests.swift", function: "the owners keep the laws()",
        history: ownership)
    }
    let failure = try #require(broken?.failure(of: ProjectionLaw.compaction))
    let found = try #require(failure.counterexample)
    #expect(found.notes.first?.hasPrefix("messages/0, 2 records") == true)
    #expect(found.number <= 10_000)
    let doc = try text("../../docs/event-laws.md")
    let shown = doc.split(separator: "says of law 6:\n\n```\n").last?
      .split(separator: "\n```\n").first
    #expect(
      String(shown ?? "") == "\(failure)",
      "docs/event-laws.md must show:\n\(failure)")
  }

  @Test func `a reader of the example is told of laws 6 and 7`() throws {
    let broken = #expect(throws: LawsBroken.self) {
      try checkLaws(of: Owners.self, .fixed, history: ownership)
    }
    let laws = ProjectionLaw.allCases.filter { broken?.failure(of: $0) != nil }
    #expect(laws == [.compaction, .resume])
  }

  /// Laws 6 and 7 speak of compaction; what the bug does is legal by all others.
  @Test func `the example keeps every other law`() throws {
    let laws = ProjectionLaw.allCases.filter { $0 != .compaction && $0 != .resume }
    try checkLaws(of: Owners.self, laws: laws, history: ownership)
  }

  @Test func `the code of the example is the code in the document`() throws {
    let doc = try text("../../docs/event-laws.md")
    let code = try text("WorkedExample.swift")
    #expect(doc.contains("```swift\n\(code)```"), "put WorkedExample.swift into docs/event-laws.md")
  }
}
