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

/// What lies behind the last valid batch of the last segment.
struct TailFindings {
  /// The offset of a whole, valid batch: then the damage is in the middle of the log.
  var batch: Offset?
  /// A whole batch begins the tail, of another offset, log or partition: it was not torn.
  var isForeign = false
  /// Where the last byte that is not zero lies.
  var lastByte: Int?
}

func findTail(
  behind position: Int, in file: any DiskFile, size: Int, from offset: Offset, check: HeaderCheck
) throws(DiskError) -> TailFindings {
  let length = size - position
  var bytes = [UInt8](repeating: 0, count: length)
  var span = bytes.mutableSpan
  var target = unsafe span.mutableBytes
  let count = try file.read(length, into: &target, at: position)
  guard let last = bytes[..<count].lastIndex(where: { $0 != 0 }) else { return TailFindings() }
  var findings = TailFindings(lastByte: position + last)
  let whole = unsafe bytes.span.bytes.extracting(first: count)
  findings.isForeign =
    wholeBatch(in: whole, at: 0, check: .none) != nil && !isTornHeader(whole, at: position)
  for at in 1..<max(1, last + 1) {
    if let header = wholeBatch(in: whole, at: at, check: check),
      header.baseOffset >= offset.rawValue
    {
      findings.batch = Offset(header.baseOffset)
      break
    }
  }
  return findings
}

private func wholeBatch(in bytes: RawSpan, at index: Int, check: HeaderCheck) -> BatchHeader? {
  guard index + BatchHeader.byteCount <= bytes.byteCount, bytes.byte(at: index + 16) == 2,
    let header = try? BatchHeader(bytes.extracting(droppingFirst: index), check: check),
    header.totalBytes <= bytes.byteCount - index,
    header.matches(bytes.extracting(index..<index + header.totalBytes))
  else { return nil }
  return header
}

/// A header that lies across two sectors can lose its first part and keep the rest, which the checksum covers.
private func isTornHeader(_ bytes: RawSpan, at position: Int) -> Bool {
  let inFirstSector = 512 - position % 512
  guard inFirstSector < 16 else { return false }
  return (0..<inFirstSector).allSatisfy { bytes.byte(at: $0) == 0 }
}
