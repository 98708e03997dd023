internal import Decisions
internal import EventStorage
internal import Events
internal import Projections
internal import SwiftProtobuf

/// Turns what nodes say into facts, as the one writer of topology that the log lets in. There are two of them; the one that fenced
/// last is in, and the other may not know it yet (law 16).
final class Controller: Process {
  private static let writerID: Int64 = 1
  /// Slots that are routed; all 4096 would only make runs longer.
  private static let slots = 16

  let id: ProcessID
  let name: String
  private unowned let world: World
  private let log: any LogPort
  private var writer: Writer?
  private var directory: Following<Directory>?
  private var routes: Following<RoutingTable>?
  private var wishes: [Following<MembershipRequests>] = []
  private var described: UInt64 = 0
  private var fetching: UInt64 = 0
  private var fencing: UInt64 = 0
  /// The fact that is on its way; one at a time keeps them in order.
  private var writing: (request: UInt64, batch: AppendBatch)?
  private var isKnown = false
  private var firstRequest: UInt64 = 0

  init(_ id: ProcessID, in world: World) {
    self.id = id
    self.world = world
    log = world.port(of: id)
    name = "controller \(id - world.controllers.lowerBound)"
  }

  func start() {
    writer = nil
    directory = nil
    routes = nil
    wishes = []
    isKnown = false
    writing = nil
    firstRequest = world.newRequest()
    fencing = 0
    log.start()
    log.stand()
    describe()
    world.wake(id, .look, after: .seconds(1))
    if log.isElected == nil, id == world.controllers.lowerBound { takeOver() }
  }

  func end(_ end: ProcessEnd) {}

  /// Becomes the writer, whoever was it.
  /// - Returns: false when it is down.
  @discardableResult
  func takeOver() -> Bool {
    guard world.states[id].isUp else { return false }
    fencing = world.newRequest()
    log.ask(.fence(writer: Controller.writerID, in: Partition(.topology, 0)), fencing)
    world.wake(id, .timeout(fencing), after: world.patience)
    return true
  }

  private func describe() {
    described = world.newRequest()
    log.ask(.describe, described)
    world.wake(id, .timeout(described), after: world.patience)
  }

  func wake(_ timer: Timer) {
    switch timer {
    case .call(let number): log.wake(number)
    case .timeout(let request):
      if request == described, !isKnown { describe() }
      if request == fetching { fetch() }
      // Where one is elected, the log answers by itself, and only the elected one tries again.
      if request == fencing, fencing != 0, log.isElected == nil { takeOver() }
      if let writing, writing.request == request { send(writing.batch) }
    case .look:
      heedElection()
      decide()
      world.wake(id, .look, after: .seconds(1))
    default: break
    }
  }

  func receive(_ envelope: Envelope) {
    if case .kafkaAnswer(let answer) = envelope.letter {
      return log.receive(answer, to: envelope.request)
    }
    guard case .logAnswer(let answer) = envelope.letter, envelope.request > firstRequest else {
      return
    }
    switch answer {
    case .described(_, _, let bounds):
      guard envelope.request == described, !isKnown else { return }
      isKnown = true
      for (partition, bounds) in bounds {
        switch partition.topic {
        case .topology:
          directory = Following(partition, from: nil, within: bounds)
          routes = Following(partition, from: nil, within: bounds)
        case .observations: wishes.append(Following(partition, from: nil, within: bounds))
        default: break
        }
      }
      fetch()
    case .fetched(let all):
      for fetched in all { take(fetched) }
      if envelope.request == fetching { fetch() }
    case .fenced(.success(let life)):
      guard envelope.request == fencing else { return }
      fencing = 0
      writer = life
      writing = nil
    case .fenced(.failure): if envelope.request == fencing, log.isElected != nil { fencing = 0 }
    case .appended(let result):
      guard envelope.request == writing?.request else { return }
      switch result {
      case .success: writing = nil
      case .failure(.fenced):
        // Somebody else is in.
        writer = nil
        writing = nil
      case .failure: break
      }
    }
  }

  private func take(_ fetched: Fetched) {
    switch fetched.partition.topic {
    case .topology:
      directory?.take(fetched, named: name, in: world)
      routes?.take(fetched, named: name, in: world)
    case .observations: wishes[fetched.partition.index].take(fetched, named: name, in: world)
    default: break
    }
  }

  private func fetch() {
    guard isKnown, let directory, let routes else { return }
    fetching = world.newRequest()
    let wanted = [
      directory.wanted.from < routes.wanted.from ? directory.wanted : routes.wanted
    ]
    log.ask(.fetch(wanted + wishes.map(\.wanted)), fetching)
    world.wake(id, .timeout(fetching), after: .seconds(8))
  }

  // MARK: Deciding

  /// Where one is elected, that one writes.
  private func heedElection() {
    guard let isElected = log.isElected else {
      // In the end an operator sees that nobody writes.
      if isPutInCharge, !world.hasLeader, fencing == 0 { takeOver() }
      return
    }
    if !isElected { writer = nil } else if writer == nil, fencing == 0 { takeOver() }
  }

  var isLeader: Bool { writer != nil }

  /// The one that takes over when nobody leads and everything is to be put right.
  private var isPutInCharge: Bool { world.isSettling && id == world.controllers.lowerBound }

  /// What nodes wish and is not a fact yet.
  private var facts: [Fact] {
    guard let directory else { return [] }
    return Membership.facts(of: wishes.map(\.fold.state), in: directory.fold.state)
  }

  /// The next fact, or the next slot that is to be routed elsewhere.
  private func decide() {
    guard writer != nil, writing == nil, let directory, let routes else { return }
    if let fact = facts.first { return write(fact.key, fact.value, named: fact.name) }
    let alive = directory.fold.state.nodes.filter { $0.state == 1 }
    guard !alive.isEmpty else { return }
    for number in 0..<Controller.slots {
      guard let slot = Slot(number) else { continue }
      let owner = alive[number % alive.count].id
      guard routes.fold.state.owner(of: slot)?.node != owner else { continue }
      var route = WireSlotRoute()
      route.node = owner
      route.epoch = routes.fold.state.epoch(of: slot) + 1
      var event = WireEvent()
      event.slotRoute = route
      guard let value: [UInt8] = try? event.serializedBytes() else { return }
      return write(EventKey.slot(slot), value, named: "route-\(id)-\(world.newRequest())")
    }
  }

  /// The same fact again, when the answer is lost, is the same append.
  private func write(_ key: EventKey, _ value: [UInt8], named name: String) {
    send(
      AppendBatch(
        [NewRecord(key: key.bytes, value: value)], timestamp: world.clock(of: id),
        idempotencyKey: name, writer: writer))
  }

  private func send(_ batch: AppendBatch) {
    let request = world.newRequest()
    writing = (request, batch)
    log.ask(.append(batch, to: Partition(.topology, 0)), request)
    world.wake(id, .timeout(request), after: world.patience)
  }

  var pending: String? {
    if !isKnown { return "has not started" }
    if fencing != 0 { return "is not in yet" }
    if writing != nil { return "a fact is not answered" }
    if isPutInCharge, !world.hasLeader { return "nobody leads" }
    guard isLeader else { return nil }
    for following in wishes
    where following.fold.position < world.oracle.end(of: following.fold.partition) {
      return "\(following.fold.partition) is at \(following.fold.position)"
    }
    return facts.isEmpty ? nil : "\(facts.count) facts are not written"
  }
}

extension World {
  /// Whether a controller believes that it writes topology; it may be wrong.
  var hasLeader: Bool {
    controllers.contains { (processes[$0] as? Controller)?.isLeader ?? false }
  }
}
