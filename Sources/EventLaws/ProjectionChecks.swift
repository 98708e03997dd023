import EventStorage
import Projections
import PropertyTesting

/// The laws of a projection as properties.
struct ProjectionChecks<Guarded: PositionedFold> {
  typealias State = Guarded.State

  let source: RecordSource
  let makeFold: () -> Guarded
  let log = LogIdentity(0x4c61_7773)

  /// What is missing to check a law; nil when nothing is.
  func reasonToSkip(_ law: ProjectionLaw) -> String? {
    switch law {
    case .compaction, .resume: source.isCompacted ? nil : "the log is not compacted"
    case .poison: source.poison.isEmpty ? "the source has no poison" : nil
    case .forwardTolerance: source.unknown.isEmpty ? "the source has no unknown types" : nil
    case .upcasting: source.versions.isEmpty ? "the source has no versions" : nil
    default: nil
    }
  }

  /// Checks one case. Law 1 adds the state to `states`, which must then be the same in every process.
  func check(
    _ law: ProjectionLaw, _ choices: inout Choices, states: inout StatesHash
  ) throws {
    switch law {
    case .determinism: states.add(try determinism(&choices))
    case .batching: try batching(&choices)
    case .snapshot: try snapshot(&choices)
    case .redelivery: try redelivery(&choices)
    case .atomicPosition: try atomicPosition(&choices)
    case .compaction: try compaction(&choices)
    case .resume: try resume(&choices)
    case .deletion: try deletion(&choices)
    case .commutativity: try commutativity(&choices)
    case .poison: try poison(&choices)
    case .forwardTolerance: try forwardTolerance(&choices)
    case .upcasting: try upcasting(&choices)
    }
  }

  func folded(_ records: some Collection<LoggedRecord>) -> State {
    var state = State()
    if !records.isEmpty { state.apply(records) }
    return state
  }

  func history(_ choices: inout Choices) -> History {
    let history = choices.history(of: source)
    choices.note("\(history)")
    return history
  }
}

/// FNV-1a over canonical bytes: the same on any machine.
struct StatesHash {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bytes: [UInt8]) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }
}

/// The canonical bytes of a state.
func canonical(_ state: some Projection) -> [UInt8] {
  var bytes: [UInt8] = []
  state.encode(into: &bytes)
  return bytes
}

/// Two states that should have the same canonical bytes have not.
struct StatesDiffer: Error, CustomStringConvertible {
  let description: String
}

/// Throws unless both states have the same canonical bytes.
func hold(
  _ state: some Projection, isLike expected: some Projection, _ message: @autoclosure () -> String
) throws(StatesDiffer) {
  try hold(canonical(state), isLike: canonical(expected), message())
}

/// Throws unless both are the same canonical bytes; shows the first difference.
func hold(
  _ bytes: [UInt8], isLike expected: [UInt8], _ message: @autoclosure () -> String
) throws(StatesDiffer) {
  guard bytes != expected else { return }
  let same = zip(bytes, expected).prefix { $0 == $1 }.count
  func rest(_ bytes: [UInt8]) -> String {
    let shown = bytes.dropFirst(same).prefix(12).map(hexadecimal).joined(separator: " ")
    return shown.isEmpty ? "the end" : shown + (bytes.count > same + 12 ? " …" : "")
  }
  throw StatesDiffer(
    description: "\(message()): its canonical bytes have, from byte \(same) on, \(rest(bytes)), "
      + "and should have \(rest(expected))")
}
