import EventStorage
import Events
import Projections
import Runtime

/// What one partition of a log folds to, in a line or as JSON.
struct FoldReport: Encodable {
  var partition: String
  var projection: String
  var position: Int64
  /// Messages of a partition of messages; 0 of topology.
  var messages: Int
  /// Nodes that topology knows.
  var nodes: Int?
  /// Slots that have an owner.
  var routes: Int?
  var records: UInt64
  var poison: UInt64
  var unknown: UInt64
  var digest: String

  private init<State>(_ fold: Fold<State>, messages: Int = 0, nodes: Int? = nil, routes: Int? = nil)
  {
    partition = "\(fold.partition)"
    projection = State.name
    position = fold.position.rawValue
    self.messages = messages
    self.nodes = nodes
    self.routes = routes
    records = fold.state.counts.records
    poison = fold.state.counts.poison
    unknown = fold.state.counts.unknown
    digest = fold.state.digest
  }

  static func all(_ outcome: Runtime.Replay.Outcome) -> [FoldReport] {
    var reports = outcome.channels.map { FoldReport($0, messages: $0.state.count) }
    if let fold = outcome.directory {
      reports.append(FoldReport(fold, nodes: fold.state.nodes.count))
    }
    if let fold = outcome.routes {
      let owned = (0..<Slot.count).count { Slot($0).flatMap(fold.state.owner(of:)) != nil }
      reports.append(FoldReport(fold, routes: owned))
    }
    return reports
  }

  var text: String {
    var what = "messages \(messages)"
    if let nodes { what = "nodes \(nodes)" }
    if let routes { what = "routes \(routes)" }
    return
      "\(partition)  \(projection)  position \(position)  \(what)  poison \(poison)  unknown \(unknown)  \(digest)"
  }
}
