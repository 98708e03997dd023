import EventStorage
import Projections

extension Replay {
  /// Folds what the log says of nodes and routes, up to the same place as its messages.
  func topology<State: Projection>(
    of log: some EventLog, _ name: String, as projection: State.Type = State.self
  ) throws -> Fold<State> {
    let partition = Partition(.topology, 0)
    let bounds = try log.bounds(of: partition)
    var sink = Until(
      lastTime, before: end?[partition], Fold<State>(partition, position: bounds.start))
    var position = bounds.start
    while position < bounds.end, !sink.isOver {
      position = try log.read(partition, from: position, bytesMax: 4 << 20, into: &sink)
    }
    try TimeTravel(lastTime: lastTime, end: end?[partition]).check(
      partition, of: name, try log.bounds(of: partition), folded: sink.records,
      before: sink.sink.position)
    return sink.sink
  }
}
