internal import EventStorage
internal import Synchronization

/// Stands for election as a writer: speaks in the control topic, five times in a session time-out, and hears the others. Four words are
/// enough for another one to be missed; the rest of the time is for being let in.
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
  private let properties: KafkaProperties
  private let elected = Atomic(false)
  private let shared = Monitor<Shared>(Shared())

  private struct Shared {
    var isWithdrawn = false
    var hasEnded = false
    var trouble: String?
  }

  init(
    forWriter id: Int64, name: UInt64, _ options: KafkaLog.Options, _ properties: KafkaProperties
  ) throws(KafkaFailure) {
    prefix = "candidate/\(id)/"
    self.name = String(name, radix: 16)
    self.options = options
    reader = try Client(.consumer, properties.controlFollower, pace: FetchPace())
    self.properties = properties
    let speaker = try Speaker(options, properties)
    startThread(for: "the election of writer \(id)") { self.run(speaker) }
  }

  var isElected: Bool { elected.load(ordering: .acquiring) }

  var trouble: String? { shared.withLock { $0.trouble } }

  func withdraw() {
    elected.store(false, ordering: .releasing)
    shared.change { $0.isWithdrawn = true }
    _ = shared.wait(for: options.requestTimeout) { $0.hasEnded }
  }

  // MARK: The thread

  private func run(_ first: Speaker) {
    var speaker = first
    var election = Election(for: name)
    var room = MessageRoom()
    // Words of ours that have not come back: one who is not heard cannot be elected.
    var unheard = 0
    var isReading = false
    var next = ContinuousClock.now
    let pause = options.sessionTimeout / (Election.silenceMax + 1)
    while !shared.withLock({ $0.isWithdrawn }) {
      if !isReading, begin() {
        election = Election(for: name)
        isReading = true
      }
      if .now >= next {
        // It stood still for so long that others will have missed it: then it joins again, behind them.
        if .now - next > pause * (Election.silenceMax - 1) { election.leave(name) }
        speaker.say(election.word.map { Array("\($0)".utf8) } ?? [], under: prefix + name)
        unheard += 1
        next = .now + pause
      }
      var missed: Set<String> = []
      _ = room.turn(of: reader, for: .milliseconds(100)) { message in
        if message.isRecord {
          missed.formUnion(hear(message, &election, &unheard))
        } else if let failure = message.failure, !message.isEnd, failure.kind != .retriable {
          isReading = false
        }
        return .next
      }
      for other in missed { speaker.say(nil, under: prefix + other) }
      speaker.hear()
      let unread = reader.takeErrors()?.text
      let isElected = election.isElected && unheard < Election.silenceMax
      shared.withLock { shared in
        elected.store(isElected && !shared.isWithdrawn, ordering: .releasing)
        // An error that has passed by the next word is none worth telling.
        let isHeard = unheard < Election.silenceMax
        shared.trouble = isHeard ? nil : speaker.trouble ?? unread ?? shared.trouble ?? "no answer"
      }
    }
    speaker.say(nil, under: prefix + name)
    speaker.finish(within: .seconds(1))
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

  /// - Returns: those who are missed.
  private func hear(
    _ message: Message, _ election: inout Election, _ unheard: inout Int
  ) -> [String] {
    let key = unsafe String(decoding: message.key, as: UTF8.self)
    guard key.hasPrefix(prefix) else { return [] }
    let candidate = String(key.dropFirst(prefix.count))
    guard let value = unsafe message.value else {
      election.leave(candidate)
      return []
    }
    if candidate == name { unheard = 0 }
    let joined = unsafe Int64(String(decoding: value, as: UTF8.self))
    return election.hear(candidate, joined: joined, at: message.offset.rawValue)
  }
}
