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
  scan.resume(file, size: size, check: check, isContiguous: isContiguous, memory: &memory)
  return scan
}

extension SegmentScan {
  /// Goes on where it stopped, with what the file holds by now.
  mutating func resume(
    _ file: any DiskFile, size: Int, check: HeaderCheck, isContiguous: Bool,
    memory: inout AppendMemory
  ) {
    failure = nil
    do throws(BatchDamage) {
      var reader = try BatchReader()
      var source = BatchSource()
      var visitor = MemoryVisitor(memory: memory)
      memory = AppendMemory()
      run(
        file, size: size, check: check, isContiguous: isContiguous, &source, &reader, &visitor)
      memory = visitor.memory
    } catch {
      failure = .damage(error)
    }
  }
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
