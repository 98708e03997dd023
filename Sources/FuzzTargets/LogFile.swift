import EventStorage
import Events
import PropertyTesting
import SegmentStorage

/// A log of which one file holds anything: opening it is refused, or works; what it serves, it serves again after it was closed and opened.
///
/// The first byte chooses the file, the rest is its content.
enum LogFile {
  private static let path = "log"
  private static let identity = LogIdentity(0x5167_6e61_6c62_6f78)
  private static let messages = Partition(.messages, 0)

  @Sendable static func test(_ bytes: [UInt8]) throws {
    guard let choice = bytes.first else { return }
    let name = names[Int(choice) % names.count]
    let content = Array(bytes.dropFirst())
    try check(name, content)
    try check(name, repaired(name, content))
  }

  /// The files that the first byte chooses between.
  static let names = files.keys.filter { !$0.hasSuffix("/") && !$0.hasSuffix("lock") }.sorted()

  /// The content with checksums that fit it.
  private static func repaired(_ name: String, _ content: [UInt8]) -> [UInt8] {
    if name.hasSuffix(".log") { return RepairedBatches.of(content, in: (identity, messages)) }
    guard !name.hasSuffix(".json"), content.count >= 4 else { return content }
    var sealed = Array(content.dropLast(4))
    sealed.append(littleEndian: Checksum.of(sealed))
    return sealed
  }

  private static func check(_ name: String, _ content: [UInt8]) throws {
    var damaged = files
    damaged[name] = content
    let disk = HeldDisk(damaged)
    guard let first = try visit(disk, appends: true), let second = try visit(disk, appends: false)
    else { return }
    try hold(second, equals: first, "after it was closed and opened")
    try compact(disk, of: second)
  }

  /// What each partition held, or nil when the log was refused, or stopped serving at damage (law 14).
  private static func visit(_ disk: HeldDisk, appends: Bool) throws -> [Partition: [HeldRecord]]? {
    guard let log = open(disk) else { return nil }
    defer { log.close() }
    if appends {
      for number in 0..<2 {
        let batch = AppendBatch(
          [NewRecord(key: [UInt8(ascii: "k")], value: [UInt8(number)])], timestamp: 5,
          idempotencyKey: "again")
        log.append(batch, to: messages) { _ in }
      }
      log.commitOnce()
    }
    var found: [Partition: [HeldRecord]] = [:]
    for partition in log.layout.all {
      guard let records = try read(partition, of: log) else { return nil }
      found[partition] = records
    }
    return found
  }

  private static func read(
    _ partition: Partition, of log: SegmentedLog
  ) throws -> [HeldRecord]? {
    let bounds = try log.bounds(of: partition)
    try hold(bounds.start <= bounds.end, "the end lies before the start")
    var held = HeldRecords()
    var position = bounds.start
    do throws(LogError) {
      while position < bounds.end {
        let next = try log.read(partition, from: position, bytesMax: 1, into: &held)
        precondition(next > position, "reading from \(position) came to \(next)")
        position = next
      }
      let tail = try log.tailStart(of: partition, bytesMax: 100)
      var rest = HeldRecords()
      _ = try log.read(partition, from: tail, bytesMax: 1 << 20, into: &rest)
    } catch {
      guard case .corrupt = error else { throw error }
      return nil
    }
    var least = bounds.start
    for record in held.records {
      try hold(record.offset >= least && record.offset < bounds.end, "offsets out of order")
      least = Offset(record.offset.rawValue + 1)
    }
    return held.records
  }

  /// Compaction keeps the last value of every key (law 6), or says what keeps it from its work.
  private static func compact(_ disk: HeldDisk, of before: [Partition: [HeldRecord]]) throws {
    guard let log = open(disk) else { return }
    defer { log.close() }
    do throws(LogError) {
      try log.maintainOnce(always: true)
    } catch {
      return
    }
    for partition in log.layout.all where partition.topic.isCompacted {
      guard let after = try read(partition, of: log) else { continue }
      try hold(last(after), equals: last(before[partition] ?? []), "compacted \(partition)")
    }
  }

  private static func last(_ records: [HeldRecord]) -> [[UInt8]: [UInt8]] {
    var values: [[UInt8]: [UInt8]] = [:]
    for record in records { values[record.key] = record.value }
    return values
  }

  private static func open(_ disk: HeldDisk) -> SegmentedLog? {
    var options = SegmentedLog.Options()
    options.partitions = 1
    options.identity = identity
    options.segmentBytes = 700
    options.compression = .none
    options.maintenanceInterval = nil
    options.commits = .whenAsked
    options.now = { 1_000_000 }
    return try? SegmentedLog(opening: path, options: options, on: disk)
  }

  /// A small log with everything in it: closed segments, writers, idempotency keys, a compaction.
  static let files: [String: [UInt8]] = {
    let disk = HeldDisk()
    guard let log = open(disk) else { preconditionFailure("the log cannot be made") }
    log.fence(writer: 3, in: messages) { _ in }
    log.commitOnce()
    for number in 0..<24 {
      let record = NewRecord(
        key: Array("board\u{0}line \(number % 5)".utf8),
        value: number % 7 == 6 ? nil : Array("departs \(number)".utf8))
      log.append(
        AppendBatch(
          [record], timestamp: Int64(1000 + number), idempotencyKey: "key \(number)",
          writer: number % 3 == 0 ? Writer(id: 3, epoch: 0) : nil),
        to: messages
      ) { _ in }
      log.commitOnce()
      if number == 12 { _ = try? log.maintainOnce(always: true) }
    }
    log.close()
    return disk.contents
  }()
}
