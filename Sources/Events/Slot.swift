/// One of the 4096 shares of the channel space: what moves between nodes. A channel's slot never changes.
public struct Slot: Hashable, Comparable, Sendable {
  /// How many there are. Part of the log format: never change it.
  public static let count = 4096

  /// 0..<4096.
  public let number: Int

  /// The slot with this number, or nil when there is none.
  public init?(_ number: Int) {
    guard (0..<Slot.count).contains(number) else { return nil }
    self.number = number
  }

  /// The slot of a channel: the top 12 bits of `StableHash` of its UTF-8 name.
  public init(channel: ChannelName) {
    number = Int(StableHash.of(channel.text.utf8) >> 52)
  }

  /// The slot in whose partition a node's observations lie, by its name as a channel's.
  public init(node: NodeID) {
    number = Int(StableHash.of(node.text.utf8) >> 52)
  }

  /// The partition that holds the slot, for ever: `slot % partitions`.
  public func partition(of partitions: Int) -> Int { number % partitions }

  /// By number.
  public static func < (left: Slot, right: Slot) -> Bool { left.number < right.number }
}
