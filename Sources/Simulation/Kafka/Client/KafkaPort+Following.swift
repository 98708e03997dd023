internal import EventStorage
internal import KafkaStorage

/// Following the ends of the partitions, and answering the appends that come back.
extension KafkaPort {
  /// Begins to follow partitions: asks where they end.
  func follow(_ partitions: [Partition]) {
    guard !partitions.isEmpty else { return }
    connection.call(.ends(partitions.map { .log($0) }, .committed)) { [weak self] answer in
      guard let self else { return }
      guard case .ends(let ends) = answer else {
        return self.connection.after(.milliseconds(100)) { [weak self] in
          self?.follow(partitions)
        }
      }
      for (partition, bounds) in zip(partitions, ends) {
        self.tail(of: partition).begin(start: bounds.start, end: bounds.end)
      }
      self.begun.formUnion(partitions)
      self.wakeReader()
    }
  }

  /// One fetch of everything that is followed, again and again.
  func turn() {
    let topics = tails.filter { begun.contains($0.partition) }
      .map { (topic: KafkaTopic.log($0.partition), from: $0.position) }
    guard !topics.isEmpty else {
      return connection.after(.milliseconds(50)) { [weak self] in self?.turn() }
    }
    let wait = begun.count < tails.count ? .milliseconds(20) : ClusterSettings.fetchWait
    let request = KafkaRequest.fetch(topics, .committed, wait: wait, recordsMax: 64)
    connection.call(request, within: wait + ClusterSettings.requestTimeout) { [weak self] answer in
      guard let self else { return }
      if case .fetched(let all) = answer { for fetched in all { self.take(fetched) } }
      self.wakeReader()
      self.turn()
    }
  }

  private func take(_ fetched: KafkaFetched) {
    guard case .log(let partition) = fetched.topic else { return }
    let tail = tail(of: partition)
    if fetched.refusal != nil {
      // Retention has passed by.
      begun.remove(partition)
      return follow([partition])
    }
    // What was asked for before the tail began anew.
    guard fetched.from == tail.position else { return }
    for (id, place) in tail.take(fetched) where id.instance == instance {
      answer(id.number, .success(place))
    }
    guard !tail.settle() else { return }
    begun.remove(partition)
    follow([partition])
  }
}
