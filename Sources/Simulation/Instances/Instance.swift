internal import EventStorage
internal import Events
internal import Gateway
internal import Projections
internal import SegmentStorage

/// An instance as it runs on a machine of its own: reads the log across the network, folds it, keeps snapshots on its own disk, and
/// answers clients and nodes.
final class Instance: Process {
  /// Requests that wait for the log at a time (law 31).
  static let pendingMax = 64

  /// How many takes there are between two looks at a fold that reads.
  static let takesBetweenChecks = 8

  /// Somebody who waits for the log's answer.
  struct Asked {
    var client: Envelope
    var partition: Partition
  }

  /// A read that waits until a position is reflected (law 27).
  struct WaitingRead {
    var client: Envelope
    var channel: String
    var partition: Partition
    var offset: Offset
  }

  let id: ProcessID
  let name: String
  unowned let world: World
  private let log: any LogPort
  let disk: SimulatedDisk
  var identity: LogIdentity?
  var layout = LogLayout(partitions: 1)
  var channels: [Following<Channels>] = []
  /// Of each partition of messages, as the log said last.
  private var bounds: [LogBounds] = []
  /// What the gateway makes of the channels.
  private(set) var serving: StreamServing?
  var directory: Following<Directory>?
  var routes: Following<RoutingTable>?
  var loads: [Following<Directory>] = []
  /// By request. Looked up, never gone through.
  private var asked: [UInt64: Asked] = [:]
  private var reads: [WaitingRead] = []
  private var described: UInt64 = 0
  private var fetching: UInt64 = 0
  private var takes = 0
  /// Requests of this life that fetched something: their answers may come twice, and late.
  private var firstRequest: UInt64 = 0

  init(_ id: ProcessID, in world: World) {
    self.id = id
    self.world = world
    log = world.port(of: id)
    name = "instance \(id - world.instances.lowerBound)"
    disk = SimulatedDisk(world.chance)
    if world.chance.below(4) == 3 { plantForeignSnapshot() }
  }

  // MARK: Lives

  func start() {
    asked = [:]
    reads = []
    identity = nil
    channels = []
    serving = nil
    loads = []
    directory = nil
    routes = nil
    fetching = 0
    firstRequest = world.newRequest()
    log.start()
    describe()
    world.wake(id, .snapshot, after: snapshotInterval)
    world.wake(id, .tick, after: .seconds(1))
  }

  func end(_ end: ProcessEnd) {
    switch end {
    case .killed: disk.endProcess()
    case .powerCut: disk.cutPower()
    case .wiped: disk.wipe()
    }
  }

  private var snapshotInterval: VirtualTime {
    .seconds(2) + world.chance.exponential(world.options.snapshotting)
  }

  private func describe() {
    described = world.newRequest()
    log.ask(.describe, described)
    world.wake(id, .timeout(described), after: world.patience)
  }

  func wake(_ timer: Timer) {
    switch timer {
    case .call(let number): log.wake(number)
    case .timeout(let request): timeOut(request)
    case .snapshot:
      storeSnapshots()
      if !world.isSettling { world.wake(id, .snapshot, after: snapshotInterval) }
    case .tick:
      passTime()
      serving?.turn()
      world.wake(id, .tick, after: .seconds(1))
    default: break
    }
  }

  private func timeOut(_ request: UInt64) {
    if request == described, identity == nil { return describe() }
    if request == fetching { return fetch() }
    if let asked = asked.removeValue(forKey: request) {
      reply(.unavailable, to: asked.client)
    } else if let index = reads.firstIndex(where: { $0.client.request == request }) {
      let read = reads.remove(at: index)
      reply(.notReached(position(of: read.partition)), to: read.client)
    }
  }

  // MARK: Messages

  func receive(_ envelope: Envelope) {
    switch envelope.letter {
    case .logAnswer(let answer): receive(answer, to: envelope.request)
    case .kafkaAnswer(let answer): log.receive(answer, to: envelope.request)
    case .gateway(let request): receive(request, envelope)
    case .hangUp(let connection): serving?.hangUp(connection)
    default: break
    }
  }

  private func receive(_ answer: LogAnswer, to request: UInt64) {
    // Whatever an earlier life asked is answered to nobody.
    guard request > firstRequest else { return }
    switch answer {
    case .described(let identity, let layout, let bounds):
      guard request == described, self.identity == nil else { return }
      self.identity = identity
      self.layout = layout
      begin(within: bounds)
      self.bounds = bounds.filter { $0.0.topic == .messages }.map(\.1)
      serve()
      fetch()
    case .fetched(let all):
      for fetched in all { take(fetched) }
      serving?.turn()
      answerReads()
      if request == fetching { fetch() }
    case .appended(let result):
      guard let asked = asked.removeValue(forKey: request) else { return }
      reply(result, to: asked)
    case .fenced: break
    }
  }

