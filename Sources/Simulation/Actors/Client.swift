internal import EventStorage
internal import Events

/// A client: publishes and deletes with idempotency keys, tries again when it hears nothing, here or elsewhere, and reads what it
/// wrote.
final class Client: Process {
  private enum Doing {
    case nothing
    case publishing(PublishRequest, UInt64)
    case reading(channel: String, partition: Partition, min: Offset, UInt64, attempts: Int)
  }

  let id: ProcessID
  let name: String
  private unowned let world: World
  private var doing = Doing.nothing
  private var published = 0
  /// What each key was answered first (law 18).
  private var answers: [String: Offset] = [:]

  init(_ id: ProcessID, in world: World) {
    self.id = id
    self.world = world
    name = "client-\(id - world.clients.lowerBound)"
  }

  func start() { think() }
  func end(_ end: ProcessEnd) {}

  private func think() {
    world.wake(
      id, .think, after: .milliseconds(1) + world.chance.exponential(world.options.thinking))
  }

  func wake(_ timer: Timer) {
    switch timer {
    case .think:
      guard case .nothing = doing, !world.isSettling else { return }
      publish(next())
    case .timeout(let request): timeOut(request)
    default: break
    }
  }

  private func next() -> PublishRequest {
    let chance = world.chance
    published += 1
    let draw = chance.below(64)
    let channel = "channel-\(draw % world.options.channels)"
    let kind = chance.below(8)
    let more = world.options.log == .kafka && kind == 6 ? several(in: chance) : []
    let key: String? = kind == 7 ? nil : "key-\(chance.below(world.options.keys))"
    return PublishRequest(
      channel: channel, key: key,
      data: 3...4 ~= kind
        ? nil : Array("\(key ?? "\(name)-\(published)")|\(name) says \(published)\(padding)".utf8),
      lifetimeMilliseconds: kind == 5 || kind == 7 ? 1000 + Int64(chance.below(20_000)) : nil,
      idempotencyKey: "\(name)-\(published)", more: more)
  }

  private var padding: String {
    guard world.paddingMax > 0 else { return "" }
    return String(repeating: ".", count: world.chance.below(world.paddingMax))
  }

  /// Messages that are published together.
  private func several(in chance: Chance) -> [PublishRequest.More] {
    (0...chance.below(5)).map { place in
      let key = "key-\(chance.below(world.options.keys))"
      return .init(key: key, data: Array("\(key)|\(name) says \(published).\(place)".utf8))
    }
  }

  private func publish(_ request: PublishRequest) {
    let number = world.newRequest()
    doing = .publishing(request, number)
    ask(.publish(request), number)
  }

  private func ask(_ request: GatewayRequest, _ number: UInt64) {
    let instance = world.instances.lowerBound + world.chance.below(world.instances.count)
    world.send(.gateway(request), from: id, to: instance, request: number)
    world.wake(id, .timeout(number), after: .seconds(4))
  }

  /// Nobody knows whether it was done; the same key says that it is the same.
  private func timeOut(_ number: UInt64) {
    switch doing {
    case .publishing(let request, number): publish(request)
    case .reading(let channel, let partition, let min, number, let attempts):
      read(channel, partition, min, attempts: attempts + 1)
    default: break
    }
  }

  func receive(_ envelope: Envelope) {
    guard case .gatewayAnswer(let answer) = envelope.letter else { return }
    switch (doing, answer) {
    case (.publishing(let request, envelope.request), .published(let end, let partition, _)):
      finish(request, end, partition)
    case (
      .reading(let channel, let partition, let min, envelope.request, _), .view(let view)
    ):
      judge(view, of: channel, partition, min: min)
      rest()
    case (
      .reading(let channel, let partition, let min, envelope.request, let attempts), .notReached
    ):
      read(channel, partition, min, attempts: attempts + 1)
    default: break
    }
  }

  private func finish(_ request: PublishRequest, _ end: Offset, _ partition: Partition) {
    world.note(end.rawValue)
    world.check { () throws(Broken) in
      try world.oracle.check(
        acknowledged: request.idempotencyKey, before: end, in: partition)
    }
    if let first = answers.updateValue(end, forKey: request.idempotencyKey), first != end {
      world.fail(18, "\(request.idempotencyKey) was answered \(first) and then \(end)")
    }
    if world.chance.below(4) == 3 {
      rest()
    } else {
      read(request.channel, partition, end, attempts: 0)
    }
  }

  private func read(_ channel: String, _ partition: Partition, _ min: Offset, attempts: Int) {
    let number = world.newRequest()
    doing = .reading(channel: channel, partition: partition, min: min, number, attempts: attempts)
    let position = Position(log: world.logIdentity, offsets: [partition: min])
    ask(.read(channel: channel, min: position.token), number)
  }

  private func judge(
    _ view: EncodedView, of channel: String, _ partition: Partition, min: Offset
  ) {
    world.oracle.counts.reads += 1
    guard view.partition == partition, view.position >= min else {
      return world.fail(27, "\(name) read \(channel) at \(view.position) and asked for \(min)")
    }
    world.check { () throws(Broken) in try world.oracle.check(view, of: channel, law: 27, name) }
  }

  private func rest() {
    doing = .nothing
    if !world.isSettling { think() }
  }

  var pending: String? {
    switch doing {
    case .nothing: nil
    case .publishing(let request, _): "\(request.idempotencyKey) is not answered"
    case .reading(let channel, _, _, _, _): "a read of \(channel) is not answered"
    }
  }
}
