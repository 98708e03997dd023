import EventStorage
import Glibc
import PropertyTesting
import SegmentStorage
import Testing

/// A scripted life of a log on a disk that goes wrong at every single operation in turn; then it is opened again.
@Suite struct KillPointTests {
  struct Failed: Error, CustomStringConvertible {
    var description: String
  }

  /// What was acknowledged, and what was asked for when things went wrong.
  struct Witness {
    var acked: [Partition: [Seen]] = [:]
    var inFlight: (Partition, [Seen])?
    var keys: [(Partition, String, Appended)] = []
    var epoch: Int16?
    /// A fence may be in when it was asked for and not acknowledged.
    var mayBeFenced = false
    /// The largest horizon that may have been used.
    var now: Int64 = 0
  }

  private static func configured(_ now: Int64 = 0) -> SegmentedLog.Options {
    options {
      $0.segmentBytes = 900
      $0.compactionKeysMax = 40
      $0.tombstoneRetention = .milliseconds(50)
      $0.observationsRetention = .seconds(3600)
      $0.now = { now }
    }
  }

  /// Runs until something fails.
  private func live(on disk: HostileDisk, seed: UInt64, _ witness: inout Witness) async {
    var choices = Choices(seed: seed)
    var time: Int64 = 0
    do throws(LogError) {
      for life in 0..<3 {
        var options = KillPointTests.configured()
        options.now = { [time] in time + 40 }
        let log = try SegmentedLog(opening: "log", options: options, on: disk)
        defer { log.close() }
        for step in 0..<14 {
          time += Int64(choices.below(10))
          switch choices.below(9) {
          case 0: try log.maintainOnce(always: true)
          case 1: try await log.roll(messages)
          case 2:
            witness.mayBeFenced = true
            witness.epoch = try await log.fence(writer: 7, in: messages).epoch
            witness.mayBeFenced = false
          default:
            let partition = choices.below(3) == 0 ? observations : messages
            let name = "\(life)-\(step)"
            try await append(to: log, partition, at: time, name, &choices, &witness)
          }
        }
      }
    } catch {
      return
    }
  }

  private func append(
    to log: SegmentedLog, _ partition: Partition, at time: Int64, _ name: String,
    _ choices: inout Choices, _ witness: inout Witness
  ) async throws(LogError) {
    var records: [NewRecord] = []
    for index in 0...choices.below(3) {
      let value =
        choices.below(4) == 0
        ? nil : "\(name) \(index) " + String(repeating: "x", count: choices.below(300))
      records.append(record("key \(choices.below(6))", value))
    }
    let isFirst = choices.below(2) == 0
    let batch = AppendBatch(
      records, timestamp: time, idempotencyKey: isFirst ? name : nil,
      writer: witness.epoch.map { Writer(id: 7, epoch: $0) })
    let seen = records.map { Seen(offset: -1, timestamp: time, key: $0.key, value: $0.value) }
    witness.inFlight = (partition, seen)
    // The writer is known in `messages` only; elsewhere any life is the first.
    let appended = try await log.append(batch, to: partition)
    witness.inFlight = nil
    for (index, var one) in seen.enumerated() {
      one.offset = appended.first.rawValue + Int64(index)
      witness.acked[partition, default: []].append(one)
    }
    if isFirst { witness.keys.append((partition, name, appended)) }
  }

