internal import EventStorage
internal import Events

/// A client that follows channels: keeps what it was sent, comes back with the last id it saw, and sometimes with an older one, or
/// with one that was never given to it.
final class StreamClient: Process {
  /// What a reader has of its channels after the last id.
  private struct View {
    /// By channel and key.
    var held: [[UInt8]: UInt64] = [:]
    var sums: [String: UInt64] = [:]
    var token: String?
    /// Between a snapshot's verdict and `live` it has a part only.
    var isWhole = false
  }

  let id: ProcessID
  let name: String
  private unowned let world: World
  private let channels: [String]
  private var view = View()
  /// As it was at an older id.
  private var older: View?
  private var stream = EventStream()
  private var connection: UInt64 = 0
  private var instance: ProcessID = 0
  private var frames = 0
  /// Who sent the first frames.
  private var server: UInt64 = 0
  private var hasVerdict = false
  private var asksWithToken = false
  private var asksWrongly = false
  private var isSlow = false
  private var lastHeard = VirtualTime.zero
  private var isTaking = false

  init(_ id: ProcessID, in world: World) {
    self.id = id
    self.world = world
    name = "subscriber-\(id - world.clients.lowerBound)"
    let first = world.chance.below(world.options.channels)
    // One channel shows payloads and ids; several show envelopes and an id now and then.
    let isSeveral = world.chance.below(4) == 3 && world.options.channels > 1
    channels =
      (isSeveral ? [first, (first + 1) % world.options.channels] : [first])
      .map { "channel-\($0)" }
  }

  func start() { connect() }
  func end(_ end: ProcessEnd) {}

  private var patience: VirtualTime { .seconds(Int64(world.options.heartbeatSeconds) * 3 + 3) }

  private func connect() {
    connection = world.newRequest()
    instance = world.instances.lowerBound + world.chance.below(world.instances.count)
    stream = EventStream()
    frames = 0
    hasVerdict = false
    isTaking = false
    asksWrongly = false
    isSlow = world.chance.strikes(.slowReader)
    if let older, world.chance.wants(.oldToken) {
      if older.token != view.token { world.chance.count(.oldToken) }
      view = older
    }
    if !view.isWhole { view = View() }
    older = view
    var token = view.token
    if world.chance.strikes(.wrongToken) {
      token = wrongToken(view.token)
      asksWrongly = true
    }
    asksWithToken = token != nil
    lastHeard = world.now
    world.send(
      .gateway(
        .subscribe(channels: channels, token: token, connection: connection, isSlow: isSlow)),
      from: id, to: instance, request: connection)
    world.wake(id, .timeout(connection), after: patience)
    world.wake(id, .reconnect, after: .seconds(2) + world.chance.exponential(world.options.staying))
  }

  /// Of another log, of the future, or no token at all.
  private func wrongToken(_ right: String?) -> String {
    guard let right, let position = try? Position(token: right) else { return "nonsense" }
    switch world.chance.below(3) {
    case 0: return String(right.dropLast(1 + world.chance.below(4)))
    case 1: return Position(log: LogIdentity(7), offsets: position.offsets).token
    default:
      var later = position
      for (partition, offset) in position.sorted {
        later[partition] = Offset(offset.rawValue + 1_000_000)
      }
      return later.token
    }
  }

  func wake(_ timer: Timer) {
    switch timer {
    case .timeout(connection):
      // The silence lasted too long, or it did not: look again later.
      let silent = world.now.microseconds - lastHeard.microseconds
      if silent >= patience.microseconds { return leave() }
      world.wake(
        id, .timeout(connection),
        after: VirtualTime(microseconds: patience.microseconds - silent))
    case .reconnect where !world.isSettling:
      // One that belongs to an earlier connection comes early; that does no harm.
      if world.chance.below(2) == 1 { leave() }
    case .take:
      isTaking = false
      world.send(
        .gateway(.taken(connection: connection)), from: id, to: instance,
        request: world.newRequest())
    default: break
    }
  }

  private func leave() {
    world.send(.hangUp(connection: connection), from: id, to: instance, request: 0)
    connect()
  }

  func receive(_ envelope: Envelope) {
    switch envelope.letter {
    case .frames(let bytes, let server, let connection, let number):
      guard connection == self.connection else { return }
      guard number == frames + 1, frames == 0 || server == self.server else { return leave() }
      self.server = server
      frames = number
      lastHeard = world.now
      for event in stream.read(bytes) where world.violation == nil { take(event) }
      takeSlowly()
    case .gatewayAnswer(.unavailable):
      guard envelope.request == connection, frames == 0 else { return }
      world.wake(id, .timeout(connection), after: .milliseconds(500))
      lastHeard = VirtualTime(microseconds: world.now.microseconds - patience.microseconds)
    default: break
    }
  }

