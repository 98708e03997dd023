/// How a process reaches the log. It begins and ends with the process.
protocol LogPort: AnyObject {
  /// A life of the process begins; nothing is left of the one before.
  func start()
  /// Answers come as `.logAnswer` letters of this number, soon, late, twice or never.
  func ask(_ request: LogRequest, _ number: UInt64)
  /// A broker has answered a call.
  func receive(_ answer: KafkaAnswer, to call: UInt64)
  /// A timer that the port has set is due.
  func wake(_ call: UInt64)
  /// Begins to stand for election as the writer of topology.
  func stand()
  /// Whether this process is elected; nil where nobody is.
  var isElected: Bool? { get }
}

/// The way across the network to the host of an embedded log.
final class EmbeddedPort: LogPort {
  private let id: ProcessID
  private unowned let world: World

  init(of id: ProcessID, in world: World) {
    self.id = id
    self.world = world
  }

  func start() {}
  func ask(_ request: LogRequest, _ number: UInt64) {
    world.send(.log(request), from: id, to: world.host, request: number)
  }
  func receive(_ answer: KafkaAnswer, to call: UInt64) {}
  func wake(_ call: UInt64) {}
  func stand() {}
  var isElected: Bool? { nil }
}

extension World {
  /// The way to the log for a process of this world.
  func port(of id: ProcessID) -> any LogPort {
    guard let cluster else { return EmbeddedPort(of: id, in: self) }
    return KafkaPort(of: id, at: cluster, in: self)
  }
}
