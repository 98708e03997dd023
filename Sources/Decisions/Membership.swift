public import Events
public import Projections

/// Who is in: what service nodes ask for becomes facts. Pure: the same requests and the same directory give the same facts.
public enum Membership {
  /// Weights a node may have.
  public static let capacities: ClosedRange<UInt32> = 1...1_000_000

  /// What the last request of a node makes true, or nil when it is true already.
  ///
  /// A join makes its life the one that is in, unless a later one was. A leave ends the life that is in, unless that is a later one.
  public static func fact(of request: MembershipRequest, by node: NodeID, in directory: Directory)
    -> Fact?
  {
    let known = directory.node(node)
    switch request {
    case .join(let incarnation, let capacity, let url):
      guard known?.incarnation ?? 0 < incarnation else { return nil }
      return Fact(
        key: .node(node),
        value: EventType.status(
          state: State.up, incarnation: incarnation, capacity: clamped(capacity), url: url),
        name: "up/\(incarnation)/\(node.text)")
    case .leave(let incarnation):
      guard let known, [State.up, State.draining].contains(known.state),
        incarnation == 0 || known.incarnation <= incarnation
      else { return nil }
      return Fact(
        key: .node(node),
        value: EventType.status(
          state: State.left, incarnation: known.incarnation, capacity: known.capacity,
          url: known.url),
        name: "left/\(known.incarnation)/\(node.text)")
    }
  }

  /// The facts that follow from the last request of each node, in the order of their names, partition by partition.
  public static func facts(of requests: [MembershipRequests], in directory: Directory) -> [Fact] {
    requests.flatMap { requests in
      requests.sorted.compactMap { node, request in
        (try? NodeID(node)).flatMap { fact(of: request, by: $0, in: directory) }
      }
    }
  }

  private static func clamped(_ capacity: UInt32) -> UInt32 {
    min(max(capacity, capacities.lowerBound), capacities.upperBound)
  }

  /// As `NodeStatus.State` numbers them.
  enum State {
    static let up: UInt8 = 1
    static let draining: UInt8 = 2
    static let left: UInt8 = 4
  }
}
