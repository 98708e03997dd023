import EventStorage
import Events

/// What a record says, as far as its envelope tells.
enum RecordMeaning: Equatable {
  case tombstone
  case event(EventType, body: Range<Int>)
  /// A type this version does not know (law 11).
  case unknown
  /// Bytes that are no event (law 10).
  case poison

  @inline(__always)
  init(_ row: RecordRow, in bytes: RawSpan) {
    guard !row.isTombstone else {
      self = .tombstone
      return
    }
    do throws(DecodeFailure) {
      switch try EventEnvelope.read(row.value, of: bytes) {
      case .event(let type, let body): self = .event(type, body: body)
      case .unknown: self = .unknown
      }
    } catch {
      self = .poison
    }
  }
}
