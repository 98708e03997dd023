public import EventStorage
public import Projections
public import PropertyTesting

/// Checks that a projection keeps the laws: laws 1 to 12, each as a property of its own.
///
/// ```swift
/// @Test func `the routing table keeps the laws`() throws {
///   try checkLaws(of: RoutingTable.self, history: .topology)
/// }
/// ```
///
/// A law that `source` gives nothing to check with is left out, and the report says so.
///
/// - Parameters:
///   - type: The projection.
///   - source: What stands in its log.
///   - laws: Which laws; all of them unless told otherwise.
///   - options: How many cases each law is tried with, and which.
/// - Throws: Every law that is broken, each with the simplest case that was found.
/// - Returns: What was tried.
@discardableResult
public func checkLaws<State: Projection>(
  of type: State.Type, history source: RecordSource,
  laws: some Sequence<ProjectionLaw> = ProjectionLaw.allCases,
  _ options: PropertyOptions = .standard, fileID: String = #fileID, function: String = #function
) throws(LawsBroken) -> LawReport<ProjectionLaw> {
  try checkLaws(
    ofFold: { Fold<State>(source.partition) }, history: source, laws: laws, options,
    fileID: fileID, function: function)
}

/// Checks that a projection keeps the laws, with records of an application's own. See the `checkLaws` that takes a source: laws 10 to 12
/// need one.
@discardableResult
public func checkLaws<State: Projection>(
  of type: State.Type, laws: some Sequence<ProjectionLaw> = ProjectionLaw.allCases,
  _ options: PropertyOptions = .standard, fileID: String = #fileID, function: String = #function,
  history record: @escaping @Sendable (inout Choices) -> NewRecord
) throws(LawsBroken) -> LawReport<ProjectionLaw> {
  try checkLaws(
    of: type, history: RecordSource(record: record), laws: laws, options, fileID: fileID,
    function: function)
}

/// Checks that a projection keeps the laws when it is fed by a fold of the application's own instead of by `Fold`.
@discardableResult
public func checkLaws<Guarded: PositionedFold>(
  ofFold makeFold: @escaping () -> Guarded, history source: RecordSource,
  laws: some Sequence<ProjectionLaw> = ProjectionLaw.allCases,
  _ options: PropertyOptions = .standard, fileID: String = #fileID, function: String = #function
) throws(LawsBroken) -> LawReport<ProjectionLaw> {
  let checks = ProjectionChecks<Guarded>(source: source, makeFold: makeFold)
  var report = LawReport<ProjectionLaw>(subject: Guarded.State.name)
  var failures: [PropertyFailure] = []
  for law in Set(laws).sorted() {
    if let reason = checks.reasonToSkip(law) {
      report.skipped[law] = reason
      continue
    }
    var states = StatesHash()
    do throws(PropertyFailure) {
      report.reports[law] = try forAll(
        "\(law): \(Guarded.State.name)", options, fileID: fileID, function: function
      ) { choices in
        try checks.check(law, &choices, states: &states)
      }
      if law == .determinism { report.statesHash = states.value }
    } catch { failures.append(error) }
  }
  if !failures.isEmpty { throw LawsBroken(failures: failures) }
  return report
}

/// A fold of a partition that knows its position, and leaves out what it has read.
public protocol PositionedFold: RecordSink {
  /// The projection that is fed.
  associatedtype State: Projection
  /// What the records mean so far.
  var state: State { get }
  /// Everything before it is in `state`.
  var position: Offset { get }
}

extension Fold: PositionedFold {}
