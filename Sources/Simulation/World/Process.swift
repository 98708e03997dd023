/// Something that lives in the world and acts on what reaches it. It may end between any two steps, with nothing but its disk left.
protocol Process: AnyObject {
  /// For traces and failures.
  var name: String { get }
  /// A life begins. `life` counts them.
  func start()
  /// A life ends, without a word.
  func end(_ end: ProcessEnd)
  func receive(_ envelope: Envelope)
  func wake(_ timer: Timer)
  /// Faults are off from now on; begin nothing new.
  func settle()
  /// What is not resolved yet; nil when nothing is.
  var pending: String? { get }
  /// The last checks, when everything is at rest.
  func finish()
}

extension Process {
  func settle() {}
  var pending: String? { nil }
  func finish() {}
}

enum ProcessEnd {
  /// Killed; what the operating system had in its cache stays.
  case killed
  case powerCut
  /// With nothing left on its disk.
  case wiped
}

/// What a process wanted to be woken for.
enum Timer: Hashable {
  case commit, maintain
  case fetch, snapshot
  case timeout(UInt64)
  case think, beat, look, tick
  case reconnect, take
  /// Of a client of the cluster, by the number of its call.
  case call(UInt64)

  var code: Int {
    switch self {
    case .commit: 1
    case .maintain: 2
    case .fetch: 4
    case .snapshot: 5
    case .timeout: 6
    case .think: 7
    case .beat: 8
    case .look: 9
    case .tick: 10
    case .reconnect: 11
    case .take: 12
    case .call: 13
    }
  }
}

/// How a process stands.
struct ProcessState {
  var life = 0
  var isUp = false
  /// Whatever reaches it before this waits (a stopped process, a long collection of garbage).
  var pausedUntil = VirtualTime.zero
  /// How far its clock is off, in milliseconds.
  var clockError: Int64 = 0
}