  private func takeSlowly() {
    guard isSlow, !isTaking else { return }
    isTaking = true
    world.wake(
      id, .take,
      after: .milliseconds(50) + (world.isSettling ? .zero : world.chance.exponential(.seconds(4))))
  }

  // MARK: Events

  private func take(_ event: EventStream.Event) {
    world.note(event.name)
    world.note(event.id ?? "")
    // A heartbeat shows what the clock of this machine shows.
    if event.name != "heartbeat" { world.note(event.data ?? []) }
    switch event.name {
    case "resumed", "snapshot", "reset": verdict(event)
    case "live": view.isWhole = true
    case "heartbeat": break
    case "delete": delete(event)
    case "message": if event.data != nil { put(event) }
    default: world.fail(26, "\(name) got the event \(event.name)")
    }
    guard let id = event.id else { return }
    guard view.isWhole else {
      return world.fail(26, "\(name) got an id before it had the whole state")
    }
    view.token = id
    judge()
  }

  private func verdict(_ event: EventStream.Event) {
    if event.name == "resumed" {
      guard asksWithToken, !asksWrongly, !hasVerdict else {
        return world.fail(26, "\(name) was resumed without a token to resume from")
      }
      world.oracle.counts.resumes += 1
    } else {
      view = View()
    }
    hasVerdict = true
  }

  private func put(_ event: EventStream.Event) {
    guard let data = event.data, let (channel, key, payload) = content(of: data) else {
      return world.fail(26, "\(name) got a message that nobody published")
    }
    let bytes = Array(channel.utf8) + [0] + Array(key.utf8)
    let hash = ChannelModel.viewHash(key: bytes, data: payload)
    if view.isWhole, view.held[bytes] == hash, !world.oracle.mayRepeat(bytes) {
      return world.fail(26, "\(name) got \(key) of \(channel) twice")
    }
    set(bytes, hash, channel)
  }

  private func delete(_ event: EventStream.Event) {
    guard let data = event.data else { return }
    let text = String(decoding: data, as: UTF8.self)
    if channels.count == 1 {
      set(Array(channels[0].utf8) + [0] + data, nil, channels[0])
    } else if let channel = field("channel", of: text), let key = field("key", of: text) {
      set(Array(channel.utf8) + [0] + Array(key.utf8), nil, channel)
    }
  }

  private func set(_ key: [UInt8], _ hash: UInt64?, _ channel: String) {
    view.sums[channel, default: 0] &-= view.held[key] ?? 0
    view.held[key] = hash
    view.sums[channel, default: 0] &+= hash ?? 0
  }

  /// Payloads begin with their key, because a stream of payloads does not say it.
  private func content(of data: [UInt8]) -> (channel: String, key: String, payload: [UInt8])? {
    var payload = data
    var channel = channels[0]
    if channels.count > 1 {
      let text = String(decoding: data, as: UTF8.self)
      guard let named = field("channel", of: text), let content = field("data", of: text) else {
        return nil
      }
      channel = named
      payload = Array(content.utf8)
    }
    guard let bar = payload.firstIndex(of: UInt8(ascii: "|")) else { return nil }
    return (channel, String(decoding: payload[..<bar], as: UTF8.self), payload)
  }

  /// The text of a field of a JSON object in which nothing is escaped.
  private func field(_ name: String, of json: String) -> String? {
    let parts = json.split(separator: "\"\(name)\":\"", maxSplits: 1)
    guard let last = parts.last, parts.count == 2 || json.hasPrefix("\"\(name)\"") else {
      return nil
    }
    return last.split(separator: "\"", maxSplits: 1, omittingEmptySubsequences: false).first
      .map(String.init)
  }

  /// What it has is what there is at the last id (law 26).
  private func judge() {
    guard let token = view.token, let position = try? Position(token: token) else {
      return world.fail(26, "\(name) got an id that is no token")
    }
    world.oracle.counts.streamChecks += 1
    for channel in channels {
      guard let name = try? ChannelName(channel) else { continue }
      let partition = Partition(
        .messages, Slot(channel: name).partition(of: world.options.partitions))
      guard let offset = position[partition] else {
        return world.fail(26, "\(self.name) got an id without \(partition)")
      }
      let sum = view.sums[channel] ?? 0
      world.note(sum)
      world.check { () throws(Broken) in
        try world.oracle.check(
          EncodedView(partition: partition, position: offset, sum: sum),
          of: channel, law: 26, self.name)
      }
    }
  }

  // MARK: At the end

  var pending: String? {
    guard view.isWhole, let token = view.token, let position = try? Position(token: token) else {
      return "has no state"
    }
    for (partition, offset) in position.sorted where offset < world.oracle.end(of: partition) {
      return "is at \(offset) of \(partition)"
    }
    return nil
  }
}
