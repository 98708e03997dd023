/// A place in a log: for some of its partitions, the offset before which everything is read.
public struct Position: Hashable, Sendable {
  /// The log this is a place in.
  public let log: LogIdentity
  /// By partition.
  public private(set) var offsets: [Partition: Offset]

  /// A position in these partitions.
  public init(log: LogIdentity, offsets: [Partition: Offset]) {
    self.log = log
    self.offsets = offsets
  }

  /// The offset in one partition, or nil when this position says nothing about it.
  public subscript(partition: Partition) -> Offset? {
    get { offsets[partition] }
    set { offsets[partition] = newValue }
  }

  /// The partitions in order, with their offsets.
  public var sorted: [(partition: Partition, offset: Offset)] {
    offsets.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
