internal import EventStorage
internal import KafkaStorage

/// Appends of one record that no writer is fenced for: idempotent, without a transaction. What is heard of them only says what can no
/// longer happen; they are answered when they are read back.
final class PlainAppends {
  /// What goes to one partition: one request at a time, which is sent again until it is answered or too old.
  private final class Lane {
    let partition: Partition
    var life: ProducerLife?
    var sequence = 0
    var isBusy = false
    var queue: [(number: UInt64, record: ProducedRecord)] = []

    init(_ partition: Partition) { self.partition = partition }
  }

  private static let requestRecordsMax = 8
  private static let pause = VirtualTime.milliseconds(60)
  private unowned let port: KafkaPort
  private var lanes: [Partition: Lane] = [:]

  init(_ port: KafkaPort) { self.port = port }

  func send(_ number: UInt64) {
    guard let append = port.pending[number] else { return }
    // From now on it may be on its way.
    port.pending[number]?.isUnsent = false
    let lane = lanes[append.partition] ?? Lane(append.partition)
    lanes[append.partition] = lane
    let tail = port.tail(of: append.partition)
    tail.newestTime = max(tail.newestTime, append.batch.timestamp)
    let record = append.batch.records[0]
    lane.queue.append(
      (
        number,
        ProducedRecord(
          key: record.key, value: record.value, timestamp: tail.newestTime,
          header: .init(
            id: port.header(number), following: 0, idempotencyKey: append.batch.idempotencyKey))
      ))
    port.connection.after(ClusterSettings.sendTimeout) { [weak self, weak lane] in
      guard let lane, let place = lane.queue.firstIndex(where: { $0.number == number }) else {
        return
      }
      // It never left.
      lane.queue.remove(at: place)
      self?.port.answer(number, .failure(.unavailable(detail: "it could not be sent in time")))
    }
    turn(lane)
  }

  private func turn(_ lane: Lane) {
    guard !lane.isBusy, !lane.queue.isEmpty else { return }
    lane.isBusy = true
    guard let life = lane.life else { return begin(lane) }
    let group = Array(lane.queue.prefix(PlainAppends.requestRecordsMax))
    lane.queue.removeFirst(group.count)
    produce(group, lane, life, until: port.world.now + ClusterSettings.sendTimeout)
  }

  private func begin(_ lane: Lane) {
    port.connection.call(.begin(transactional: nil, after: nil)) { [weak self] answer in
      lane.isBusy = false
      if case .producer(let life) = answer {
        lane.life = life
        lane.sequence = 0
      }
      self?.turn(lane)
    }
  }

  private func produce(
    _ group: [(number: UInt64, record: ProducedRecord)], _ lane: Lane, _ life: ProducerLife,
    until deadline: VirtualTime
  ) {
    let request = KafkaRequest.produce(
      .log(lane.partition), group.map(\.record), life, sequence: lane.sequence, transactional: nil)
    port.connection.call(request) { [weak self] answer in
      guard let self else { return }
      switch answer {
      case .produced(let first):
        lane.sequence += group.count
        for (place, sent) in group.enumerated() {
          self.port.pending[sent.number]?.reported = Offset(first.rawValue + Int64(place))
        }
      case .refused(let refusal) where refusal.isRetriable && self.port.world.now < deadline:
        return self.port.connection.after(PlainAppends.pause) { [weak self] in
          self?.produce(group, lane, life, until: deadline)
        }
      default:
        // Whether it is there is not known, so its numbers are used up: another producer goes on.
        lane.life = nil
        for (number, _) in group { self.port.doubt(number, "no answer to a produce request") }
      }
      lane.isBusy = false
      self.turn(lane)
    }
  }
}
