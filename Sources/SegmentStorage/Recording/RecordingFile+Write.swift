package import EventStorage

/// A record and when it was recorded.
package struct TimedRecord: Hashable, Sendable {
  package var record: NewRecord
  /// Milliseconds since 1970.
  package var timestamp: Int64

  package init(_ record: NewRecord, timestamp: Int64) {
    self.record = record
    self.timestamp = timestamp
  }
}

extension RecordingFile {
  /// Records of a batch in a recording.
  static let batchRecordsMax = 1000

  /// Writes records, the oldest first, as a recording with its manifest. A record that is older than the one before it gets that one's time.
  package static func write(
    _ records: some Sequence<TimedRecord>, to path: String,
    compression: Compression = .lz4(acceleration: 1), on disk: any Disk = POSIXDisk()
  ) throws(RecordingError) -> RecordingManifest {
    var writer = RecordingWriter(compression: compression)
    do throws(DiskError) {
      let file = try disk.open(path, .replace)
      var waiting: [AppendBatch] = []
      var bytes = 0
      for timed in records {
        waiting.append(AppendBatch([timed.record], timestamp: timed.timestamp))
        bytes += timed.record.byteCount
        if waiting.count == batchRecordsMax || bytes >= LogLimits.batchBytesMax / 2 {
          try writer.write(waiting, to: file)
          waiting = []
          bytes = 0
        }
      }
      if !waiting.isEmpty { try writer.write(waiting, to: file) }
      try file.sync()
      let manifest = writer.finish()
      let beside = try disk.open(RecordingManifest.path(for: path), .replace)
      try unsafe beside.writeAll(manifest.encoded().span.bytes, at: 0)
      try beside.sync()
      return manifest
    } catch {
      throw .cannotWrite(path: path, reason: "\(error)")
    }
  }
}

private struct RecordingWriter: ~Copyable {
  private var encoder: BatchEncoder
  private var hash = RecordingHash()
  private var next = Offset.zero
  private var newest: Int64?
  private var manifest = RecordingManifest(
    records: 0, tombstones: 0, bytes: 0, sha256: "", firstTimeMs: 0, lastTimeMs: 0)

  init(compression: Compression) {
    encoder = BatchEncoder(check: .none, compression: compression)
  }

  mutating func write(_ batch: [AppendBatch], to file: any DiskFile) throws(DiskError) {
    let first = batch[0].timestamp
    if newest == nil { manifest.firstTimeMs = first }
    let encoded = encoder.encode(batch, at: next, newest: newest ?? first)
    let position = manifest.bytes
    var hash = hash
    try encoder.withBatch { bytes throws(DiskError) in
      try file.writeAll(bytes, at: position)
      hash.add(bytes)
    }
    self.hash = hash
    next = encoded.next
    newest = encoded.newest
    manifest.bytes += encoder.batchBytes
    manifest.records += batch.count
    manifest.tombstones += batch.count { $0.records[0].value == nil }
    manifest.lastTimeMs = encoded.newest
  }

  consuming func finish() -> RecordingManifest {
    var manifest = manifest
    manifest.sha256 = hash.finish()
    return manifest
  }
}
