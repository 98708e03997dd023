import EventStorage
import Foundation
import SegmentStorage
import Synchronization

extension BenchmarkCase {
  /// Folding two partitions on a core each.
  static let twoCores = BenchmarkCase(
    name: "two-cores", about: "fold two partitions on two cores, beside one core"
  ) { run in
    let events = run.size.of(smoke: 20_000, full: 5_000_000)
    run.progress("two-cores: writing \(events) events")
    let log = try await SyntheticLog.make(run.folder + "/log", events: events, partitions: 2)
    defer { log.close() }
    let partitions = [Partition(.messages, 0), Partition(.messages, 1)]
    let digests = Mutex<Set<String>>([])
    let times = try await medians(
      rounds: run.size.of(smoke: 1, full: 5),
      [
        {
          let start = wallSeconds()
          let states = try partitions.map { try folded(log, $0) }
          let seconds = wallSeconds() - start
          digests.withLock { _ = $0.insert(states.map(\.digest).joined(separator: " ")) }
          return seconds
        },
        {
          let results = Mutex<[Int: Result<ReplayState, any Error>]>([:])
          let start = wallSeconds()
          DispatchQueue.concurrentPerform(iterations: 2) { index in
            let result = Result { try folded(log, partitions[index]) }
            results.withLock { $0[index] = result }
          }
          let seconds = wallSeconds() - start
          let states = try results.withLock { found in
            try [0, 1].compactMap { try found[$0]?.get() }
          }
          digests.withLock { _ = $0.insert(states.map(\.digest).joined(separator: " ")) }
          return seconds
        },
      ])
    let found = digests.withLock { $0 }
    guard found.count == 1, let digest = found.first else {
      throw BenchmarkFailure("one core and two fold to different states: \(found)")
    }
    let rates = times.map { Quantity(Double(events) / $0, "events/s") }
    run.report(
      BenchmarkRow(
        "replay, two partitions on two cores", rates[1], against: "one core", rates[0],
        ratio: times[0] / times[1], target: .atLeast(1.7),
        evidence: "\(events) events, digests \(digest)"))
  }
}

private func folded(_ log: SegmentedLog, _ partition: Partition) throws -> ReplayState {
  var state = ReplayState()
  try fold(log, partition, into: &state)
  return state
}
