import EventStorage
import Events
import Projections
import Testing

@Suite struct SnapshotTests {
  private let log = LogIdentity(0x5165_6e61_6c62_6f78)
  private let partition = Partition(.messages, 3)
  private let anywhere = LogBounds(start: .zero, end: Offset(.max), tombstoneHorizon: .zero)

  @Test func `law 3: a snapshot at every position and the rest give the straight fold`() throws {
    for seed in 0..<25 {
      var story = try Story(seed: 2_000 + seed)
      let records = try story.records(50)
      var straight = Fold<Channels>(partition)
      straight.take(records)
      for cut in 0...records.count {
        var fold = Fold<Channels>(partition)
        fold.take(records[..<cut])
        let bytes = Snapshot.encode(fold, of: log)
        var resumed = try read(bytes)
        #expect(resumed.position == fold.position)
        #expect(resumed.state.digest == fold.state.digest)
        #expect(resumed.state.nextExpiry == fold.state.nextExpiry)
        #expect(resumed.state.heldBytes == fold.state.heldBytes)
        #expect(Snapshot.encode(resumed, of: log) == bytes)
        // From the start, too: the position keeps what is known out (law 4).
        resumed.take(records[(story.random.oneIn(2) ? 0 : cut)...])
        #expect(resumed.state.digest == straight.state.digest)
        #expect(resumed.position == straight.position)
      }
    }
  }

  @Test func `law 3: every truncation and every single flipped bit is refused`() throws {
    let bytes = try snapshot(records: 12)
    #expect(throws: Never.self) { _ = try read(bytes) }
    for count in bytes.indices {
      #expect(isDamaged(Array(bytes[..<count])), "cut to \(count)")
    }
    var flipped = bytes
    for index in bytes.indices {
      for bit in 0..<8 {
        flipped[index] ^= 1 << UInt8(bit)
        if !isDamaged(flipped) { Issue.record("bit \(bit) of byte \(index)") }
        flipped[index] ^= 1 << UInt8(bit)
      }
    }
    #expect(isDamaged(bytes + [0]))
    #expect(isDamaged([]))
  }

