public import Events

/// What a decision makes true: a record of topology, and a name for it.
public struct Fact: Equatable, Sendable {
  /// What it is about.
  public var key: EventKey
  /// The event: the full new state of the key.
  public var value: [UInt8]
  /// The same decision has the same name, whoever makes it and how often: appending it again adds nothing (law 18).
  public var name: String

  /// A fact of this name.
  public init(key: EventKey, value: [UInt8], name: String) {
    self.key = key
    self.value = value
    self.name = name
  }
}
