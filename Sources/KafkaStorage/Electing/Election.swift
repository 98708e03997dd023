/// Who is elected, as the log has it: candidates speak in one partition, in turns of about the same length, and whoever has been there
/// longest is elected.
///
/// No clock decides who is gone: a candidate is missed when another one has spoken `silenceMax` times since it was last heard. So when
/// the broker is away, or everybody is paused, nobody is missed; and everybody who reads the same records comes to the same result.
package struct Election: Equatable, Sendable {
  /// As often another one must have spoken.
  package static let silenceMax = 4

  private struct Member: Equatable {
    /// The older, the lower.
    var joined: Int64
    /// How often each other candidate has spoken since this one did.
    var heard: [String: Int] = [:]
  }

  private var members: [String: Member] = [:]
  /// When those had joined who were missed or have gone: that does not count again.
  private var missed: [String: Int64] = [:]

  /// An election in which nobody has spoken.
  package init() {}

  /// The candidate who has been there longest; nil when there is none.
  package var elected: String? {
    members.min { ($0.value.joined, $0.key) < ($1.value.joined, $1.key) }?.key
  }

  /// When a candidate joined: the offset of its first word. Nil when it is not there, or not any more.
  package func joined(_ candidate: String) -> Int64? { members[candidate]?.joined }

  /// A candidate has spoken.
  ///
  /// - Parameter joined: what it says of when it joined, for those who come later, when compaction has taken its first word.
  /// - Returns: those who are missed from now on.
  package mutating func hear(_ candidate: String, joined said: Int64?, at offset: Int64) -> [String]
  {
    let stated = said == missed[candidate] ? nil : said
    if stated != nil { missed[candidate] = nil }
    let joined = max(members[candidate]?.joined ?? stated ?? offset, stated ?? .min)
    members[candidate] = Member(joined: joined)
    var gone: [String] = []
    for other in members.keys where other != candidate {
      members[other]?.heard[candidate, default: 0] += 1
      if let member = members[other], member.heard[candidate] == Election.silenceMax {
        missed[other] = member.joined
        members[other] = nil
        gone.append(other)
      }
    }
    return gone.sorted()
  }

  /// A candidate has gone, or somebody has said so of one who is missed.
  package mutating func leave(_ candidate: String) {
    if let member = members.removeValue(forKey: candidate) { missed[candidate] = member.joined }
    for other in members.keys { members[other]?.heard[candidate] = nil }
  }
}
