internal import EventStorage
internal import Synchronization

/// Stands for election as a writer: speaks in the control topic, four times in a session time-out, and hears the others.
///
///     candidate/<writer>/<name>   the offset of its first word, once it knows it; null when it is gone
///
/// The elected one that is gone is replaced within the session time-out. One that was paused finds out when it has read on; until then
/// fencing keeps it out (law 16).
final class Candidate: Candidacy {
  private let prefix: String
  private let name: String
  private let options: KafkaLog.Options
  private let reader: Client
  private let speaker: Client
  private let elected = Atomic(false)
  private let shared = Monitor<Shared>(Shared())

  private struct Shared {
    var isWithdrawn = false
    var hasEnded = false
  }

  init(
    forWriter id: Int64, name: UInt64, _ options: KafkaLog.Options, _ properties: KafkaProperties
  ) throws(KafkaFailure) {
    prefix = "candidate/\(id)/"
    self.name = String(name, radix: 16)
    self.options = options
    reader = try Client(.consumer, properties.controlFollower, pace: FetchPace())
    speaker = try Client(.producer, properties.producer)
    startThread(for: "the election of writer \(id)") { self.run() }
  }

  var isElected: Bool { elected.load(ordering: .acquiring) }

  func withdraw() {
    elected.store(false, ordering: .releasing)
    shared.change { $0.isWithdrawn = true }
    _ = shared.wait(for: options.requestTimeout) { $0.hasEnded }
  }

  // MARK: The thread

  private func run() {
    var election = Election()
    var room = MessageRoom()
    // Words of ours that have not come back: one who is not heard cannot be elected.
    var unheard = 0
    var isReading = false
    var next = ContinuousClock.now
    while !shared.withLock({ $0.isWithdrawn }) {
      if !isReading, begin() {
        election = Election()
        isReading = true
      }
      if .now >= next {
        speak(election.joined(name).map { Array("\($0)".utf8) } ?? [], of: name)
        unheard += 1
        next = .now + options.sessionTimeout / Election.silenceMax
      }
      _ = room.turn(of: reader, for: .milliseconds(100)) { message in
        if message.isRecord {
          hear(message, &election, &unheard)
        } else if let failure = message.failure, !message.isEnd, failure.kind != .retriable {
          isReading = false
        }
        return .next
      }
      _ = reader.takeErrors()
      let isElected = election.elected == name && unheard < Election.silenceMax
      shared.withLock { elected.store(isElected && !$0.isWithdrawn, ordering: .releasing) }
    }
    speak(nil, of: name)
    speaker.flush(within: .seconds(1))
    if isReading { reader.stopReading(options.controlTopic, partition: 0) }
    shared.change { $0.hasEnded = true }
  }

  /// Reads the control topic from its start.
  private func begin() -> Bool {
    let topic = options.controlTopic
    reader.stopReading(topic, partition: 0)
    guard let (start, _) = try? reader.watermarks(of: topic, 0, within: .seconds(1)) else {
      return false
    }
    return (try? reader.startReading(topic, partition: 0, from: start)) != nil
  }

  private func hear(_ message: Message, _ election: inout Election, _ unheard: inout Int) {
    let key = unsafe String(decoding: message.key, as: UTF8.self)
    guard key.hasPrefix(prefix) else { return }
    let candidate = String(key.dropFirst(prefix.count))
    guard let value = unsafe message.value else { return election.leave(candidate) }
    if candidate == name { unheard = 0 }
    let joined = unsafe Int64(String(decoding: value, as: UTF8.self))
    let gone = election.hear(candidate, joined: joined, at: message.offset.rawValue)
    // So that their words do not stay for ever.
    if election.elected == name { for other in gone { speak(nil, of: other) } }
  }

  /// Does not wait: what is lost is said again.
  private func speak(_ word: [UInt8]?, of candidate: String) {
    unsafe try? speaker.produce(
      NewRecord(key: Array((prefix + candidate).utf8), value: word),
      to: try speaker.topic(options.controlTopic), 0, timestamp: options.now(),
      header: AppendHeader(id: .init(instance: 0, number: 0), following: 0), opaque: 0)
  }
}
