import EventStorage
import Events
import Projections

/// A message as a reader sees it.
struct Seen: Equatable {
  var key: String
  var message: Message
  var time: Int64
  var offset: Int64
}

/// A key whose time was up.
struct Gone: Equatable {
  var channel: ChannelName
  var key: MessageKey
}

extension Channels {
  func seen(in channel: ChannelName) -> [Seen] {
    messages(in: channel).map {
      Seen(key: $0.key, message: $0.message, time: $0.time, offset: $0.offset.rawValue)
    }
  }

  mutating func takeGone() -> [Gone] {
    takeExpired().map { Gone(channel: $0.channel, key: $0.key) }
  }
}

/// What channels mean, said again as plainly as possible.
struct ChannelsModel {
  private struct Held {
    var channel: ChannelName
    var key: MessageKey
    var record: Written
    var message: Message
  }

  private(set) var counts = FoldCounts()
  private(set) var logTime: Int64 = 0
  private var held: [[UInt8]: Held] = [:]
  private var expired: [Gone] = []

  mutating func take(_ batch: some Collection<Written>) {
    for record in batch {
      counts.records += 1
      logTime = max(logTime, record.time)
      switch record.meaning {
      case .message(let channel, let key, let message):
        held[record.key] = Held(channel: channel, key: key, record: record, message: message)
      case .tombstone: held[record.key] = nil
      case .poison:
        counts.poison += 1
        held[record.key] = nil
      case .unknown:
        counts.unknown += 1
        held[record.key] = nil
      case .foreignKey: counts.poison += 1
      case .time: break
      }
    }
    let due = held.values.filter { 1...max(1, logTime) ~= $0.message.expiresAt && logTime > 0 }
      .sorted {
        ($0.message.expiresAt, $0.record.offset) < ($1.message.expiresAt, $1.record.offset)
      }
    for due in due {
      held[due.record.key] = nil
      expired.append(Gone(channel: due.channel, key: due.key))
    }
  }

  func seen(in channel: ChannelName) -> [Seen] {
    held.values.filter { $0.channel == channel }.sorted { $0.record.offset < $1.record.offset }
      .map {
        Seen(
          key: $0.key.text, message: $0.message, time: $0.record.time, offset: $0.record.offset)
      }
  }

  var records: [Written] { held.values.map(\.record) }
  var count: Int { held.count }
  var nextExpiry: Int64? { held.values.map(\.message.expiresAt).filter { $0 != 0 }.min() }

  /// Bytes of keys, and of values without the few that make them events.
  var heldBytes: Int {
    held.values.reduce(0) { sum, held in
      let value = held.record.value?.count ?? 0
      let lengthBytes = (1...5).first { value - 1 - $0 < 1 << (7 * $0) } ?? 0
      return sum + held.record.key.count + value - 1 - lengthBytes
    }
  }

  mutating func takeGone() -> [Gone] {
    defer { expired = [] }
    return expired
  }
}
