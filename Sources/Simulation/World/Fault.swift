/// What can go wrong in the world, by name. How often is drawn for each world, so that worlds differ in what they suffer from.
package enum Fault: String, CaseIterable, Sendable, Comparable {
  // The network, of a million messages.
  case loss, double, delay, clog
  // The world, of a million opportunities: one every 100 virtual milliseconds.
  case partition, kill, powerCut, powerCutInWrite, pause, clockJump, wipe, bitRot, diskFull,
    takeover
  // The disk, of a million operations.
  case readError, writeError, syncError, shortWrite, misdirected, slowSync
  // What the log's readers, the nodes and the clients do, of a million times that they could.
  case rewind, flap, lie, poison, oldToken, wrongToken, slowReader
  // A cluster, of a million opportunities; and what its clients do, of a million requests or transactions.
  case leaderChange, coordinatorChange, answerLost, abandoned

  /// The most that is drawn for a world, in millionths. Messages are lost, doubled, clogged and misdirected as often as in TigerBeetle's
  /// simulator. The disk fails less often: 0.5 % of reads, writes and syncs, where that has 10 %, because each failed write or sync
  /// stops a log that has no replicas, and in a world whose log is closed nothing else is tested. Processes end more often.
  var rateMax: Int {
    switch self {
    case .loss: 300_000
    case .double: 500_000
    case .delay: 1_000_000
    case .clog: 20_000
    case .partition: 20_000
    case .kill, .powerCut, .powerCutInWrite: 20_000
    case .pause, .clockJump: 20_000
    case .wipe: 3_000
    case .bitRot, .diskFull: 3_000
    case .takeover: 10_000
    case .readError, .writeError, .syncError: 5_000
    case .shortWrite: 50_000
    case .misdirected: 20_000
    case .slowSync: 20_000
    case .rewind: 100_000
    case .flap, .lie, .poison: 100_000
    case .oldToken, .wrongToken, .slowReader: 200_000
    case .leaderChange, .coordinatorChange: 50_000
    case .answerLost: 100_000
    case .abandoned: 100_000
    }
  }

  /// Whether it can be in a world with this log.
  func strikes(_ log: LogKind) -> Bool {
    switch self {
    case .leaderChange, .coordinatorChange, .answerLost, .abandoned: log == .kafka
    case .bitRot, .diskFull, .powerCutInWrite, .misdirected: log == .embedded
    default: true
    }
  }

  package static func < (left: Fault, right: Fault) -> Bool { left.place < right.place }

  var place: Int { Fault.places[rawValue] ?? 0 }
  private static let places = Dictionary(
    uniqueKeysWithValues: allCases.enumerated().map { ($0.element.rawValue, $0.offset) })
}

/// How often each fault strikes, in millionths of its opportunities.
package struct FaultRates: Hashable, Sendable {
  private var rates = [Int](repeating: 0, count: Fault.allCases.count)

  package init() {}

  package subscript(fault: Fault) -> Int {
    get { rates[fault.place] }
    set { rates[fault.place] = newValue }
  }
}
