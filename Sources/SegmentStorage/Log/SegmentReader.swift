internal import EventStorage

/// The buffers of one reader, used again by the next.
///
/// Sendable because it is either in the pool or in the hands of one `read`.
final class SegmentReader: @unchecked Sendable {
  /// A larger window was for one large batch, and is not kept.
  static let keptWindowBytes = 4 << 20

  private var source = BatchSource()
  private var reader: BatchReader?

  var isLarge: Bool { source.window.count > SegmentReader.keptWindowBytes }

  func forget() { source.forget() }

  /// Lends batches of one segment until the budget is used up or the segment ends.
  /// - Returns: the position after them.
  func read<Sink: RecordSink & ~Copyable>(
    _ location: PartitionLog.Location, at place: PartitionPlace, from offset: Offset,
    budget: inout Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    var next = offset
    do throws(SourceFailure) {
      try lend(location, place.check, &next, from: offset, &budget, &sink)
    } catch {
      throw place.corrupt(next, error.text)
    }
    guard budget <= 0 || next == location.end else {
      throw place.corrupt(next, "the records from here to \(location.end) are missing")
    }
    return next
  }

  private func lend<Sink: RecordSink & ~Copyable>(
    _ location: PartitionLog.Location, _ check: HeaderCheck, _ next: inout Offset,
    from offset: Offset, _ budget: inout Int, _ sink: inout Sink
  ) throws(SourceFailure) {
    var position = location.position
    var previous: Int64 = 0
    do throws(BatchDamage) {
      if reader == nil { reader = try BatchReader() }
    } catch {
      throw .damage(error)
    }
    while let header = try source.load(
      location.file, at: position, limit: location.limit, check: check)
    {
      guard header.baseOffset >= previous, header.next <= location.end.rawValue else {
        throw .damage(.offset)
      }
      previous = header.next
      position += header.totalBytes
      if header.next <= offset.rawValue { continue }
      do throws(BatchDamage) {
        let window = source.window
        try unsafe reader?.lend(
          window.span.bytes.extracting(source.batch), header, from: offset, into: &sink)
      } catch {
        throw .damage(error)
      }
      next = Offset(header.next)
      budget -= header.totalBytes
      if budget <= 0 { return }
    }
  }
}
