package import EventStorage
import Foundation

/// A recorded partition: a file of record batches, one after another, and a manifest beside it.
///
///     january.log     batches in Kafka's layout, written by any software
///     january.json    how many records and bytes there are, and from when to when
package struct Recording: Sendable {
  /// What the manifest says of the recording.
  package struct Manifest: Codable, Equatable, Sendable {
    package var records: Int
    package var tombstones: Int
    package var bytes: Int
    package var firstTimeMs: Int64
    package var lastTimeMs: Int64
  }

  /// A recording is a sample, not a log: it is held in memory whole.
  package static let bytesMax = 1 << 30
  /// The partition its records belong to.
  package static let partition = Partition(.messages, 0)

  package let manifest: Manifest
  private let path: String
  private let bytes: [UInt8]

  /// Opens `path` + `.log` and `path` + `.json`.
  package init(_ path: String) throws(LogError) {
    self.path = path + ".log"
    let manifestBytes = try Recording.contents(of: path + ".json")
    do {
      manifest = try JSONDecoder().decode(Manifest.self, from: manifestBytes)
    } catch {
      throw .cannotOpen(
        path: path + ".json", reason: "it is no manifest of a recording: \(error)",
        remedy: "make the recording again")
    }
    bytes = Array(try Recording.contents(of: self.path))
    guard bytes.count == manifest.bytes else {
      throw .cannotOpen(
        path: self.path,
        reason: "it has \(bytes.count) bytes, but its manifest says \(manifest.bytes)",
        remedy: bytes.count < manifest.bytes
          ? "it is cut short: copy it again" : "make the recording again")
    }
  }

  /// Lends the sink every batch, until it has had enough.
  ///
  /// - Parameter from: the byte to go on at; 0 at first.
  /// - Returns: the byte to go on at, or nil at the end.
  package func read<Sink: RecordSink & ~Copyable>(
    from start: Int = 0, batchesMax: Int = Int.max, into sink: inout Sink
  ) throws(LogError) -> Int? {
    var position = start
    var next = Offset.zero
    do throws(BatchDamage) {
      var reader = try BatchReader()
      var batches = 0
      while position < bytes.count, batches < batchesMax {
        let rest = unsafe bytes.span.bytes.extracting(droppingFirst: position)
        let header = try BatchHeader(rest, check: .none)
        guard header.totalBytes <= rest.byteCount else { throw .cutShort }
        guard header.baseOffset >= next.rawValue else { throw .offset }
        try reader.lend(
          rest.extracting(first: header.totalBytes), header, from: .zero, into: &sink)
        next = Offset(header.next)
        position += header.totalBytes
        batches += 1
      }
    } catch {
      throw .corrupt(
        Recording.partition, at: next, detail: "\(path) at byte \(position): \(error)")
    }
    return position < bytes.count ? position : nil
  }

  private static func contents(of path: String) throws(LogError) -> Data {
    do {
      let data = try Data(contentsOf: URL(fileURLWithPath: path))
      guard data.count <= bytesMax else {
        throw LogError.cannotOpen(
          path: path, reason: "it has \(data.count) bytes; at most \(bytesMax) can be replayed",
          remedy: "record a shorter span")
      }
      return data
    } catch let error as LogError {
      throw error
    } catch {
      throw .cannotOpen(
        path: path, reason: "\(error.localizedDescription)", remedy: "check the path")
    }
  }
}
