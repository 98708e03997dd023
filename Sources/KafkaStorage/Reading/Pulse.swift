internal import EventStorage

/// Asks every second where the partitions end that are followed, so that it is known how old what was read is.
final class Pulse: Sendable {
  /// How often the broker is asked: one small request for all partitions together.
  static let interval = Duration.seconds(1)

  private let tails: TailReader
  private let options: KafkaLog.Options
  private let shared = Monitor<Shared>(Shared())

  private struct Shared {
    var isClosed = false
    var hasEnded = false
  }

  init(_ tails: TailReader, _ options: KafkaLog.Options) {
    self.tails = tails
    self.options = options
  }

  func start() { startThread(for: "the pulse of the log") { self.run() } }

  func close() {
    shared.change { $0.isClosed = true }
    _ = shared.wait(for: options.requestTimeout * 2) { $0.hasEnded }
  }

  private func run() {
    var questions = EndQuestions()
    while !shared.wait(for: Pulse.interval, until: { $0.isClosed }) {
      let followed = tails.tails.filter { $0.value.isReady }
      if followed.isEmpty { continue }
      let asked = ContinuousClock.now
      // No answer is an answer: what is known grows old.
      let ends = questions.ends(
        of: followed.keys.sorted(), within: min(options.requestTimeout, .seconds(1))
      ) { partitions, duration throws(KafkaFailure) in
        try tails.ends(of: partitions, within: duration)
      }
      for (partition, end) in ends {
        followed[partition]?.state.withLock { state in
          // An older answer that was not reached yet stays: under a steady load the newest never would be.
          if state.phase == .ready, state.endSaid == nil { state.endSaid = (end, asked) }
        }
      }
    }
    shared.change { $0.hasEnded = true }
  }
}
