import EventStorage
import Foundation
import PropertyTesting
import SegmentStorage

/// A recording and its manifest: refused at a place, or what is in it can be recorded and read again.
///
/// The manifest ends at the first zero byte; the batches lie behind it.
enum Recording {
  private static let path = "flights.log"

  @Sendable static func test(_ bytes: [UInt8]) throws {
    let end = bytes.firstIndex(of: 0) ?? bytes.endIndex
    let manifest = Array(bytes[..<end])
    let batches = Array(bytes[end...].dropFirst())
    try check(manifest, batches)
    // A manifest that fits, so that reading goes beyond it.
    let repaired = RepairedBatches.of(batches)
    let fitting = #"""
      {"records":\#(repaired.count % 9),"tombstones":0,"bytes":\#(repaired.count),
      "sha256":"","firstTimeMs":0,"lastTimeMs":0}
      """#
    try check(Array(fitting.utf8), repaired)
  }

  private static func check(_ manifest: [UInt8], _ batches: [UInt8]) throws {
    let disk = HeldDisk([path: batches, "flights.json": manifest])
    var held = HeldRecords()
    do throws(RecordingError) {
      let recording = try RecordingFile(opening: path, on: disk)
      var cursor = try recording.makeCursor()
      var position = Offset.zero
      while try cursor.next(into: &held) {
        precondition(cursor.position > position, "the cursor stands still at \(position)")
        precondition(cursor.bytesRead <= batches.count, "\(cursor.bytesRead) bytes were read")
        position = cursor.position
      }
      try recording.verify()
    } catch {
      // What was read before the damage is as good as any.
      if case .cannotWrite = error { throw error }
    }
    try recordAgain(held.records)
  }

  private static func recordAgain(_ records: [HeldRecord]) throws {
    guard !records.isEmpty, records.allSatisfy({ $0.key.count < 1 << 20 }) else { return }
    let disk = HeldDisk()
    let manifest = try RecordingFile.write(
      records.map {
        TimedRecord(NewRecord(key: $0.key, value: $0.value), timestamp: $0.timestamp)
      }, to: path, on: disk)
    let recording = try RecordingFile(opening: path, on: disk)
    try hold(recording.manifest, equals: manifest)
    var again = HeldRecords()
    try recording.read(into: &again)
    try recording.verify()
    try hold(again.records.map(\.key), equals: records.map(\.key))
    try hold(again.records.map(\.value), equals: records.map(\.value))
    var newest = Int64.min
    for (record, written) in zip(again.records, records) {
      newest = max(newest, written.timestamp)
      try hold(record.timestamp, equals: newest)
    }
  }
}
