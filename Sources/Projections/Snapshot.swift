import Crypto
public import EventStorage

/// The bytes of a fold: what it is of, where it is, its canonical state, and a digest of all of that.
///
///     0  "SBXSNAP1"             8
///     8  log identity           8     24  partition index   4     40  name length   2
///    16  position               8     28  fold version      4     42  name
///    24  …                            32  state length      8         state, then SHA-256 of everything before it
///
/// Integers are little-endian. The topic is the byte behind the name.
public enum Snapshot {
  private static let magic = Array("SBXSNAP1".utf8)
  private static let digestBytes = 32

  /// Writes a fold of this log.
  public static func encode<State>(_ fold: Fold<State>, of log: LogIdentity) -> [UInt8] {
    var state: [UInt8] = []
    fold.state.encode(into: &state)
    var bytes = magic
    bytes.append(littleEndian: log.rawValue)
    bytes.append(littleEndian: fold.position.rawValue)
    bytes.append(littleEndian: UInt32(fold.partition.index))
    bytes.append(littleEndian: State.foldVersion)
    bytes.append(littleEndian: UInt64(state.count))
    bytes.append(littleEndian: UInt16(State.name.utf8.count))
    bytes.append(contentsOf: State.name.utf8)
    bytes.append(fold.partition.topic.rawValue)
    bytes.append(contentsOf: state)
    bytes.append(contentsOf: SHA256.hash(data: bytes))
    return bytes
  }

  /// Reads a fold that fits: of this log and partition, of this projection and version, within the log's bounds.
  ///
  /// - Throws: why it does not fit. Nothing is lost then: the log is folded instead.
  public static func decode<State>(
    _ bytes: [UInt8], of log: LogIdentity, _ partition: Partition, within bounds: LogBounds,
    as type: State.Type = State.self
  ) throws(SnapshotFailure) -> Fold<State> {
    guard bytes.count > magic.count + digestBytes, bytes.starts(with: magic) else {
      throw .damaged("this is no snapshot of version 1")
    }
    let end = bytes.count - digestBytes
    guard SHA256.hash(data: bytes[..<end]).elementsEqual(bytes[end...]) else {
      throw .damaged("the digest does not match the bytes")
    }
    let span = bytes.span.bytes
    var reader = StateReader(end)
    _ = try reader.range(magic.count)
    let identity = LogIdentity(try reader.next(UInt64.self, in: span))
    guard identity == log else { throw .otherLog(identity) }
    let position = Offset(try reader.next(Int64.self, in: span))
    let index = try reader.next(UInt32.self, in: span)
    let version = try reader.next(UInt32.self, in: span)
    let stateLength = try reader.next(UInt64.self, in: span)
    let nameLength = Int(try reader.next(UInt16.self, in: span))
    let name = String(decoding: bytes[try reader.range(nameLength)], as: UTF8.self)
    let topic = try reader.next(UInt8.self, in: span)
    guard name == State.name, version == State.foldVersion else {
      throw .otherFold(name: name, version: version)
    }
    guard topic == partition.topic.rawValue, index == UInt32(partition.index),
      stateLength <= UInt64(end)
    else { throw .damaged("it is of another partition") }
    let state = try reader.range(Int(stateLength))
    guard reader.isAtEnd else { throw .damaged("it does not end where it says") }
    guard TombstoneWatch.mayResume(at: position, within: bounds), position >= bounds.start else {
      throw .beforeHorizon(bounds.tombstoneHorizon)
    }
    guard position <= bounds.end else { throw .beyondEnd(bounds.end) }
    return Fold(
      partition, state: try State(decoding: span.extracting(state)), position: position)
  }
}

extension Projection {
  /// SHA-256 of the canonical encoding, in hexadecimal: equal states have equal digests, on any machine (law 1).
  public var digest: String {
    var bytes: [UInt8] = []
    encode(into: &bytes)
    return hexadecimal(SHA256.hash(data: bytes))
  }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0" + digits : digits
  }.joined()
}
