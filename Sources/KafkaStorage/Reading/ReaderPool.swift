internal import EventStorage

/// The few clients that read ranges, lent to one thread each.
final class ReaderPool: Sendable {
  /// What nobody reads on from for so long is let go, with what was read ahead.
  static let idle = Duration.seconds(5)

  private struct State {
    var free: [RangeReader] = []
    var count = 0
    var isClosed = false
  }

  private let state = Monitor<State>(State())
  private let options: KafkaLog.Options
  private let properties: KafkaProperties

  init(_ options: KafkaLog.Options, _ properties: KafkaProperties) {
    self.options = options
    self.properties = properties
  }

  /// Lends the reader that is where the read begins, or else one that has been idle longest, or else a new one.
  func with<Result>(
    at partition: Partition, _ offset: Offset,
    _ body: (RangeReader) throws(LogError) -> Result
  ) throws(LogError) -> Result {
    let reader = try take(partition, offset)
    defer { giveBack(reader) }
    return try body(reader)
  }

  private func take(_ partition: Partition, _ offset: Offset) throws(LogError) -> RangeReader {
    while true {
      let (reader, mayMake) = try state.withLock { state throws(LogError) in
        if state.isClosed { throw .closed }
        if let index = state.free.firstIndex(where: { $0.isAt(partition, offset) }) {
          return (RangeReader?.some(state.free.remove(at: index)), false)
        }
        if state.count < options.readersMax, state.free.allSatisfy({ $0.position != nil }) {
          state.count += 1
          return (nil, true)
        }
        let oldest = state.free.indices.min {
          (state.free[$0].position != nil ? 1 : 0, state.free[$0].lastUsed)
            < (state.free[$1].position != nil ? 1 : 0, state.free[$1].lastUsed)
        }
        return (oldest.map { state.free.remove(at: $0) }, false)
      }
      if let reader { return reader }
      if mayMake {
        do throws(KafkaFailure) {
          return try RangeReader(options, properties)
        } catch {
          state.change { $0.count -= 1 }
          throw .unavailable(detail: error.detail)
        }
      }
      guard state.wait(for: options.requestTimeout, until: { $0.isClosed || !$0.free.isEmpty })
      else { throw .unavailable(detail: "\(options.readersMax) reads are under way; try again") }
    }
  }

  private func giveBack(_ reader: RangeReader) {
    state.change { state in
      if state.isClosed { state.count -= 1 } else { state.free.append(reader) }
    }
  }

  /// Lets go of what was read ahead for nobody.
  func tidy() {
    let idle = state.withLock { state in
      let idle = state.free.filter {
        $0.position != nil && .now - $0.lastUsed > ReaderPool.idle
      }
      state.free.removeAll { reader in idle.contains { $0 === reader } }
      return idle
    }
    for reader in idle {
      reader.stop()
      giveBack(reader)
    }
  }

  func close() {
    let free = state.change { state in
      defer {
        state.isClosed = true
        state.free = []
      }
      return state.free
    }
    for reader in free { reader.stop() }
  }
}
