internal import EventStorage

/// Asks where partitions end: all of them together, and those apart that could not be asked lately. librdkafka answers a question about
/// several only when it knows who leads each of them; so one without a leader would hold up all others.
///
/// One thread has it.
struct EndQuestions {
  /// How long the first question about one partition alone may take; each later one twice as long, for the way may be long.
  static let patience = Duration.milliseconds(100)
  /// So much longer than a question in vain took, its partition is left alone.
  static let rest = 4
  /// When so many cannot be asked one after another, it is not a matter of partitions.
  static let failuresMax = 3

  typealias Ask = ([Partition], Duration) throws(KafkaFailure) -> [Offset]

  /// Those that could not be asked; when they may be again, and how long.
  private var apart: [Partition: (next: ContinuousClock.Instant, patience: Duration)] = [:]
  /// Why those that are missing in the last answer are.
  private(set) var trouble: String?

  /// - Returns: the ends that are known now.
  mutating func ends(
    of partitions: [Partition], within duration: Duration, _ ask: Ask
  ) -> [Partition: Offset] {
    trouble = nil
    var ends: [Partition: Offset] = [:]
    let together = partitions.filter { apart[$0] == nil }
    var alone = partitions.filter { apart[$0].map { $0.next <= .now } ?? false }
    if !together.isEmpty {
      do throws(KafkaFailure) {
        for (partition, end) in zip(together, try ask(together, duration)) { ends[partition] = end }
      } catch {
        trouble = error.detail
        // Whose fault it is shows only when each is asked for itself.
        if together.count > 1 { alone = together + alone } else { leave(together[0]) }
      }
    }
    var failures = 0
    for partition in alone where failures < EndQuestions.failuresMax || !ends.isEmpty {
      do throws(KafkaFailure) {
        let patience = apart[partition]?.patience ?? EndQuestions.patience
        ends[partition] = try ask([partition], min(duration, patience))[0]
        apart[partition] = nil
      } catch {
        trouble = error.detail
        failures += 1
        leave(partition)
      }
    }
    // Nobody answers: that is no reason to ask them one by one when the broker is back.
    if ends.isEmpty, together.count > 1 { apart = [:] }
    return ends
  }

  private mutating func leave(_ partition: Partition) {
    let patience = apart[partition]?.patience ?? EndQuestions.patience
    apart[partition] = (.now + patience * EndQuestions.rest, min(.seconds(1), patience * 2))
  }
}