  private func reply(_ result: Result<Appended, LogError>, to asked: Asked) {
    guard case .gateway(let request) = asked.client.letter else { return }
    switch (request, result) {
    case (.publish, .success(let appended)):
      reply(
        .published(appended.end, in: asked.partition, isRepeat: appended.isRepeat),
        to: asked.client)
    case (_, .success): reply(.observed, to: asked.client)
    case (_, .failure): reply(.unavailable, to: asked.client)
    }
  }

  func reply(_ answer: GatewayAnswer, to envelope: Envelope) {
    world.send(.gatewayAnswer(answer), from: id, to: envelope.from, request: envelope.request)
  }

  private func receive(_ request: GatewayRequest, _ envelope: Envelope) {
    guard identity != nil else { return reply(.unavailable, to: envelope) }
    switch request {
    case .publish(let publish): self.publish(publish, envelope)
    case .observe(let node, let value):
      guard let id = try? NodeID(node) else { return }
      append(
        AppendBatch(
          [NewRecord(key: EventKey.observation(id).bytes, value: value)],
          timestamp: world.clock(of: self.id)),
        to: Partition(.observations, Int(StableHash.of(node.utf8) % UInt64(layout.partitions))),
        for: envelope)
    case .read(let channel, let min): read(channel, min: min, envelope)
    case .subscribe(let channels, let token, let connection, let isSlow):
      serving?.join(
        channels.compactMap { try? ChannelName($0) }, token: token, connection: connection,
        client: envelope.from, isSlow: isSlow)
    case .taken(let connection): serving?.taken(connection)
    }
  }

  // MARK: Publishing

  /// As the gateway does it: every attempt with a key says the same message.
  private func publish(_ publish: PublishRequest, _ envelope: Envelope) {
    guard let channel = try? ChannelName(publish.channel),
      let key = try? MessageKey(publish.key ?? publish.idempotencyKey)
    else { return }
    let now = world.clock(of: id)
    let value = publish.data.map { data in
      Message(
        id: publish.idempotencyKey, contentType: "text/plain", data: data,
        expiresAt: publish.lifetimeMilliseconds.map { now + $0 } ?? 0
      ).encoded
    }
    append(
      AppendBatch(
        [NewRecord(key: EventKey.message(channel, key).bytes, value: value)]
          + publish.more.compactMap { record(of: $0, in: channel, publish) }, timestamp: now,
        idempotencyKey: publish.idempotencyKey), to: partition(of: channel), for: envelope)
  }

  private func record(
    of more: PublishRequest.More, in channel: ChannelName, _ publish: PublishRequest
  ) -> NewRecord? {
    guard let key = try? MessageKey(more.key) else { return nil }
    let message = Message(
      id: "\(publish.idempotencyKey)/\(more.key)", contentType: "text/plain", data: more.data,
      expiresAt: 0)
    return NewRecord(key: EventKey.message(channel, key).bytes, value: message.encoded)
  }

  func partition(of channel: ChannelName) -> Partition {
    Partition(.messages, Slot(channel: channel).partition(of: layout.partitions))
  }

  private func append(_ batch: AppendBatch, to partition: Partition, for client: Envelope) {
    guard asked.count < Instance.pendingMax else { return reply(.unavailable, to: client) }
    let request = world.newRequest()
    asked[request] = Asked(client: client, partition: partition)
    log.ask(.append(batch, to: partition), request)
    world.wake(id, .timeout(request), after: .seconds(3))
  }

  /// Time in a fold is log time: when a key is due and nothing else is appended, a record says that time has passed.
  private func passTime() {
    let now = world.clock(of: id)
    for following in channels {
      guard let expiry = following.fold.state.nextExpiry, expiry <= now else { continue }
      let batch = AppendBatch(
        [NewRecord(key: EventKey.timePassed.bytes, value: TimePassed.encoded)], timestamp: now)
      log.ask(.append(batch, to: following.fold.partition), world.newRequest())
    }
  }

  // MARK: Reading

  private func read(_ channel: String, min: String?, _ envelope: Envelope) {
    guard let name = try? ChannelName(channel) else { return }
    let partition = partition(of: name)
    var offset = Offset.zero
    if let min, let position = try? Position(token: min), position.log == identity {
      offset = position[partition] ?? .zero
    }
    guard reads.count < Instance.pendingMax else { return reply(.unavailable, to: envelope) }
    reads.append(
      WaitingRead(client: envelope, channel: channel, partition: partition, offset: offset))
    world.wake(id, .timeout(envelope.request), after: .seconds(3))
    answerReads()
  }

