import CLinux
import EventStorage
import Projections

extension BenchmarkCase {
  /// What it costs to hold channels in memory.
  static let memory = BenchmarkCase(
    name: "memory", about: "bytes of memory that Channels needs for a byte of key and value"
  ) { run in
    let channelCount = run.size.of(smoke: 2000, full: 100_000)
    let events = channelCount * 5
    var generator = SyntheticEvents(seed: 3, channels: channelCount)
    var held: [[UInt8]: Int] = [:]
    let before = heapBytes()
    var inputs: [AppendBatch] = []
    for _ in 0..<events / 1000 {
      let batch = generator.messages(1000)
      for record in batch.records { held[record.key] = record.value?.count ?? 0 }
      inputs.append(batch)
    }
    let content = held.reduce(0) { $0 + $1.key.count + $1.value }
    let inputsBytes = heapBytes()
    var channels = Channels()
    var lender = LentBatch()
    for batch in inputs { lender.lend(batch, to: &channels) }
    lender = LentBatch()
    let after = heapBytes()
    let used = after - inputsBytes
    var encoded: [UInt8] = []
    channels.encode(into: &encoded)
    withExtendedLifetime((channels, inputs)) {}
    guard channels.count == held.count else {
      throw BenchmarkFailure("Channels holds \(channels.count) keys")
    }
    run.report(
      BenchmarkRow(
        "memory of Channels", Quantity(Double(used) / 1e6, "MB"), against: "keys and values",
        Quantity(Double(content) / 1e6, "MB"), ratio: Double(used) / Double(content),
        target: .atMost(1.5),
        evidence: "\(channels.count) keys, a snapshot of \(encoded.count) bytes, "
          + "\(inputsBytes - before) bytes of input beside it"))
  }
}

/// Bytes that this process has asked of the allocator and not given back.
private func heapBytes() -> Int {
  let figures = mallinfo2()
  return Int(figures.uordblks) + Int(figures.hblkhd)
}
