/// What happened in a world.
package struct WorldReport: Hashable, Sendable {
  package var steps = 0
  package var virtualTime = VirtualTime.zero
  package var traceHash = TraceHash()
  /// By kind, in the order of `Fault.allCases`; those that never struck are left out.
  package var faults: [FaultCount] = []
  package var counts = Counts()

  package init() {}

  package struct FaultCount: Hashable, Sendable {
    package var name: String
    package var count: Int
  }

  /// How often what was checked.
  package struct Counts: Hashable, Sendable {
    package var acknowledged = 0
    package var records = 0
    package var restarts = 0
    package var snapshots = 0
    package var statesCompared = 0
    /// Folds and views in the middle of what compaction has been at: what they must be is not known there.
    package var statesSkipped = 0
    package var viewsCompared = 0
    package var viewsSkipped = 0
    package var reads = 0
    package var resumes = 0
    package var streamChecks = 0
    package var fences = 0
    package var refusedStale = 0
    package var damagesFound = 0
    package var compactions = 0
    /// Folds that began anew because tombstones that they had not read were gone.
    package var horizonRestarts = 0
    /// Snapshots that were not taken for the same reason.
    package var snapshotsRefused = 0
    // Of a cluster.
    package var commits = 0
    package var aborts = 0
    package var transactionsTimedOut = 0
    /// Appends that were answered by the leader's report alone.
    package var unreadAnswers = 0
    /// Appends that lie there twice: tried at the same moment at two instances.
    package var doubled = 0
    package var unknownOutcomes = 0
    /// Reads from further back than a tail keeps.
    package var ranges = 0
  }
}

extension World {
  var report: WorldReport {
    var report = WorldReport()
    report.steps = step
    report.virtualTime = now
    report.traceHash = trace
    report.faults = chance.counts.filter { $0.count > 0 }
      .map { .init(name: $0.fault.rawValue, count: $0.count) }
    if network.reordered > 0 {
      report.faults.append(.init(name: "reorder", count: network.reordered))
    }
    report.counts = oracle.counts
    report.counts.acknowledged = oracle.acknowledged
    report.counts.records = oracle.records
    return report
  }
}
