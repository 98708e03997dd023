/// The four topics of Signalbox (architecture: "Topics").
public enum Topic: UInt8, CaseIterable, Hashable, Sendable {
  /// What somebody told us; kept for a time, not per key.
  case observations = 0
  /// Facts about nodes, slots and clusters; one partition.
  case topology = 1
  /// Client messages.
  case messages = 2
  /// How far each slot's owner has acknowledged.
  case deliveries = 3

  /// The name without the configurable prefix.
  public var name: String {
    switch self {
    case .observations: "observations"
    case .topology: "topology"
    case .messages: "messages"
    case .deliveries: "deliveries"
    }
  }

  /// True when the last record of a key is the truth of that key and older ones may go.
  public var isCompacted: Bool { self != .observations }
}

/// One partition of one topic.
public struct Partition: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The topic it belongs to.
  public let topic: Topic
  /// From 0.
  public let index: Int

  /// The partition with this index.
  public init(_ topic: Topic, _ index: Int) {
    self.topic = topic
    self.index = index
  }

  /// `messages/0`.
  public var description: String { "\(topic.name)/\(index)" }

  /// By topic, then by index.
  public static func < (left: Partition, right: Partition) -> Bool {
    (left.topic.rawValue, left.index) < (right.topic.rawValue, right.index)
  }
}

/// How many partitions a log has. Fixed when the log is made, for ever.
public struct LogLayout: Hashable, Sendable {
  /// The most partitions a topic may have.
  public static let partitionsMax = 256

  /// Partitions of every topic but topology, which has one.
  public let partitions: Int

  /// A layout with 1 to `partitionsMax` partitions.
  public init(partitions: Int) {
    precondition(
      (1...LogLayout.partitionsMax).contains(partitions),
      "\(partitions) partitions; 1 to \(LogLayout.partitionsMax) are possible")
    self.partitions = partitions
  }

  /// The partitions of one topic.
  public func partitions(of topic: Topic) -> [Partition] {
    (0..<(topic == .topology ? 1 : partitions)).map { Partition(topic, $0) }
  }

  /// Every partition, in order.
  public var all: [Partition] { Topic.allCases.flatMap(partitions(of:)) }
}
