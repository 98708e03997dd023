internal import PropertyTesting

/// Links between processes: messages are late, lost, doubled and out of order; links clog, and groups of processes are cut off.
struct SimulatedNetwork {
  /// One-way delays of this world, drawn once.
  var delayMin = VirtualTime.milliseconds(1)
  var delayMean = VirtualTime.milliseconds(5)
  /// How long a clogged link stays so, on average.
  var clogMean = VirtualTime.seconds(1)

  private let count: Int
  private var clogged: [VirtualTime]
  /// Processes of different groups do not hear each other.
  private var groups: [Int]
  /// Only messages from a higher to a lower group are lost.
  private var isOneWay = false
  private(set) var isParted = false
  private var latest: [VirtualTime]
  private(set) var reordered = 0

  init(processes: Int) {
    count = processes
    clogged = [VirtualTime](repeating: .zero, count: processes * processes)
    latest = clogged
    groups = [Int](repeating: 0, count: processes)
  }

  /// When a message arrives: never, once, or twice.
  mutating func deliveries(
    from: ProcessID, to: ProcessID, at now: VirtualTime, _ chance: Chance
  ) -> (first: VirtualTime?, second: VirtualTime?) {
    if !isOpen(from: from, to: to) || chance.strikes(.loss) { return (nil, nil) }
    let link = from * count + to
    if chance.wants(.clog) {
      clogged[link] = now + chance.exponential(clogMean)
      if clogged[link] > now + delayMin { chance.count(.clog) }
    }
    let first = max(now + delay(chance), clogged[link])
    if first < latest[link] { reordered += 1 }
    latest[link] = max(latest[link], first)
    return (first, chance.strikes(.double) ? now + delay(chance) : nil)
  }

  /// Whether anything gets through at all.
  func isOpen(from: ProcessID, to: ProcessID) -> Bool {
    groups[from] == groups[to] || (isOneWay && groups[from] < groups[to])
  }

  func delay(_ chance: Chance) -> VirtualTime {
    guard chance.wants(.delay) else { return delayMin }
    let more = chance.exponential(delayMean)
    if more > .zero { chance.count(.delay) }
    return delayMin + more
  }

  /// Cuts the processes into two groups, or one process off.
  mutating func part(_ chance: Chance) {
    if chance.below(2) == 0 {
      groups = [Int](repeating: 0, count: count)
      groups[chance.below(count)] = 1
    } else {
      let mask = chance.choices.full()
      for index in groups.indices { groups[index] = Int(mask >> UInt64(index % 64) & 1) }
    }
    isOneWay = chance.below(4) == 3
    isParted = groups.contains { $0 != groups[0] }
  }

  mutating func heal() {
    groups = [Int](repeating: 0, count: count)
    isParted = false
  }

  /// Nothing is held up any more.
  mutating func unclog() { clogged = [VirtualTime](repeating: .zero, count: count * count) }
}
