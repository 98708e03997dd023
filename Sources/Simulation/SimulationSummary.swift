/// What many worlds added up to.
package struct SimulationSummary: Sendable {
  package private(set) var worlds = 0
  package private(set) var steps = 0
  package private(set) var virtualTime = VirtualTime.zero
  /// How long it took, in microseconds of real time.
  package var realMicroseconds: Int64 = 0
  /// By fault, in the order in which they are declared.
  package private(set) var faults: [(name: String, count: Int)] = []
  package private(set) var checks: [(name: String, count: Int)] = []
  /// Of every world's hash; of one world it is that.
  package private(set) var traceHash = TraceHash()

  package init() {}

  package mutating func add(_ report: WorldReport) {
    worlds += 1
    steps += report.steps
    virtualTime += report.virtualTime
    if worlds == 1 { traceHash = report.traceHash } else { traceHash.add(report.traceHash.value) }
    for fault in report.faults { SimulationSummary.add(fault.count, to: fault.name, in: &faults) }
    for (name, count) in report.counts.all {
      SimulationSummary.add(count, to: name, in: &checks)
    }
  }

  private static func add(
    _ count: Int, to name: String, in list: inout [(name: String, count: Int)]
  ) {
    if let index = list.firstIndex(where: { $0.name == name }) {
      list[index].count += count
    } else {
      list.append((name, count))
    }
  }

  /// Virtual time for each unit of real time.
  package var ratio: Int64 {
    realMicroseconds > 0 ? virtualTime.microseconds / realMicroseconds : 0
  }

  /// Several lines for people.
  package var text: String {
    let real = VirtualTime(microseconds: realMicroseconds)
    return """
      worlds    \(worlds), \(steps) steps
      faults    \(SimulationSummary.list(faults))
      checked   \(SimulationSummary.list(checks))
      time      \(virtualTime.seconds) s in \(real.seconds) s: \(ratio) times faster
      trace     \(traceHash)
      """
  }

  private static func list(_ list: [(name: String, count: Int)]) -> String {
    list.isEmpty ? "none" : list.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
  }

  /// One object on one line.
  package var json: String {
    func object(_ list: [(name: String, count: Int)]) -> String {
      "{" + list.map { "\"\($0.name)\":\($0.count)" }.joined(separator: ",") + "}"
    }
    return """
      {"worlds":\(worlds),"steps":\(steps),"virtualMicroseconds":\(virtualTime.microseconds),\
      "realMicroseconds":\(realMicroseconds),"ratio":\(ratio),"traceHash":"\(traceHash)",\
      "faults":\(object(faults)),"checked":\(object(checks))}
      """
  }
}

extension WorldReport.Counts {
  /// By name.
  package var all: [(name: String, count: Int)] {
    [
      ("acknowledged appends", acknowledged), ("records", records), ("openings", restarts),
      ("states", statesCompared), ("states skipped", statesSkipped), ("reads", reads),
      ("stream ids", streamChecks), ("views", viewsCompared), ("views skipped", viewsSkipped),
      ("resumes", resumes), ("snapshots stored", snapshots),
      ("snapshots refused", snapshotsRefused),
      ("folds begun anew", horizonRestarts), ("fences", fences), ("stale writes", refusedStale),
      ("damages found", damagesFound), ("compactions", compactions), ("commits", commits),
      ("aborts", aborts), ("transactions timed out", transactionsTimedOut),
      ("unread answers", unreadAnswers), ("doubled appends", doubled),
      ("unknown outcomes", unknownOutcomes), ("ranges read", ranges),
    ]
  }
}