  /// Opens what is left and compares (laws 6, 13, 16, 18).
  private func check(_ disk: HostileDisk, _ witness: Witness) async throws {
    let log = try SegmentedLog(
      opening: "log", options: KillPointTests.configured(1_000_000), on: disk)
    defer { log.close() }
    for partition in [observations, messages] {
      let acked = witness.acked[partition] ?? []
      let seen = try log.all(partition)
      try compare(
        seen, acked, witness.inFlight?.0 == partition ? witness.inFlight?.1 : nil, partition)
      let end = try log.bounds(of: partition).end
      guard end.rawValue >= (acked.last?.offset ?? -1) + 1 else {
        throw Failed(description: "\(partition) ends at \(end), before \(acked.count) acked")
      }
    }
    for (partition, key, appended) in witness.keys {
      let again = try await log.append(
        AppendBatch([record("again", "again")], timestamp: 0, idempotencyKey: key), to: partition)
      guard again == Appended(first: appended.first, end: appended.end, isRepeat: true) else {
        throw Failed(description: "\(key) was answered \(again), not \(appended)")
      }
    }
    if let epoch = witness.epoch {
      let life = try await log.fence(writer: 7, in: messages)
      guard life.epoch == epoch + 1 || (witness.mayBeFenced && life.epoch == epoch + 2) else {
        throw Failed(description: "the life after \(epoch) is \(life.epoch)")
      }
      await #expect(throws: LogError.self) {
        _ = try await log.append(
          AppendBatch(
            [record("a", "b")], timestamp: 0, writer: Writer(id: 7, epoch: epoch)), to: messages)
      }
    }
    // It still works.
    let after = try await log.append(
      AppendBatch([record("new", "new")], timestamp: 0), to: messages)
    guard try log.all(messages, from: after.first).map(\.value) == [Array("new".utf8)] else {
      throw Failed(description: "an append after opening is not read back")
    }
  }

  private func compare(
    _ seen: [Seen], _ acked: [Seen], _ inFlight: [Seen]?, _ partition: Partition
  ) throws {
    let byOffset = Dictionary(uniqueKeysWithValues: acked.map { ($0.offset, $0) })
    let rest = seen.filter { byOffset[$0.offset] != $0 }
    // What was not acknowledged is there whole, at the end, or not at all.
    if !rest.isEmpty {
      guard let inFlight, rest.map(\.key) == inFlight.map(\.key),
        rest.map(\.value) == inFlight.map(\.value),
        rest.allSatisfy({ $0.offset > acked.last?.offset ?? -1 })
      else { throw Failed(description: "\(partition) holds \(rest), which was never appended") }
    }
    guard seen.map(\.offset) == seen.map(\.offset).sorted() else {
      throw Failed(description: "\(partition) is out of order")
    }
    if partition.topic.isCompacted {
      let expected = fold(acked + (rest.isEmpty ? [] : inFlight ?? []))
      guard fold(seen) == expected else {
        throw Failed(description: "\(partition) folds to \(fold(seen)), not \(expected)")
      }
    } else {
      guard seen.count - rest.count == acked.count else {
        throw Failed(description: "\(partition) lost \(acked.count - seen.count + rest.count)")
      }
    }
  }

  private func fold(_ records: [Seen]) -> [[UInt8]: [UInt8]] {
    records.reduce(into: [:]) { $0[$1.key] = $1.value }
  }

  @Test(arguments: [UInt64(1), 2, 3])
  func `whatever operation the power fails at, everything acknowledged is there once`(
    seed: UInt64
  ) async throws {
    let whole = HostileDisk()
    var witness = Witness()
    await live(on: whole, seed: seed, &witness)
    try await check(whole, witness)
    #expect(whole.operations > 150)
    for number in 1...whole.operations {
      let disk = HostileDisk()
      disk.plan(.kill, at: number)
      var witness = Witness()
      await live(on: disk, seed: seed, &witness)
      var choices = Choices(seed: seed &* 1000 &+ UInt64(number))
      do {
        try await check(disk.crashed(&choices), witness)
      } catch {
        Issue.record("seed \(seed), killed at operation \(number): \(error)")
        return
      }
    }
  }

  @Test(arguments: [EIO, ENOSPC])
  func `whatever operation fails once, nothing acknowledged is lost`(code: Int32) async throws {
    let whole = HostileDisk()
    var ignored = Witness()
    await live(on: whole, seed: 5, &ignored)
    for number in 1...whole.operations {
      let disk = HostileDisk()
      disk.plan(.fail(code), at: number)
      var witness = Witness()
      await live(on: disk, seed: 5, &witness)
      var choices = Choices(seed: UInt64(number))
      do {
        try await check(disk.crashed(&choices), witness)
      } catch {
        Issue.record("error \(code) at operation \(number): \(error)")
        return
      }
    }
  }

  @Test func `a disk that takes half of a write is asked again`() async throws {
    let whole = HostileDisk()
    var ignored = Witness()
    await live(on: whole, seed: 6, &ignored)
    for number in 1...whole.operations {
      let disk = HostileDisk()
      disk.plan(.short, at: number)
      var witness = Witness()
      await live(on: disk, seed: 6, &witness)
      #expect(witness.inFlight == nil)
      try await check(disk, witness)
    }
  }
}
