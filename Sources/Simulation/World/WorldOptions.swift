internal import PropertyTesting

/// How large a world is and how long it lasts.
package struct WorldOptions: Hashable, Sendable {
  /// The most steps of a world.
  package static let stepsLimit = 100_000

  /// Faults end, however many steps there are to be, when so much has been chosen: coming to rest must find room on the tape, too.
  package var choicesMax = Choices.choicesMax / 2

  /// Steps with faults. The steps that follow without are bounded by `settlingStepsMax`.
  package var steps = 2000
  package var instances = 3
  package var nodes = 6
  package var clients = 12
  package var channels = 6
  package var partitions = 2
  /// Keys of a channel.
  package var keys = 12
  /// Mean time between two publishes of a client.
  package var thinking = VirtualTime.milliseconds(700)
  package var heartbeatSeconds = 2
  /// Mean time between two snapshots of an instance, and between two connections of a client.
  package var snapshotting = VirtualTime.seconds(4)
  package var staying = VirtualTime.seconds(20)
  /// Bytes that an instance keeps of a partition for readers that resume.
  package var recentBytesMax = 8 << 10
  /// Rates that are not drawn.
  package var fixedRates: [Fault: Int] = [:]
  package var canary: Canary?
  package var log = LogKind.embedded

  package init() {}

  /// Five instances, fifty nodes, two hundred clients.
  package static var large: WorldOptions {
    var options = WorldOptions()
    options.instances = 5
    options.nodes = 50
    options.clients = 200
    options.channels = 40
    options.partitions = 4
    options.thinking = .seconds(60)
    options.heartbeatSeconds = 15
    options.snapshotting = .seconds(60)
    options.staying = .seconds(120)
    return options
  }

  /// Law 32: within so many steps after the last fault everything pending is resolved. What reached a paused process is there when the
  /// pause was to end, and on Kafka more steps pass until then.
  package var settlingStepsMax: Int {
    (4000 + 400 * (clients + instances + nodes)) * (log == .kafka ? 4 : 1)
  }
}
