import Glibc

/// A value behind a lock, and threads that sleep until it changes.
///
/// `Synchronization.Mutex` has no way to wait, and Foundation stays out of the pure modules; so this is a POSIX
/// mutex and its condition, and one of two files here that import the C library. Its clock only ends a wait: it is
/// the steady one, and nobody reads it.
///
/// `@unchecked Sendable`: `value` is touched only while `mutex` is held, and is itself Sendable; both pointers
/// never change and are freed by the last owner, when no thread can be waiting.
package final class Monitor<Value: Sendable>: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var value: Value

  package init(_ value: Value) {
    self.value = value
    var attributes = pthread_condattr_t()
    let failures = [
      pthread_mutex_init(mutex, nil), pthread_condattr_init(&attributes),
      pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC),
      pthread_cond_init(changed, &attributes), pthread_condattr_destroy(&attributes),
    ]
    precondition(failures.allSatisfy { $0 == 0 }, "no lock to be had: \(failures)")
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Works on the value; waiting threads sleep on.
  package func withLock<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body(&value)
  }

  /// Works on the value and wakes every waiting thread to look at it again.
  package func change<Result, Failure: Error>(
    _ body: (inout Value) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    pthread_mutex_lock(mutex)
    defer {
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
    return try body(&value)
  }

  /// Blocks the thread until the value is as wanted or the time is up.
  ///
  /// - Returns: whether the value is as wanted.
  package func wait(for duration: Duration, until isWanted: (Value) -> Bool) -> Bool {
    var deadline = steadyTime(after: duration)
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isWanted(value) {
      if pthread_cond_timedwait(changed, mutex, &deadline) == ETIMEDOUT { return isWanted(value) }
    }
    return true
  }
}

private func steadyTime(after duration: Duration) -> timespec {
  // A century at most, so that the longest durations do not overflow the sum.
  let (seconds, attoseconds) = min(max(duration, .zero), .seconds(3_155_760_000)).components
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  time.tv_sec += Int(seconds)
  time.tv_nsec += Int(attoseconds / 1_000_000_000)
  if time.tv_nsec >= 1_000_000_000 {
    time.tv_sec += 1
    time.tv_nsec -= 1_000_000_000
  }
  return time
}
