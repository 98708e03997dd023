import EventStorage
import Foundation

/// Runs something that blocks on a thread of its own, never on the shared pool.
func onThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
  }
}

/// Longer than anything here takes: a wait that lasts this long has failed.
let patience = Duration.seconds(30)

/// Collects the answers to appends that nobody awaits one by one.
final class Answers: Sendable {
  private let answers = Monitor<[Int: [Result<Appended, LogError>]]>([:])

  /// The completion of append number `index`.
  func completion(of index: Int) -> @Sendable (Result<Appended, LogError>) -> Void {
    { answer in self.answers.change { $0[index, default: []].append(answer) } }
  }

  /// Blocks until each of so many appends has been answered, and says how.
  func all(_ count: Int) throws -> [Result<Appended, LogError>] {
    let came = answers.wait(for: patience) { $0.count == count }
    let answers = answers.withLock { $0 }
    try expect(came, "\(answers.count) of \(count) appends were answered")
    return try (0..<count).map { index in
      let mine = answers[index] ?? []
      try expectEqual(mine.count, 1, "answers to append \(index)")
      return mine[0]
    }
  }
}
