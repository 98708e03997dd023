internal import EventStorage

/// The cluster of brokers, in the place of the embedded log's host. What it has acknowledged it keeps, whoever is killed.
final class Cluster: Process {
  private struct Parked {
    var envelope: Envelope
    var deadline: VirtualTime
  }

  let name = "cluster"
  let settings: ClusterSettings
  unowned let world: World
  let id: ProcessID = 0
  var partitions: [ClusterPartition]
  private let places: [KafkaTopic: Int]
  private var coordinator = Coordinator()
  private var isLoadingUntil = VirtualTime.zero
  /// Of each partition: until when nobody leads it.
  private var leaderlessUntil: [VirtualTime]
  private var parked: [Parked] = []
  /// What the oracle has been shown.
  var stableEnds: [Offset]
  var controlSeen = Offset.zero
  /// A connection delivers a request once.
  private var seen: Set<UInt64> = []

  init(in world: World) {
    self.world = world
    settings = ClusterSettings(world.chance)
    let topics = world.oracle.layout.all.map { KafkaTopic.log($0) } + [.control]
    partitions = topics.map { ClusterPartition($0) }
    places = Dictionary(uniqueKeysWithValues: topics.enumerated().map { ($0.element, $0.offset) })
    leaderlessUntil = topics.map { _ in .zero }
    stableEnds = topics.map { _ in .zero }
    coordinator.forgetsFence = world.options.canary == .forgetFence
    for place in partitions.indices {
      partitions[place].forgetsFence = world.options.canary == .forgetFence
      partitions[place].forgetsSequence = world.options.canary == .forgetSequence
    }
  }

  // MARK: Lives

  func start() {
    parked = []
    seen = []
    world.oracle.counts.restarts += 1
    if world.now > .zero {
      isLoadingUntil = world.now + world.chance.exponential(.milliseconds(300))
    }
    world.wake(id, .maintain, after: .milliseconds(1500))
    world.wake(id, .look, after: .milliseconds(200))
    for ending in coordinator.all { writeMarkersLater(of: ending.name) }
  }

  func end(_ end: ProcessEnd) {}

  func settle() {
    isLoadingUntil = .zero
    leaderlessUntil = leaderlessUntil.map { _ in .zero }
  }

  func changeLeader() {
    let place = world.chance.below(partitions.count)
    leaderlessUntil[place] =
      world.now + .milliseconds(50) + world.chance.exponential(.milliseconds(800))
  }

  func moveCoordinator() {
    isLoadingUntil = world.now + .milliseconds(50) + world.chance.exponential(.milliseconds(800))
  }

  func wake(_ timer: Timer) {
    switch timer {
    case .maintain:
      world.wake(id, .maintain, after: .milliseconds(1500))
      clean()
    case .look:
      world.wake(id, .look, after: .milliseconds(200))
      for name in coordinator.timeOut(at: world.now) {
        world.oracle.counts.transactionsTimedOut += 1
        writeMarkersLater(of: name)
      }
    case .fetch: unpark(nil)
    case .call(let place): writeMarkers(of: coordinator.all[Int(place)].name)
    default: break
    }
  }

  // MARK: Requests

  func receive(_ envelope: Envelope) {
    guard case .kafka(let request) = envelope.letter, seen.insert(envelope.request).inserted else {
      return
    }
    if case .fetch(_, _, let wait, _) = request {
      if wait > .zero { world.wake(id, .fetch, after: wait) }
      return fetch(Parked(envelope: envelope, deadline: world.now + wait), nil)
    }
    let answer: KafkaAnswer
    do throws(KafkaRefusal) { answer = try self.answer(request) } catch { answer = .refused(error) }
    // It is done, or not, and nobody hears of it.
    if isWrite(request), world.chance.strikes(.answerLost) { return }
    reply(answer, to: envelope)
  }

  private func isWrite(_ request: KafkaRequest) -> Bool {
    switch request {
    case .fetch, .ends, .offset: false
    case .begin, .enlist, .produce, .endTransaction: true
    }
  }

  private func reply(_ answer: KafkaAnswer, to envelope: Envelope) {
    world.send(.kafkaAnswer(answer), from: id, to: envelope.from, request: envelope.request)
  }

  private func leader(of topic: KafkaTopic) throws(KafkaRefusal) -> Int {
    guard let place = places[topic] else { preconditionFailure("no partition \(topic)") }
    if leaderlessUntil[place] > world.now { throw .notLeader }
    return place
  }

  private func checkCoordinator() throws(KafkaRefusal) {
    if isLoadingUntil > world.now { throw .coordinatorLoading }
  }

