internal import EventStorage
internal import KafkaStorage

/// Stands for election as `KafkaLog` does: speaks in the control topic four times in a session time-out, hears the others, and folds
/// all of it with the real `Election`.
final class Candidate {
  private unowned let port: KafkaPort
  private let name: String
  private var election = Election()
  /// Words of ours that have not come back: one who is not heard cannot be elected.
  private var unheard = 0
  private var life: ProducerLife?
  private var sequence = 0
  private var isSpeaking = false

  init(_ port: KafkaPort) {
    self.port = port
    name = String(port.instance, radix: 16)
    begin()
    speakAgain()
  }

  var isElected: Bool { election.elected == name && unheard < Election.silenceMax }

  private var connection: KafkaConnection { port.connection }

  // MARK: Hearing

  /// Reads the control topic from its start.
  private func begin() {
    connection.call(.ends([.control], .uncommitted)) { [weak self] answer in
      guard let self else { return }
      guard case .ends(let ends) = answer, let start = ends.first?.start else {
        return self.connection.after(.milliseconds(100)) { [weak self] in self?.begin() }
      }
      self.election = Election()
      self.listen(from: start)
    }
  }

  private func listen(from offset: Offset) {
    let wait = VirtualTime.milliseconds(500)
    connection.call(
      .fetch([(.control, offset)], .uncommitted, wait: wait, recordsMax: 64),
      within: wait + ClusterSettings.requestTimeout
    ) { [weak self] answer in
      guard let self else { return }
      guard case .fetched(let all) = answer, let fetched = all.first else {
        return self.connection.after(.milliseconds(20)) { [weak self] in
          self?.listen(from: offset)
        }
      }
      guard fetched.refusal == nil else { return self.begin() }
      for record in fetched.records { self.hear(record) }
      self.listen(from: fetched.next)
    }
  }

  private func hear(_ record: KafkaFetched.Record) {
    let key = String(decoding: record.key, as: UTF8.self)
    guard key.hasPrefix(ControlRecord.candidates) else { return }
    let candidate = String(key.dropFirst(ControlRecord.candidates.count))
    guard let value = record.value else { return election.leave(candidate) }
    if candidate == name { unheard = 0 }
    let joined = Int64(String(decoding: value, as: UTF8.self))
    let gone = election.hear(candidate, joined: joined, at: record.offset.rawValue)
    // So that their words do not stay for ever.
    if election.elected == name { for other in gone { speak(of: other, isGone: true) } }
  }

  // MARK: Speaking

  private func speakAgain() {
    speak(of: name, isGone: false)
    unheard += 1
    let pause = ClusterSettings.sessionTimeout.microseconds / Int64(Election.silenceMax)
    connection.after(VirtualTime(microseconds: pause)) { [weak self] in self?.speakAgain() }
  }

  /// Does not wait: what is lost is said again.
  private func speak(of candidate: String, isGone: Bool) {
    guard !isSpeaking else { return }
    isSpeaking = true
    guard let life else {
      return connection.call(.begin(transactional: nil, after: nil)) { [weak self] answer in
        self?.isSpeaking = false
        self?.sequence = 0
        guard case .producer(let life) = answer else { return }
        self?.life = life
        self?.speak(of: candidate, isGone: isGone)
      }
    }
    let word = ControlRecord.word(
      of: candidate, joined: election.joined(candidate), isGone: isGone,
      at: port.world.clock(of: port.id))
    connection.call(.produce(.control, [word], life, sequence: sequence, transactional: nil)) {
      [weak self] answer in
      self?.isSpeaking = false
      if case .produced = answer { self?.sequence += 1 } else { self?.life = nil }
    }
  }
}
