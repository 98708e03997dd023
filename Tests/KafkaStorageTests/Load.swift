import EventStorage
import Testing

@testable import KafkaStorage

/// Appends from a thread until told to stop, and keeps the answers by key.
final class Load: Sendable {
  let answers = Monitor<[String: Result<Appended, LogError>]>([:])
  let begun = Monitor(0)
  private let isOver = Monitor(false)

  func run(_ log: KafkaLog, everyKeyed: Int) {
    var index = 0
    while !isOver.withLock({ $0 }) {
      let key = "load \(index)"
      let idempotencyKey = index % everyKeyed == 0 ? key : nil
      log.append(batch(key, idempotencyKey: idempotencyKey), to: messages) { answer in
        self.answers.change { $0[key] = answer }
      }
      index += 1
      begun.change { $0 = index }
      // A few hundred are under way at once, not all that memory holds.
      _ = answers.wait(for: .seconds(30)) { $0.count + 300 > index }
    }
  }

  func stop() { isOver.change { $0 = true } }
}

extension Load {
  /// What was acknowledged is there once; what was refused is not.
  func check(against seen: [Seen]) {
    let byKey = Dictionary(grouping: seen, by: \.key)
    for (key, answer) in answers.withLock({ $0 }) {
      switch answer {
      case .success(let appended):
        #expect(byKey[key]?.map(\.offset) == [appended.first], "\(key)")
      case .failure(.unavailable): #expect(byKey[key] == nil, "\(key)")
      case .failure(.outcomeUnknown): #expect((byKey[key]?.count ?? 0) < 2, "\(key)")
      case .failure(let error): Issue.record("\(key): \(error)")
      }
    }
  }
}