  private func answerReads() {
    guard !reads.isEmpty else { return }
    var waiting: [WaitingRead] = []
    for read in reads {
      guard let gateway = serving?.gateway, let name = try? ChannelName(read.channel),
        gateway.position(of: read.partition.index) >= read.offset
      else {
        waiting.append(read)
        continue
      }
      var sum: UInt64 = 0
      let (messages, position) = gateway.messages(in: name, of: read.partition.index)
      for message in messages {
        guard let key = try? MessageKey(message.key) else { continue }
        sum &+= ChannelModel.viewHash(
          key: EventKey.message(name, key).bytes, data: message.message.data)
      }
      reply(
        .view(EncodedView(partition: read.partition, position: position, sum: sum)),
        to: read.client)
    }
    reads = waiting
  }

  func fold(of partition: Partition) -> Fold<Channels>? {
    channels.indices.contains(partition.index) ? channels[partition.index].fold : nil
  }

  private func position(of partition: Partition) -> Offset {
    fold(of: partition)?.position ?? .zero
  }

  // MARK: Following

  private func fetch() {
    var wanted: [(partition: Partition, from: Offset)] = []
    for following in channels { wanted.append(following.wanted) }
    for following in loads { wanted.append(following.wanted) }
    // Both are of topology; the one that is behind says from where on.
    if let directory, let routes {
      wanted.append(directory.wanted.from < routes.wanted.from ? directory.wanted : routes.wanted)
    }
    fetching = world.newRequest()
    log.ask(.fetch(wanted), fetching)
    world.wake(id, .timeout(fetching), after: .seconds(8))
  }

  private func take(_ fetched: Fetched) {
    switch fetched.partition.topic {
    case .messages: takeMessages(fetched)
    case .observations: loads[fetched.partition.index].take(fetched, named: name, in: world)
    case .topology:
      directory?.take(fetched, named: name, in: world)
      routes?.take(fetched, named: name, in: world)
    case .deliveries: break
    }
  }

  private func takeMessages(_ fetched: Fetched) {
    let index = fetched.partition.index
    let gateway = serving?.gateway
    let goesOn = channels[index].take(fetched, named: name, in: world) { batch in
      gateway?.apply(batch.bytes.span.bytes, batch.rows.span, next: batch.next, to: index)
    }
    gateway?.observe(fetched.bounds, of: index)
    bounds[index] = fetched.bounds
    if !goesOn { serve() }
    takes += 1
    if takes % Instance.takesBetweenChecks == 0 { check(channels[index].fold) }
  }

  /// A fold is what it must be while it reads, too.
  private func check(_ fold: Fold<Channels>) {
    world.check { () throws(Broken) in
      try world.oracle.check(fold, law: 6, "\(name), reading,")
    }
  }

  /// The gateway begins where the folds are. Streams that were open are gone.
  private func serve() {
    guard let identity else { return }
    serving = StreamServing(identity, channels.map(\.fold), bounds, of: id, in: world)
  }

  // MARK: At the end

  var pending: String? {
    guard identity != nil else { return "has not started" }
    if !asked.isEmpty { return "\(asked.count) appends are not answered" }
    if !reads.isEmpty { return "\(reads.count) reads are not answered" }
    for following in channels
    where following.fold.position < world.oracle.end(of: following.fold.partition) {
      return "\(following.fold.partition) is at \(following.fold.position)"
    }
    for following in loads
    where following.fold.position < world.oracle.end(of: following.fold.partition) {
      return "\(following.fold.partition) is at \(following.fold.position)"
    }
    if let routes, routes.fold.position < world.oracle.end(of: routes.fold.partition) {
      return "the routes are at \(routes.fold.position)"
    }
    if let directory, directory.fold.position < world.oracle.end(of: directory.fold.partition) {
      return "the directory is at \(directory.fold.position)"
    }
    return nil
  }

  func finish() {
    for following in channels {
      world.check { () throws(Broken) in
        try world.oracle.check(following.fold, law: 6, name)
        guard let served = serving?.gateway.fold(of: following.fold.partition.index) else { return }
        try world.oracle.check(served, law: 6, "the gateway of \(name)")
      }
    }
    if let routes, let directory {
      world.check { () throws(Broken) in
        try world.oracle.check(routes.fold, directory.fold, name)
      }
    }
  }
}