  private func answer(_ request: KafkaRequest) throws(KafkaRefusal) -> KafkaAnswer {
    switch request {
    case .fetch: preconditionFailure("fetches are answered elsewhere")
    case .ends(let topics, let isolation):
      var ends: [(start: Offset, end: Offset)] = []
      for topic in topics {
        let partition = partitions[try leader(of: topic)]
        ends.append((partition.start, partition.end(isolation)))
      }
      return .ends(ends)
    case .offset(let topic, let time):
      let partition = partitions[try leader(of: topic)]
      return .offset(partition.offset(notBefore: time) ?? partition.stableEnd)
    case .begin(nil, _): return .producer(coordinator.newProducer())
    case .begin(let name?, let after):
      try checkCoordinator()
      let (life, effect) = try coordinator.begin(name, after: after)
      if effect == .writeMarkers { writeMarkersLater(of: name) }
      guard let life else { throw .concurrentTransactions }
      return .producer(life)
    case .enlist(let name, let life, let topics):
      try checkCoordinator()
      try coordinator.enlist(topics, name, life, at: world.now)
      return .done
    case .produce(let topic, let records, let life, let sequence, let name):
      return try produce(records, to: topic, life, sequence, name)
    case .endTransaction(let name, let life, let commits):
      try checkCoordinator()
      if try coordinator.end(name, life, commits: commits) == .writeMarkers {
        writeMarkersLater(of: name)
      }
      return .done
    }
  }

  private func produce(
    _ records: [ProducedRecord], to topic: KafkaTopic, _ life: ProducerLife, _ sequence: Int,
    _ name: String?
  ) throws(KafkaRefusal) -> KafkaAnswer {
    let place = try leader(of: topic)
    if let name { try coordinator.verify(topic, name, life) }
    var stamped = records
    if case .log(let partition) = topic, !partition.topic.isCompacted {
      // LogAppendTime.
      for index in stamped.indices { stamped[index].timestamp = world.clock(of: id) }
    }
    let before = partitions[place].end
    let first = try partitions[place].append(
      stamped, by: life, sequence: sequence, isTransactional: name != nil)
    partitions[place].roll(at: settings.segmentRecords)
    if partitions[place].end > before { changed([place]) }
    return .produced(first: first)
  }

  // MARK: The ends of transactions

  private func writeMarkersLater(of name: String) {
    guard let place = coordinator.all.firstIndex(where: { $0.name == name }),
      case .ending = coordinator.all[place].state
    else { return }
    world.wake(
      id, .call(UInt64(place)),
      after: .milliseconds(1) + world.chance.exponential(.milliseconds(20)))
  }

  private func writeMarkers(of name: String) {
    guard let ending = coordinator[name], case .ending(let commits) = ending.state else { return }
    let places = ending.topics.compactMap { self.places[$0] }
    // A partition without a leader takes no marker; the others wait with it.
    guard !places.contains(where: { leaderlessUntil[$0] > world.now }) else {
      world.wake(
        id, .call(UInt64(coordinator.all.firstIndex { $0.name == name } ?? 0)),
        after: .milliseconds(100))
      return
    }
    _ = coordinator.finish(name)
    if commits { world.oracle.counts.commits += 1 } else { world.oracle.counts.aborts += 1 }
    for place in places { partitions[place].end(by: ending.life, commits: commits) }
    changed(places)
  }

  /// Something may have become visible.
  private func changed(_ places: [Int]) {
    for place in places { show(place) }
    unpark(places)
  }

  // MARK: Fetches

  private func fetch(_ fetch: Parked, _ changed: [Int]?) {
    guard case .kafka(.fetch(let wanted, let isolation, _, let recordsMax)) = fetch.envelope.letter
    else { return }
    var found: [KafkaFetched] = []
    for (topic, from) in wanted {
      guard let place = places[topic], changed?.contains(place) ?? true else { continue }
      if leaderlessUntil[place] > world.now { continue }
      let isolation = world.options.canary == .readUncommitted ? .uncommitted : isolation
      found.append(partitions[place].read(from: from, isolation, recordsMax: recordsMax))
    }
    let isNews = found.contains { $0.next != $0.from || $0.refusal != nil }
    guard isNews || fetch.deadline <= world.now else {
      parked.append(fetch)
      return
    }
    reply(.fetched(found), to: fetch.envelope)
  }

  private func unpark(_ changed: [Int]?) {
    let waiting = parked
    parked = []
    for fetch in waiting { self.fetch(fetch, changed) }
  }

  // MARK: At the end

  func finish() {
    for place in partitions.indices { verify(place) }
  }
}
