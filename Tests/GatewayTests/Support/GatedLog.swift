import EventLogContract
import EventStorage

/// A log whose reads wait at a gate: what happens to the log between two reads of a follower is up to the test.
final class GatedLog: ForwardingLog {
  /// The log itself, which can be changed while readers wait.
  let base: MemoryLog
  private let gate = Monitor(Gate())

  private struct Gate {
    /// Reads that may pass; nil for any number.
    var passes: Int?
    var waiting = 0
  }

  init(_ log: MemoryLog) { base = log }

  /// Lets no read pass from now on, and waits until one is waiting.
  func shut(waits: Bool = true) {
    gate.change { $0.passes = 0 }
    guard waits else { return }
    _ = gate.wait(for: .seconds(60)) { $0.waiting > 0 }
  }

  /// Lets this many reads pass, and waits until the next one is waiting.
  func pass(_ count: Int) {
    gate.change { $0.passes = count }
    _ = gate.wait(for: .seconds(60)) { $0.waiting > 0 && $0.passes == 0 }
  }

  func open() { gate.change { $0.passes = nil } }

  private func enter() {
    while true {
      let isIn = gate.change { gate in
        guard let passes = gate.passes, passes == 0 else {
          gate.passes = gate.passes.map { $0 - 1 }
          return true
        }
        gate.waiting += 1
        return false
      }
      if isIn { return }
      _ = gate.wait(for: .seconds(60)) { $0.passes != 0 }
      gate.change { $0.waiting -= 1 }
    }
  }

  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    enter()
    return try base.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }
}
