package import EventStorage

/// A recorded event log: the batches of one partition, one after another in a file, with a manifest beside it.
package struct RecordingFile: Sendable {
  package let path: String
  package let manifest: RecordingManifest
  private let file: any DiskFile

  /// Opens a recording and compares its size with what the manifest says.
  package init(
    opening path: String, on disk: any Disk = POSIXDisk()
  ) throws(RecordingError) {
    self.path = path
    let size: Int
    let text: [UInt8]
    let beside = RecordingManifest.path(for: path)
    do throws(DiskError) {
      file = try disk.open(path, .read)
      size = try file.size()
      text = try disk.open(beside, .read).contents(atMost: RecordingManifest.bytesMax) ?? []
    } catch {
      throw .cannotOpen(path: path, reason: "\(error)")
    }
    guard let manifest = RecordingManifest.decode(text) else {
      throw .cannotOpen(path: path, reason: "its manifest \(beside) is damaged")
    }
    self.manifest = manifest
    if size < manifest.bytes {
      throw .cutShort(
        path: path, offset: RecordingFile.end(of: file, size: size), bytes: size,
        expected: manifest.bytes)
    }
    if size > manifest.bytes {
      throw .damaged(
        path: path, offset: RecordingFile.end(of: file, size: manifest.bytes),
        detail: "it has \(size) bytes, and its manifest says \(manifest.bytes)")
    }
  }

  /// Reads from the beginning.
  package func makeCursor() throws(RecordingError) -> RecordingCursor {
    try RecordingCursor(path, file, manifest)
  }

  /// Lends everything, front to back.
  package func read<Sink: RecordSink & ~Copyable>(
    into sink: inout Sink
  ) throws(RecordingError) {
    var cursor = try makeCursor()
    while try cursor.next(into: &sink) {}
  }

  /// Compares the whole file with the hash in the manifest.
  package func verify() throws(RecordingError) {
    var hash = RecordingHash()
    var position = 0
    var buffer = [UInt8](repeating: 0, count: BatchSource.windowBytes)
    while position < manifest.bytes {
      let wanted = min(buffer.count, manifest.bytes - position)
      let count: Int
      do throws(DiskError) {
        var span = buffer.mutableSpan
        var target = unsafe span.mutableBytes
        count = try file.read(wanted, into: &target, at: position)
      } catch {
        throw .cannotOpen(path: path, reason: "\(error)")
      }
      guard count > 0 else { break }
      unsafe hash.add(buffer.span.bytes.extracting(first: count))
      position += count
    }
    let found = hash.finish()
    guard found == manifest.sha256 else {
      throw .damaged(
        path: path, offset: 0, detail: "its hash is \(found), not \(manifest.sha256)")
    }
  }

  /// The position behind the whole batches in the first `size` bytes.
  private static func end(of file: any DiskFile, size: Int) -> Int64 {
    var source = BatchSource()
    var position = 0
    var end: Int64 = 0
    while let header = try? source.load(file, at: position, limit: size, check: .none) {
      position += header.totalBytes
      end = header.next
    }
    return end
  }
}

/// A place in a recording. Moves batch by batch, so that whoever replays can keep time.
package struct RecordingCursor: ~Copyable {
  /// Bytes read so far; `manifest.bytes` at the end.
  package private(set) var bytesRead = 0
  /// The position after what was lent.
  package private(set) var position = Offset.zero
  private let path: String
  private let file: any DiskFile
  private let manifest: RecordingManifest
  private var records = 0
  private var source = BatchSource()
  private var reader: BatchReader

  init(
    _ path: String, _ file: any DiskFile, _ manifest: RecordingManifest
  ) throws(RecordingError) {
    self.path = path
    self.file = file
    self.manifest = manifest
    do throws(BatchDamage) {
      reader = try BatchReader()
    } catch {
      throw .cannotOpen(path: path, reason: "\(error)")
    }
  }

  /// Verifies the next batch and lends it.
  /// - Returns: false at the end, where the number of records is compared with the manifest's.
  package mutating func next<Sink: RecordSink & ~Copyable>(
    into sink: inout Sink
  ) throws(RecordingError) -> Bool {
    let header = try load()
    guard let header else {
      guard records == manifest.records else {
        throw damaged(
          "it holds \(records) records, and its manifest says \(manifest.records)")
      }
      return false
    }
    guard header.baseOffset >= position.rawValue else { throw damaged("\(BatchDamage.offset)") }
    do throws(BatchDamage) {
      let window = source.window
      try unsafe reader.lend(
        window.span.bytes.extracting(source.batch), header, from: .zero, into: &sink)
    } catch {
      throw damaged("\(error)")
    }
    records += header.isControl ? 0 : Int(header.recordCount)
    bytesRead += header.totalBytes
    position = Offset(header.next)
    return true
  }

  private mutating func load() throws(RecordingError) -> BatchHeader? {
    do throws(SourceFailure) {
      return try source.load(file, at: bytesRead, limit: manifest.bytes, check: .none)
    } catch {
      throw damaged(error.text)
    }
  }

  private func damaged(_ detail: String) -> RecordingError {
    .damaged(path: path, offset: position.rawValue, detail: detail)
  }
}
