import Foundation

/// Runs something that blocks on a thread of its own, and gives its result to whoever waits without blocking.
func onThread<Value: Sendable>(
  _ name: String, _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    let thread = Thread { continuation.resume(with: Result { try body() }) }
    thread.name = name
    thread.start()
  }
}
