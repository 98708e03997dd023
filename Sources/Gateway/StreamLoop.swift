import EventStorage
import NIOCore
import Synchronization

/// The streams of one event loop: a mailbox that any thread may fill, and the subscribers, which only the loop touches.
///
/// One `execute` is posted when the mailbox was empty. What has gathered by then goes out in one write per subscriber.
/// Sendable because everything but the mailbox is touched on the event loop only.
final class StreamLoop: @unchecked Sendable {
  /// Bytes of frames that may wait in a mailbox; beyond them subscribers read the recent window when they get there.
  static let mailboxBytesMax = 8 << 20

  private struct Mailbox {
    var deliveries: [Delivery] = []
    var bytes = 0
  }

  let eventLoop: any EventLoop
  /// Its place among the loops, and how many there are.
  let index: Int
  let count: Int
  private let mailbox = Mutex(Mailbox())
  private var topics: [DeliveryTopic: SubscriberList] = [:]
  private var heartbeat: RepeatedTask?
  private var heartbeatTick = 0
  private(set) var subscribers = SubscriberList()

  init(_ eventLoop: any EventLoop, index: Int, of count: Int) {
    self.eventLoop = eventLoop
    self.index = index
    self.count = count
  }

  /// From any thread: frames to be sent.
  func post(_ deliveries: [Delivery]) {
    let wasEmpty = mailbox.withLock { mailbox in
      let wasEmpty = mailbox.deliveries.isEmpty
      for var delivery in deliveries {
        mailbox.bytes += delivery.frames?.readableBytes ?? 0
        if mailbox.bytes > StreamLoop.mailboxBytesMax { delivery.frames = nil }
        mailbox.deliveries.append(delivery)
      }
      return wasEmpty
    }
    if wasEmpty { eventLoop.execute { self.drain() } }
  }

  func add(_ subscriber: Subscriber) {
    subscribers.add(subscriber)
    for topic in subscriber.topics {
      let list = topics[topic] ?? SubscriberList()
      topics[topic] = list
      list.add(subscriber)
    }
  }

  func remove(_ subscriber: Subscriber) {
    subscribers.remove(subscriber)
    for topic in subscriber.topics {
      topics[topic]?.remove(subscriber)
      if topics[topic]?.isEmpty == true { topics[topic] = nil }
    }
  }

  /// Sends each subscriber a heartbeat every so many seconds, a share of them each second.
  func startHeartbeats(everySeconds seconds: Int, _ frame: @escaping @Sendable () -> [UInt8]) {
    heartbeat = eventLoop.scheduleRepeatedTask(
      initialDelay: .seconds(1), delay: .seconds(1)
    ) { _ in
      self.heartbeatTick += 1
      var buffer: ByteBuffer?
      for (number, subscriber) in self.subscribers.all.enumerated()
      where (number + self.heartbeatTick).isMultiple(of: seconds) {
        let frame = buffer ?? ByteBuffer(bytes: frame())
        buffer = frame
        subscriber.beat(frame)
      }
    }
  }

  private func drain() {
    let deliveries = mailbox.withLock { mailbox in
      defer { mailbox = Mailbox() }
      return mailbox.deliveries
    }
    var touched: [Subscriber] = []
    for group in StreamLoop.grouped(deliveries) {
      guard let list = topics[group.topic] else { continue }
      let whole = group.concatenated
      for subscriber in list.all {
        subscriber.deliver(group, whole)
        if subscriber.topics.count > 1 { touched.append(subscriber) }
      }
    }
    for subscriber in touched { subscriber.flush() }
  }

  /// Deliveries of the same topic together, in their order.
  private static func grouped(_ deliveries: [Delivery]) -> [DeliveryGroup] {
    var groups: [DeliveryGroup] = []
    var places: [DeliveryTopic: Int] = [:]
    for delivery in deliveries {
      if let place = places[delivery.topic] {
        groups[place].deliveries.append(delivery)
      } else {
        places[delivery.topic] = groups.count
        groups.append(DeliveryGroup(topic: delivery.topic, deliveries: [delivery]))
      }
    }
    return groups
  }
}

/// What has gathered for one topic.
struct DeliveryGroup {
  let topic: DeliveryTopic
  var deliveries: [Delivery]

  /// The frames of all of it, or nil when some were dropped.
  var concatenated: ByteBuffer? {
    if deliveries.count == 1 { return deliveries[0].frames }
    var buffer = ByteBuffer()
    buffer.reserveCapacity(deliveries.reduce(0) { $0 + ($1.frames?.readableBytes ?? 0) })
    for delivery in deliveries {
      guard let frames = delivery.frames else { return nil }
      buffer.writeImmutableBuffer(frames)
    }
    return buffer
  }
}

/// Subscribers in an array, found again without searching.
final class SubscriberList {
  private(set) var all: [Subscriber] = []
  private var places: [ObjectIdentifier: Int] = [:]

  var isEmpty: Bool { all.isEmpty }

  func add(_ subscriber: Subscriber) {
    places[ObjectIdentifier(subscriber)] = all.count
    all.append(subscriber)
  }

  func remove(_ subscriber: Subscriber) {
    guard let place = places.removeValue(forKey: ObjectIdentifier(subscriber)) else { return }
    let last = all.removeLast()
    if place < all.count {
      all[place] = last
      places[ObjectIdentifier(last)] = place
    }
  }
}
