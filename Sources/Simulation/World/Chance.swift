package import PropertyTesting

/// The one source of what is not fixed, shared by everything in a world. Zero is always the harmless choice.
///
/// Sendable because a world has one thread.
package final class Chance: @unchecked Sendable {
  package var choices: Choices
  package var rates = FaultRates()
  /// Off in the second phase of a run, when everything must come to rest.
  package var isHostile = true
  /// When it is, for the story.
  var now = VirtualTime.zero
  private var recent: [(time: VirtualTime, fault: Fault)] = []
  private static let storyMax = 100
  private var injected = [Int](repeating: 0, count: Fault.allCases.count)

  package init(_ choices: Choices) { self.choices = choices }

  /// How often each fault has struck, and something came of it.
  package var counts: [(fault: Fault, count: Int)] {
    Fault.allCases.map { ($0, injected[$0.place]) }
  }

  func count(_ fault: Fault) {
    injected[fault.place] += 1
    // A message that is late is no event.
    guard fault != .delay else { return }
    if recent.count == 2 * Chance.storyMax { recent.removeFirst(Chance.storyMax) }
    recent.append((now, fault))
  }

  /// The last faults that struck, and when.
  var story: [String] {
    recent.suffix(Chance.storyMax).map { "\($0.time.seconds) s \($0.fault.rawValue)" }
  }

  func below(_ bound: Int) -> Int { Int(choices.next(below: UInt64(max(1, bound)))) }

  /// Whether a fault strikes now, and is counted. Nothing is drawn where it cannot.
  func strikes(_ fault: Fault) -> Bool {
    guard wants(fault) else { return false }
    count(fault)
    return true
  }

  /// As `strikes`, of a fault of which nothing may come: whoever asks counts it when something has.
  func wants(_ fault: Fault) -> Bool {
    guard isHostile, rates[fault] > 0 else { return false }
    return below(1_000_000) >= 1_000_000 - rates[fault]
  }

  /// Which of these faults strikes now, if any: one draw for all of them. Whoever asks counts it when something has come of it.
  func strikingOne(of faults: [Fault]) -> Fault? {
    guard isHostile else { return nil }
    // Zero strikes nothing.
    var place = 999_999 - below(1_000_000)
    for fault in faults {
      if place < rates[fault] { return fault }
      place -= rates[fault]
    }
    return nil
  }

  /// Exponential, in steps: usually below the mean, now and then several times as long. Zero is none at all.
  func exponential(_ mean: VirtualTime) -> VirtualTime {
    let draw = below(1024)
    let nats = Chance.logarithms[draw]
    return VirtualTime(microseconds: mean.microseconds * nats / 1024)
  }

  /// -ln(1 - n/1024) in 1024ths, without floating point: ln is the sum of 1/k, and the sums below are exact enough.
  private static let logarithms: [Int64] = {
    var sum: Int64 = 0
    return (0..<1024).map { draw in
      defer { sum += (1 << 20) / Int64(1024 - draw) }
      return sum >> 10
    }
  }()
}
