import PropertyTesting
import Testing

@testable import KafkaStorage

@Suite struct ElectionTests {
  private func elected(_ words: [String]) -> String? {
    var election = Election()
    for (index, word) in words.enumerated() {
      if word.hasPrefix("-") {
        election.leave(String(word.dropFirst()))
      } else {
        _ = election.hear(word, joined: nil, at: Int64(index))
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

  @Test func `one is missed when another has spoken four times since`() {
    #expect(elected(["a", "b", "b", "b"]) == "a")
    #expect(elected(["a", "b", "b", "b", "b"]) == "b")
    #expect(elected(["a", "b", "b", "b", "a", "b", "b", "b"]) == "a")
    // Two others together are not enough: they may speak at the same moment.
    #expect(elected(["a", "b", "c", "b", "c", "b", "c"]) == "a")
  }

  @Test func `one that was paused comes back behind the others, whatever it says of itself`() {
    var election = Election()
    _ = election.hear("a", joined: nil, at: 0)
    #expect(election.hear("b", joined: nil, at: 1) == [])
    for offset in 2..<4 { #expect(election.hear("b", joined: 1, at: Int64(offset)) == []) }
    #expect(election.hear("b", joined: 1, at: 4) == ["a"])
    #expect(election.elected == "b")
    // Whoever leads says that it is gone; and it may say in its first word that it was there before all others.
    election.leave("a")
    _ = election.hear("a", joined: 0, at: 5)
    #expect(election.elected == "b")
    #expect(election.joined("a") == 5)
    _ = election.hear("a", joined: 5, at: 6)
    #expect(election.elected == "b")
  }

  /// Candidates speak in turns; some stop for good. Whoever reads all of it, and whoever reads what compaction has left and then
  /// goes on, agree in the end (laws 4 and 6).
  @Test func `readers of a compacted log agree with those who have read all`() throws {
    try forAll("an election of a compacted log") { choices in
      let names = ["a", "b", "c", "d"]
      var election = Election()
      var words: [(name: String, joined: Int64?, offset: Int64)] = []
      var living = names
      func speak(_ name: String) {
        let offset = Int64(words.count)
        words.append((name, election.joined(name), offset))
        _ = election.hear(name, joined: election.joined(name), at: offset)
      }
      for _ in 0..<choices.int(in: 1...12) {
        if living.count > 1, choices.int(in: 0...5) == 0 {
          living.remove(at: choices.int(in: 0...living.count - 1))
        }
        for name in living { speak(name) }
      }
      let cut = choices.int(in: 0...words.count)
      let newest = Dictionary(
        words[..<cut].map { ($0.name, $0.offset) }, uniquingKeysWith: { $1 })
      // Long enough that the dead are missed by everybody.
      for _ in 0..<Election.silenceMax { for name in living { speak(name) } }
      var late = Election()
      for word in words where word.offset >= cut || newest[word.name] == word.offset {
        _ = late.hear(word.name, joined: word.joined, at: word.offset)
      }
      choices.note("\(words)")
      try hold(late.elected, equals: election.elected)
      try hold(living.contains(election.elected ?? ""), "\(election) of \(living)")
    }
  }
}
