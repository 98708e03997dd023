internal import EventStorage
internal import Events

/// What the channels of a partition must be at every position: written apart from the fold it judges, and without its tables.
///
/// The state is kept as a sum of hashes, one for each message, so that it can be compared at any position that ever was.
struct ChannelModel {
  private struct Held {
    var offset: Int64
    var expiresAt: Int64
    var hash: UInt64
    var channel: String
  }

  struct Moment {
    var end: Offset
    var logTime: Int64
    var count: Int
    var sum: UInt64
  }

  private var held: [[UInt8]: Held] = [:]
  /// When held messages expire, the earliest last.
  private var expiries: [(at: Int64, offset: Int64, key: [UInt8])] = []
  private var now = Moment(end: .zero, logTime: 0, count: 0, sum: 0)
  private(set) var moments: [Moment] = []
  private var channels: [String: [(end: Offset, sum: UInt64)]] = [:]
  private var sums: [String: UInt64] = [:]

  mutating func apply(_ batch: ServedBatch) {
    for row in batch.rows {
      now.logTime = max(now.logTime, row.timestamp)
      guard let (channel, _) = EventKey.message(bytes: batch.bytes[row.key]) else { continue }
      let key = Array(batch.bytes[row.key])
      remove(key)
      if let message = ChannelModel.message(row, in: batch.bytes) {
        hold(message, of: channel.text, key, row)
      }
      // Behind the record, wherever the next one is.
      note(channel.text, at: Offset(row.offset.rawValue + 1))
    }
    expire(at: batch.next)
    now.end = batch.next
    moments.append(now)
  }

  private mutating func note(_ channel: String, at end: Offset) {
    channels[channel, default: []].append((end, sums[channel] ?? 0))
  }

  private mutating func hold(
    _ message: (body: [UInt8], data: [UInt8], expiresAt: Int64), of channel: String,
    _ key: [UInt8], _ row: RecordRow
  ) {
    let hash = ChannelModel.hash(
      offset: row.offset.rawValue, timestamp: row.timestamp, key: key, body: message.body)
    held[key] = Held(
      offset: row.offset.rawValue, expiresAt: message.expiresAt, hash: hash, channel: channel)
    now.count += 1
    now.sum &+= hash
    let view = ChannelModel.viewHash(key: key, data: message.data)
    sums[channel, default: 0] &+= view
    views[key] = view
    if message.expiresAt != 0 { insertExpiry(message.expiresAt, row.offset.rawValue, key) }
  }

  /// What each held message adds to the view of its channel.
  private var views: [[UInt8]: UInt64] = [:]

  private mutating func remove(_ key: [UInt8]) {
    guard let old = held.removeValue(forKey: key) else { return }
    now.count -= 1
    now.sum &-= old.hash
    sums[old.channel, default: 0] &-= views.removeValue(forKey: key) ?? 0
  }

  private mutating func insertExpiry(_ at: Int64, _ offset: Int64, _ key: [UInt8]) {
    let place = expiries.firstIndex { $0.at <= at } ?? expiries.count
    expiries.insert((at, offset, key), at: place)
  }

  private mutating func expire(at end: Offset) {
    while let first = expiries.last, first.at <= now.logTime {
      expiries.removeLast()
      guard let message = held[first.key], message.offset == first.offset else { continue }
      remove(first.key)
      note(message.channel, at: end)
    }
  }

  /// The state after everything before `position`.
  func state(at position: Offset) -> Moment {
    let place = partition(moments) { $0.end <= position }
    return place == 0 ? Moment(end: .zero, logTime: 0, count: 0, sum: 0) : moments[place - 1]
  }

  /// What a reader of a channel must have after everything before `position`.
  func view(of channel: String, at position: Offset) -> UInt64 {
    guard let history = channels[channel] else { return 0 }
    let place = partition(history) { $0.end <= position }
    return place == 0 ? 0 : history[place - 1].sum
  }

  static func viewHash(key: [UInt8], data: [UInt8]) -> UInt64 {
    contentHash(data, seed: contentHash(key))
  }

  static func hash(offset: Int64, timestamp: Int64, key: [UInt8], body: [UInt8]) -> UInt64 {
    var hash = TraceHash()
    hash.add(offset)
    hash.add(timestamp)
    hash.add(contentHash(key))
    hash.add(contentHash(body))
    return hash.value
  }

  private static func message(
    _ row: RecordRow, in bytes: [UInt8]
  ) -> (body: [UInt8], data: [UInt8], expiresAt: Int64)? {
    guard !row.isTombstone else { return nil }
    let span = bytes.span.bytes
    guard case .event(.messagePublished, let body)? = try? EventEnvelope.read(row.value, of: span),
      let fields = try? MessageFields(body: body, of: span)
    else { return nil }
    return (Array(bytes[body]), Array(bytes[fields.data]), fields.expiresAt)
  }
}

/// The number of elements at the front for which `holds`.
private func partition<Element>(_ elements: [Element], _ holds: (Element) -> Bool) -> Int {
  var lower = 0
  var upper = elements.count
  while lower < upper {
    let middle = (lower + upper) / 2
    if holds(elements[middle]) { lower = middle + 1 } else { upper = middle }
  }
  return lower
}
