internal import EventStorage

/// What reading a segment from front to back found.
struct SegmentScan {
  /// Where valid batches end, in bytes and as a position.
  var bytes = 0
  var end: Offset
  var newest: Int64
  var index = SparseIndex()
  /// Why it did not go on, or nil at the end of the file.
  var failure: SourceFailure?
}

/// Reads and verifies every batch of a segment.
///
/// - Parameter isContiguous: false for a compacted segment, in which offsets may be missing between batches.
func scanSegment(
  _ file: any DiskFile, size: Int, base: Offset, newest: Int64, check: HeaderCheck,
  isContiguous: Bool, memory: inout AppendMemory
) -> SegmentScan {
  var scan = SegmentScan(end: base, newest: newest)
  do throws(BatchDamage) {
    var reader = try BatchReader()
    var source = BatchSource()
    var visitor = MemoryVisitor(memory: memory)
    memory = AppendMemory()
    scan.run(
      file, size: size, check: check, isContiguous: isContiguous, &source, &reader, &visitor)
    memory = visitor.memory
  } catch {
    scan.failure = .damage(error)
  }
  return scan
}

extension SegmentScan {
  fileprivate mutating func run(
    _ file: any DiskFile, size: Int, check: HeaderCheck, isContiguous: Bool,
    _ source: inout BatchSource, _ reader: inout BatchReader, _ visitor: inout MemoryVisitor
  ) {
    do throws(SourceFailure) {
      while let header = try source.load(file, at: bytes, limit: size, check: check) {
        guard header.baseOffset >= end.rawValue,
          !isContiguous || header.baseOffset == end.rawValue
        else { throw .damage(.offset) }
        do throws(BatchDamage) {
          try unsafe reader.visit(
            source.window.span.bytes.extracting(source.batch), header, &visitor)
        } catch {
          throw .damage(error)
        }
        index.add(offset: header.baseOffset, position: bytes)
        bytes += header.totalBytes
        end = Offset(header.next)
        newest = max(newest, header.maxTimestamp)
      }
    } catch {
      failure = error
    }
  }
}

/// Looks for a whole, valid batch behind damage: then the damage is in the middle of the log, and not a torn tail.
///
/// - Returns: its offset, or nil; and where the last byte that is not zero lies.
func findBatch(
  behind position: Int, in file: any DiskFile, size: Int, from offset: Offset, check: HeaderCheck
) throws(DiskError) -> (batch: Offset?, lastByte: Int?) {
  let length = size - position
  var bytes = [UInt8](repeating: 0, count: length)
  var span = bytes.mutableSpan
  var target = unsafe span.mutableBytes
  let count = try file.read(length, into: &target, at: position)
  guard let last = bytes[..<count].lastIndex(where: { $0 != 0 }) else { return (nil, nil) }
  let whole = unsafe bytes.span.bytes.extracting(first: count)
  var at = 1
  while at + BatchHeader.byteCount <= count && at <= last {
    if whole.byte(at: at + 16) == 2,
      let header = try? BatchHeader(whole.extracting(droppingFirst: at), check: check),
      header.baseOffset >= offset.rawValue, header.totalBytes <= count - at,
      header.matches(whole.extracting(at..<at + header.totalBytes))
    {
      return (Offset(header.baseOffset), position + last)
    }
    at += 1
  }
  return (nil, position + last)
}
