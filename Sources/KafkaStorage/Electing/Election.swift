/// Who is elected, as the log has it: candidates speak in one partition, each under a key of its own, and whoever has been there longest
/// is elected.
///
/// The last record of a candidate's key is all that counts of it: a word says since when it has been there, and null that it is gone. So
/// everybody who has read up to the same place comes to the same result, whatever compaction took before (law 6).
///
/// No clock decides who is gone. A candidate misses another one that it has not heard while it spoke `silenceMax` times itself, and says
/// so in the log; only that counts. So when the broker is away, or everybody is paused, nobody is missed.
package struct Election: Equatable, Sendable {
  /// So many words of its own a candidate hears before it misses one that is silent.
  package static let silenceMax = 4

  private struct Member: Equatable {
    /// The older, the lower.
    var joined: Int64
    /// Words of ours since it was last heard.
    var silence = 0
  }

  private let name: String
  private var members: [String: Member] = [:]
  /// Ours was said to be gone, and has not joined again: what it said before that came back, or still may, counts for others only.
  private var isMissed = false

  /// As this candidate follows it.
  package init(for name: String) { self.name = name }

  /// The candidate who has been there longest; nil when there is none.
  package var elected: String? {
    members.min { ($0.value.joined, $0.key) < ($1.value.joined, $1.key) }?.key
  }

  /// Whether ours is elected, and may act as such.
  package var isElected: Bool { elected == name && !isMissed }

  /// What ours is to say: when it joined; nil when it joins now.
  package var word: Int64? { isMissed ? nil : joined(name) }

  /// When a candidate joined: the offset of its first word. Nil when it is not there, or not any more.
  package func joined(_ candidate: String) -> Int64? { members[candidate]?.joined }

  /// A candidate has spoken.
  ///
  /// - Parameter said: when it joined, as it says; nil when this is its first word.
  /// - Returns: those whom ours misses now. Said in the log, it becomes so.
  package mutating func hear(
    _ candidate: String, joined said: Int64?, at offset: Int64
  ) -> [String] {
    members[candidate] = Member(joined: min(said ?? offset, offset))
    guard candidate == name else { return [] }
    if said == nil { isMissed = false }
    var missed: [String] = []
    for other in members.keys where other != name {
      members[other]?.silence += 1
      if let silence = members[other]?.silence, silence >= Election.silenceMax {
        missed.append(other)
      }
    }
    return missed.sorted()
  }

  /// A candidate has gone, or somebody has said so of one who is missed. One that is there joins again.
  package mutating func leave(_ candidate: String) {
    members[candidate] = nil
    if candidate == name { isMissed = true }
  }
}
