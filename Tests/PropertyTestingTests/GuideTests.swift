import Foundation
import PropertyTesting
import Testing

/// docs/property-testing.md says what is so.
@Suite struct GuideTests {
  private static let here = URL(filePath: #filePath).deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.here.appending(path: path), encoding: .utf8)
  }

  /// The blocks of one kind in the guide.
  private func blocks(_ kind: String) throws -> [String] {
    try text("../../docs/property-testing.md").components(separatedBy: "```\(kind)\n").dropFirst()
      .map { $0.components(separatedBy: "```")[0] }
  }

  /// Lines without what they begin with: an example may stand deeper in the test than in the guide.
  private func unindented(_ text: String) -> String {
    text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .joined(separator: "\n")
  }

  /// Without the places in files, which differ between guide and test.
  private func unplaced(_ text: String) -> String {
    text.replacing(#/ \(\w+/\w+\.swift:\d+\)/#, with: "")
  }

  @Test func `every example of the guide is compiled`() throws {
    let examples = try blocks("swift")
    let compiled = unindented(try text("GuideExamples.swift"))
    #expect(examples.count == 6)
    for example in examples {
      #expect(compiled.contains(unindented(example)), "not in GuideExamples.swift:\n\(example)")
    }
  }

  @Test func `the first example fails as the guide shows`() throws {
    let failure = try #require(throws: PropertyFailure.self) {
      try FailingGuideExamples().`compaction keeps the state`()
    }
    let shown = try blocks("text")
    #expect(unplaced(failure.description).hasPrefix(unplaced(shown[0])))
    let command = try #require(failure.command)
    let expected = shown[1].replacing("'Guide.", with: "'PropertyTestingTests.")
    #expect("again: \(command)\n" == expected)
  }

  @Test func `the commands fail as the guide shows`() throws {
    let failure = try #require(throws: PropertyFailure.self) {
      try forAll("recent remembers four") { try recentRemembersFour(&$0) }
    }
    let shown = try blocks("text")
    #expect(unplaced(failure.description).hasPrefix(unplaced(shown[2])))
  }

  @Test func `the limits are those of the guide`() throws {
    let guide = try text("../../docs/property-testing.md")
    let options = PropertyOptions.fixed
    for row in [
      "`cases` | \(grouped(options.cases)) |", "`shrinksMax` | \(grouped(options.shrinksMax)) ",
      "`discardsPerCaseMax` | \(options.discardsPerCaseMax) |",
      "`Choices.choicesMax` | \(grouped(Choices.choicesMax)) ",
    ] {
      #expect(guide.contains(row), "\(row)")
    }
  }

  private func grouped(_ number: Int) -> String {
    number < 1_000
      ? "\(number)"
      : grouped(number / 1_000) + "," + String("\(number % 1_000 + 1_000)".dropFirst())
  }
}
