/// Why bytes are not a record batch. Bytes from a disk can be anything, so this is an error and never a trap.
package enum BatchDamage: Error, Equatable, Sendable {
  case cutShort
  case notABatch
  case foreign
  case length
  case checksum
  case codec
  case frame
  case inflatedTooLarge
  case recordCount
  case recordLength
  case offset
  case timestamp
}

extension BatchDamage: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cutShort: "the batch is cut short"
    case .notABatch: "there is no record batch of format 2 here"
    case .foreign: "the batch header is damaged or was written for another log or partition"
    case .length: "the batch states an impossible length"
    case .checksum: "the checksum of the batch does not match its bytes"
    case .codec: "the batch is compressed in a way that is not supported (only none and lz4 are)"
    case .frame: "the compressed records cannot be inflated"
    case .inflatedTooLarge: "the inflated records are over \(BatchLimits.inflatedBytesMax) bytes"
    case .recordCount: "the batch states another number of records than it holds"
    case .recordLength: "a record states an impossible length"
    case .offset: "the offsets do not rise"
    case .timestamp: "a record states an impossible time"
    }
  }
}
