import PropertyTesting
import Testing

@testable import KafkaStorage

@Suite struct ElectionTests {
  private func elected(_ words: [String], for name: String = "me") -> String? {
    var election = Election(for: name)
    for (index, word) in words.enumerated() {
      if word.hasPrefix("-") {
        election.leave(String(word.dropFirst()))
      } else {
        _ = election.hear(word, joined: election.joined(word), at: Int64(index))
      }
    }
    return election.elected
  }

  @Test func `whoever came first is elected, until it is gone`() {
    #expect(elected([]) == nil)
    #expect(elected(["a"]) == "a")
    #expect(elected(["b", "a", "b", "a"]) == "b")
    #expect(elected(["b", "a", "-b"]) == "a")
    #expect(elected(["b", "a", "-b", "b"]) == "a")
  }

  @Test
  func
    `one is missed by whoever spoke four times without hearing it, and that counts once it is said`()
  {
    var election = Election(for: "b")
    _ = election.hear("a", joined: nil, at: 0)
    #expect(election.hear("b", joined: nil, at: 1) == [])
    for offset in 2..<4 { #expect(election.hear("b", joined: 1, at: Int64(offset)) == []) }
    // What others have not heard is theirs to say.
    for offset in 4..<9 { #expect(election.hear("c", joined: 4, at: Int64(offset)) == []) }
    #expect(election.hear("b", joined: 1, at: 9) == ["a"])
    #expect(election.elected == "a")
    // Said again when it was lost.
    #expect(election.hear("b", joined: 1, at: 10) == ["a"])
    election.leave("a")
    #expect(election.elected == "b")
    #expect(election.hear("b", joined: 1, at: 11) == [])
  }

  @Test func `one that is heard again is not missed`() {
    var election = Election(for: "b")
    _ = election.hear("a", joined: nil, at: 0)
    for offset in 1..<4 { #expect(election.hear("b", joined: 1, at: Int64(offset)) == []) }
    _ = election.hear("a", joined: 0, at: 4)
    for offset in 5..<8 { #expect(election.hear("b", joined: 1, at: Int64(offset)) == []) }
    #expect(election.hear("b", joined: 1, at: 8) == ["a"])
  }

  @Test func `one that was missed joins again behind the others`() {
    #expect(elected(["a", "b", "b", "-a", "a", "b", "a"]) == "b")
    var election = Election(for: "a")
    _ = election.hear("a", joined: nil, at: 0)
    election.leave("a")
    #expect(election.joined("a") == nil)
    // What it had said meanwhile, as one that was there before all others.
    _ = election.hear("a", joined: 0, at: 4)
    #expect(election.elected == "a")
    #expect(!election.isElected)
    #expect(election.word == nil)
    _ = election.hear("a", joined: nil, at: 5)
    #expect(election.joined("a") == 5)
    #expect(election.word == 5)
    #expect(election.isElected)
  }

  /// Whoever reads all of it and whoever reads what compaction has left agree, whatever candidates say and whoever is said to be gone,
  /// and at every place (laws 4 and 6). Two that do not would fence each other for ever.
  @Test func `readers of a compacted log agree with those who have read all`() throws {
    try forAll("an election of a compacted log") { choices in
      let names = ["a", "b", "c"]
      var records: [(name: String, isGone: Bool, joined: Int64?, offset: Int64)] = []
      for offset in 0..<Int64(choices.int(in: 1...20)) {
        records.append(
          (
            names[choices.int(in: 0...2)], choices.int(in: 0...3) == 0,
            choices.int(in: 0...1) == 0 ? nil : Int64(choices.int(in: 0...Int(offset))), offset
          ))
      }
      let cut = Int64(choices.int(in: 0...records.count))
      let dropsGone = choices.int(in: 0...1) == 1
      let newest = Dictionary(
        records.filter { $0.offset < cut }.map { ($0.name, $0.offset) }, uniquingKeysWith: { $1 })
      var all = Election(for: "a")
      var left = Election(for: "b")
      for record in records {
        let isLeft =
          record.offset >= cut
          || (newest[record.name] == record.offset && !(record.isGone && dropsGone))
        if record.isGone {
          all.leave(record.name)
          if isLeft { left.leave(record.name) }
        } else {
          _ = all.hear(record.name, joined: record.joined, at: record.offset)
          if isLeft { _ = left.hear(record.name, joined: record.joined, at: record.offset) }
        }
        if record.offset + 1 >= cut { try hold(left.elected, equals: all.elected) }
      }
      choices.note("\(records)")
    }
  }
}
