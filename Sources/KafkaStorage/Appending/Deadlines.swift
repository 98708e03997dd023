internal import EventStorage

/// Answers every append at its deadline, whatever the threads that deal with it are waiting for.
///
/// What was never sent is refused; what the broker has reported is acknowledged, for it is durable, unless it has a key that an
/// earlier append may have; of all else nobody can know.
final class Deadlines: Sendable {
  private let appends: PendingAppends
  private let tails: TailReader
  private let shared = Monitor<Shared>(Shared())

  private struct Shared {
    var isClosed = false
    var hasEnded = false
  }

  init(_ appends: PendingAppends, _ tails: TailReader) {
    self.appends = appends
    self.tails = tails
  }

  func start() {
    startThread(for: "deadlines of appends") { [self] in
      var wait = Duration.zero
      while !shared.wait(for: wait, until: { $0.isClosed }) {
        let next = appends.answerOverdue { partition in
          tails.tails[partition]?.state.withLock { $0.trouble }
        }
        // Whatever is admitted while this sleeps has a later deadline.
        wait = max(.milliseconds(1), next - .now)
      }
      shared.change { $0.hasEnded = true }
    }
  }

  func close() {
    shared.change { $0.isClosed = true }
    _ = shared.wait(for: .seconds(1)) { $0.hasEnded }
  }
}
