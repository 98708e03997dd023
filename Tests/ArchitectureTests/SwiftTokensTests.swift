import Testing

@Suite struct SwiftTokensTests {
  private func texts(_ source: String) throws -> [String] {
    try SwiftTokens.of(source, file: "f").map { $0.kind == .string ? "<\($0.text)>" : $0.text }
  }

  @Test(arguments: [
    ("let a = b.c()", ["let", "a", "=", "b", ".", "c", "(", ")"]),
    ("a // b \"\nc", ["a", "c"]),
    ("a /* b /* c */ \" */ d", ["a", "d"]),
    (#""a\"b" c"#, [#"<a\"b>"#, "c"]),
    (#""// no comment" a"#, ["<// no comment>", "a"]),
    (#""a\(b("c"))d" e"#, ["<ad>", "b", "(", "<c>", ")", "e"]),
    ("#\"a\"b\\(c)\"# d", ["<a\"b\\(c)>", "d"]),
    ("#\"\\#(a)\"#", ["<>", "a"]),
    ("\"\"\"\na \"b\" \\\nc\n\"\"\" d", ["<\na \"b\" \\\nc\n>", "d"]),
    ("func `a b`() {}", ["func", "`a b`", "(", ")", "{", "}"]),
    ("#if a", ["#", "if", "a"]),
  ])
  func `source is split into what counts`(_ source: String, _ expected: [String]) throws {
    #expect(try texts(source) == expected)
  }

  @Test func `lines are counted through comments and strings`() throws {
    let source = "a\n/* \n */ b\n\"\"\"\n\\\n\n\"\"\" c\n\"\\(d)\" e"
    let words = try SwiftTokens.of(source, file: "f").filter { $0.kind == .word }
    #expect(words.map { "\($0.text)\($0.line)" } == ["a1", "b3", "c7", "d8", "e8"])
  }

  @Test(arguments: ["a\n\"b", "a\n\"b\n\"", "a\n/* b", "a\n\"\\(b\"", "a\n\"\"\"b\""])
  func `what has no end is refused, with its line`(_ source: String) {
    #expect { try SwiftTokens.of(source, file: "f") } throws: { error in
      (error as? Breach)?.line == 2 && (error as? Breach)?.file == "f"
    }
  }
}
