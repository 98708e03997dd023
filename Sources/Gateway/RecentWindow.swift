import EventStorage
import Events
import Projections

/// The last batches of a partition, up to a number of bytes, with the entries of every channel in order.
///
/// A cache beside the fold, not part of its state: how far it reaches depends on when it was filled.
struct RecentWindow: Sendable {
  /// Everything from here on is held.
  private(set) var start: Offset
  /// The position after the newest batch.
  private(set) var end: Offset
  private let bytesMax: Int
  private var byteCount = 0
  private var batches = Queue<RecentBatch>()
  /// The sequence number of the oldest batch.
  private var firstSequence = 0
  private var channels: [String: Queue<Place>] = [:]

  /// An entry of a channel: a row of a batch or, behind its rows, one of its expired keys.
  struct Place: Sendable {
    var sequence: Int
    var index: Int
  }

  init(start: Offset, bytesMax: Int) {
    self.start = start
    end = start
    self.bytesMax = bytesMax
  }

  mutating func append(_ batch: RecentBatch) {
    let sequence = firstSequence + batches.count
    batches.append(batch)
    for index in batch.rows.indices {
      guard let channel = batch.channel(of: batch.rows[index]) else { continue }
      channels[channel, default: Queue()].append(Place(sequence: sequence, index: index))
    }
    for index in batch.expired.indices {
      channels[batch.expired[index].channel.text, default: Queue()].append(
        Place(sequence: sequence, index: batch.rows.count + index))
    }
    end = batch.next
    byteCount += batch.byteCount
    while byteCount > bytesMax, !batches.isEmpty { removeFirst() }
  }

  private mutating func removeFirst() {
    guard let batch = batches.popFirst() else { return }
    for row in batch.rows {
      if let channel = batch.channel(of: row) { dropPlaces(of: channel, until: firstSequence) }
    }
    for key in batch.expired { dropPlaces(of: key.channel.text, until: firstSequence) }
    firstSequence += 1
    byteCount -= batch.byteCount
    start = batch.next
  }

  private mutating func dropPlaces(of channel: String, until sequence: Int) {
    guard let found = channels.index(forKey: channel) else { return }
    while let first = channels.values[found].first, first.sequence <= sequence {
      _ = channels.values[found].popFirst()
    }
    if channels.values[found].isEmpty { channels.remove(at: found) }
  }

  /// How many entries of a channel come at or after this position, counted no further than `limit`.
  func count(of channel: String, from position: Offset, limit: Int) -> Int {
    guard let places = channels[channel] else { return 0 }
    return min(limit, places.count - firstPlace(in: places, from: position))
  }

  /// Gives the entries of these channels from a position on, in order, until `body` returns false.
  func forEach(
    of names: [String], from position: Offset, _ body: (RecentBatch, Place) -> Bool
  ) {
    var cursors = names.compactMap { name -> (places: Queue<Place>, index: Int)? in
      guard let places = channels[name] else { return nil }
      return (places, firstPlace(in: places, from: position))
    }
    while true {
      var best: Int?
      for index in cursors.indices where cursors[index].index < cursors[index].places.count {
        guard let other = best else {
          best = index
          continue
        }
        let left = cursors[index].places[cursors[index].index]
        let right = cursors[other].places[cursors[other].index]
        if (left.sequence, left.index) < (right.sequence, right.index) { best = index }
      }
      guard let best else { return }
      let place = cursors[best].places[cursors[best].index]
      cursors[best].index += 1
      if !body(batches[place.sequence - firstSequence], place) { return }
    }
  }

  private func firstPlace(in places: Queue<Place>, from position: Offset) -> Int {
    var lower = 0
    var upper = places.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if isBefore(places[middle], position) { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }

  private func isBefore(_ place: Place, _ position: Offset) -> Bool {
    let batch = batches[place.sequence - firstSequence]
    return place.index < batch.rows.count
      ? batch.rows[place.index].offset < position : batch.next <= position
  }
}

/// First in, first out, with an index.
struct Queue<Element> {
  private var elements: [Element?] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : elements[head] }

  subscript(index: Int) -> Element {
    guard let element = elements[head + index] else {
      preconditionFailure("element \(index) of \(count) was removed")
    }
    return element
  }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func popFirst() -> Element? {
    guard head < elements.count else { return nil }
    let element = elements[head]
    elements[head] = nil
    head += 1
    // Moving what is left costs no more than what was taken since the last time.
    if head > 32, head * 2 > elements.count {
      elements.removeFirst(head)
      head = 0
    }
    return element
  }
}

extension Queue: Sendable where Element: Sendable {}
