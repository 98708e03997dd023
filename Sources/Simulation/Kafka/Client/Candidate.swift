internal import EventStorage
internal import KafkaStorage

/// Stands for election as `KafkaLog` does: speaks in the control topic five times in a session time-out, hears the others, and folds
/// all of it with the real `Election`.
final class Candidate {
  private unowned let port: KafkaPort
  private let name: String
  private var election: Election
  /// Words of ours that have not come back: one who is not heard cannot be elected.
  private var unheard = 0
  private var life: ProducerLife?
  private var sequence = 0
  private var isSpeaking = false
  /// When it is to speak next.
  private var due: VirtualTime

  init(_ port: KafkaPort) {
    self.port = port
    name = String(port.instance, radix: 16)
    election = Election(for: name)
    due = port.world.now
    begin()
    speakAgain()
  }

  var isElected: Bool { election.isElected && unheard < Election.silenceMax }

  private var connection: KafkaConnection { port.connection }

  // MARK: Hearing

  /// Reads the control topic from its start.
  private func begin() {
    connection.call(.ends([.control], .uncommitted)) { [weak self] answer in
      guard let self else { return }
      guard case .ends(let ends) = answer, let start = ends.first?.start else {
        return self.connection.after(.milliseconds(100)) { [weak self] in self?.begin() }
      }
      self.election = Election(for: self.name)
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
    let missed = election.hear(candidate, joined: joined, at: record.offset.rawValue)
    for other in missed { speak(of: other, isGone: true) }
  }

  // MARK: Speaking

  private func speakAgain() {
    let pause = ClusterSettings.sessionTimeout.microseconds / Int64(Election.silenceMax + 1)
    let late = port.world.now.microseconds - due.microseconds
    // It stood still for so long that others will have missed it: then it joins again, behind them.
    if late > pause * Int64(Election.silenceMax - 1) { election.leave(name) }
    speak(of: name, isGone: false)
    unheard += 1
    due = port.world.now + VirtualTime(microseconds: pause)
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
      of: candidate, joined: candidate == name ? election.word : election.joined(candidate),
      isGone: isGone,
      at: port.world.clock(of: port.id))
    connection.call(.produce(.control, [word], life, sequence: sequence, transactional: nil)) {
      [weak self] answer in
      self?.isSpeaking = false
      if case .produced = answer { self?.sequence += 1 } else { self?.life = nil }
    }
  }
}
