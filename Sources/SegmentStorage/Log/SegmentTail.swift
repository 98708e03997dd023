internal import EventStorage

/// What lies behind the last valid batch of the last segment, as it was at one moment.
struct SegmentTail {
  /// Where in the file it begins.
  private let start: Int
  private let bytes: [UInt8]

  init(of file: any DiskFile, from position: Int, to size: Int) throws(DiskError) {
    start = position
    var bytes = [UInt8](repeating: 0, count: size - position)
    var span = bytes.mutableSpan
    var target = unsafe span.mutableBytes
    let count = try file.read(size - position, into: &target, at: position)
    self.bytes = Array(bytes[..<count])
  }

  /// What there is from `position` on, where the records before `offset` end.
  func findings(behind position: Int, from offset: Offset, check: HeaderCheck) -> TailFindings {
    guard position - start < bytes.count,
      let last = bytes[(position - start)...].lastIndex(where: { $0 != 0 })
    else { return TailFindings() }
    var findings = TailFindings(lastByte: start + last)
    let first = position - start
    let whole = unsafe bytes.span.bytes
    findings.isForeign =
      wholeBatch(in: whole, at: first, check: .none) != nil
      && !isTornHeader(whole.extracting(droppingFirst: first), at: position)
    for at in first + 1..<max(first + 1, last + 1) {
      if let header = wholeBatch(in: whole, at: at, check: check),
        header.baseOffset >= offset.rawValue
      {
        findings.batch = Offset(header.baseOffset)
        break
      }
    }
    return findings
  }
}

struct TailFindings {
  /// The offset of a whole, valid batch: then the damage is in the middle of the log.
  var batch: Offset?
  /// A whole batch begins the tail, of another offset, log or partition: it was not torn.
  var isForeign = false
  /// Where the last byte that is not zero lies.
  var lastByte: Int?
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