  @Test func `law 3: a snapshot of something else is refused by name`() throws {
    let bytes = try snapshot(records: 12)
    let other = LogIdentity(7)
    #expect(throws: SnapshotFailure.otherLog(log)) {
      _ = try Snapshot.decode(bytes, of: other, partition, within: anywhere, as: Channels.self)
    }
    #expect(throws: SnapshotFailure.otherFold(name: "channels", version: Channels.foldVersion)) {
      _ = try Snapshot.decode(
        bytes, of: log, partition, within: anywhere, as: Tally<OtherName>.self)
    }
    #expect(throws: SnapshotFailure.otherFold(name: "channels", version: Channels.foldVersion)) {
      _ = try Snapshot.decode(
        bytes, of: log, partition, within: anywhere, as: Tally<LaterChannels>.self)
    }
    var tally = Fold<Tally<LaterChannels>>(partition)
    tally.take(try [Written.message("a", "b", Message(id: "", contentType: "", data: []), at: 0)])
    let later = Snapshot.encode(tally, of: log)
    #expect(throws: SnapshotFailure.otherFold(name: "channels", version: 99)) { try read(later) }
    let back: Fold<Tally<LaterChannels>> = try Snapshot.decode(
      later, of: log, partition, within: anywhere)
    #expect(back.state.counts.records == 1)
    for wrong in [Partition(.messages, 4), Partition(.deliveries, 3)] {
      #expect(throws: SnapshotFailure.damaged("it is of another partition")) {
        _ = try Snapshot.decode(bytes, of: log, wrong, within: anywhere, as: Channels.self)
      }
    }
  }

  @Test func `law 7: a snapshot outside the log's bounds is refused`() throws {
    let bytes = try snapshot(records: 12)
    let position = try read(bytes).position
    let after = Offset(position.rawValue + 1)
    let before = Offset(position.rawValue - 1)
    func decode(_ start: Offset, _ end: Offset, horizon: Offset) throws -> Offset {
      let bounds = LogBounds(start: start, end: end, tombstoneHorizon: horizon)
      return try Snapshot.decode(bytes, of: log, partition, within: bounds, as: Channels.self)
        .position
    }
    #expect(try decode(position, position, horizon: position) == position)
    #expect(throws: SnapshotFailure.beforeHorizon(after)) {
      _ = try decode(.zero, after, horizon: after)
    }
    #expect(throws: SnapshotFailure.beforeHorizon(.zero)) {
      _ = try decode(after, after, horizon: .zero)
    }
    #expect(throws: SnapshotFailure.beyondEnd(before)) {
      _ = try decode(.zero, before, horizon: .zero)
    }
  }

  @Test func `law 7: a resume under compaction is right or refused`() async throws {
    let refusals = try await withThrowingTaskGroup(of: Int.self) { _ in
      var refusals = 0
      for seed in 0..<25 { refusals += try await resumeUnderCompaction(seed: 3_000 + seed) }
      return refusals
    }
    #expect(refusals > 25)
  }

  private func resumeUnderCompaction(seed: Int) async throws -> Int {
    var story = try Story(seed: seed)
    let partition = Partition(.messages, 0)
    let log = MemoryLog(identity: LogIdentity(9), layout: LogLayout(partitions: 1))
    var snapshots: [[UInt8]] = []
    var live = Fold<Channels>(partition)
    for batch in story.split(try story.records(80)) {
      _ = try await log.append(
        AppendBatch(
          batch.map { NewRecord(key: $0.key, value: $0.value) }, timestamp: batch[0].time),
        to: partition)
      try live.catchUp(with: log)
      snapshots.append(Snapshot.encode(live, of: log.identity))
    }
    // The last record holds the log's time.
    let clean = Offset(try log.bounds(of: partition).end.rawValue - 1)
    try log.compact(
      partition, before: clean,
      dropTombstonesBefore: Offset(Int64(story.random.below(Int(clean.rawValue) + 1))))
    let bounds = try log.bounds(of: partition)
    var refusals = 0
    for snapshot in snapshots {
      do {
        var resumed = try Snapshot.decode(
          snapshot, of: log.identity, partition, within: bounds, as: Channels.self)
        try resumed.catchUp(with: log)
        #expect(resumed.state.digest == live.state.digest)
      } catch SnapshotFailure.beforeHorizon(bounds.tombstoneHorizon) {
        refusals += 1
      }
    }
    var fresh = Fold<Channels>(partition)
    try fresh.catchUp(with: log)
    #expect(fresh.state.digest == live.state.digest)
    return refusals
  }

  @Test func `arbitrary bytes as a state are refused or are what a fold would write`() throws {
    var random = Seeded(77)
    var accepted = 0
    for seed in 0..<40 {
      var story = try Story(seed: 4_000 + seed, channels: 2, keys: 3)
      var channels = Channels()
      channels.take(try story.records(20))
      var good: [UInt8] = []
      channels.encode(into: &good)
      for _ in 0..<100 {
        var bytes = random.oneIn(8) ? random.bytes(random.below(200)) : good
        for _ in 0..<random.below(4) where !bytes.isEmpty {
          let index = random.below(min(bytes.count, random.oneIn(2) ? 60 : bytes.count))
          switch random.below(5) {
          case 0: bytes[index] ^= 1 << UInt8(random.below(8))
          case 1: bytes[index] = random.pick([0, 1, 0x7f, 0x80, 0xff])
          case 2: bytes.removeSubrange(index..<min(bytes.count, index + 1 + random.below(9)))
          case 3: bytes.insert(contentsOf: random.bytes(random.below(9)), at: index)
          default:
            for place in index..<min(bytes.count, index + 8) { bytes[place] = 0xff }
          }
        }
        guard let state = try? Channels(decoding: bytes.span.bytes) else { continue }
        accepted += 1
        var again: [UInt8] = []
        state.encode(into: &again)
        #expect(again == bytes)
      }
    }
    #expect(accepted > 500)
  }

  private func snapshot(records: Int) throws -> [UInt8] {
    var story = try Story(seed: 5, channels: 2)
    var fold = Fold<Channels>(partition)
    fold.take(try story.records(records))
    try #require(fold.state.count > 1)
    return Snapshot.encode(fold, of: log)
  }

  @discardableResult
  private func read(_ bytes: [UInt8]) throws(SnapshotFailure) -> Fold<Channels> {
    try Snapshot.decode(bytes, of: log, partition, within: anywhere)
  }

  private func isDamaged(_ bytes: [UInt8]) -> Bool {
    do throws(SnapshotFailure) {
      try read(bytes)
      return false
    } catch {
      if case .damaged = error { return true }
      return false
    }
  }
}

/// What a tally calls itself in snapshots.
private protocol Naming: Sendable {
  static var name: String { get }
  static var version: UInt32 { get }
}

private enum OtherName: Naming {
  static let name = "tally"
  static let version: UInt32 = 1
}

private enum LaterChannels: Naming {
  static let name = "channels"
  static let version: UInt32 = 99
}

/// The smallest projection: how many records there were.
private struct Tally<Name: Naming>: Projection {
  static var name: String { Name.name }
  static var foldVersion: UInt32 { Name.version }
  var counts = FoldCounts()

  init() {}

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    counts.records += UInt64(rows.count)
  }

  func encode(into bytes: inout [UInt8]) { bytes.append(UInt8(counts.records)) }

  init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    guard bytes.byteCount == 1 else { throw .damaged("a tally is one byte") }
    counts.records = UInt64(bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self))
  }
}
