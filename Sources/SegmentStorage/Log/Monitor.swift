internal import Glibc

/// State under a lock, with two conditions to wait for: work for the thread that owns the writing, and progress for everybody else.
///
/// Sendable because the state is touched with the lock held only, and `State` is Sendable itself.
@safe final class Monitor<State: Sendable>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let work: UnsafeMutablePointer<pthread_cond_t>
  private let progress: UnsafeMutablePointer<pthread_cond_t>
  private var state: State

  init(_ state: State) {
    self.state = state
    unsafe mutex = .allocate(capacity: 1)
    unsafe work = .allocate(capacity: 1)
    unsafe progress = .allocate(capacity: 1)
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    // Waits are durations: a clock that is set must not stretch them.
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(work, &attributes)
    unsafe pthread_cond_init(progress, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  deinit {
    unsafe pthread_cond_destroy(progress)
    unsafe pthread_cond_destroy(work)
    unsafe pthread_mutex_destroy(mutex)
    unsafe progress.deallocate()
    unsafe work.deallocate()
    unsafe mutex.deallocate()
  }

  func withLock<R, Failure: Error>(_ body: (inout State) throws(Failure) -> R) throws(Failure) -> R
  {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe _ = pthread_mutex_unlock(mutex) }
    return try body(&state)
  }

  /// Wakes the thread that waits for work.
  func signalWork() { unsafe _ = pthread_cond_signal(work) }

  /// Wakes everybody who waits for progress.
  func signalProgress() { unsafe _ = pthread_cond_broadcast(progress) }

  /// Waits until `body` has an answer, or until the time is up. `body` runs at least once, with the lock held.
  func waitForWork<R>(for limit: Duration? = nil, _ body: (inout State) -> R?) -> R? {
    unsafe wait(on: work, for: limit, body)
  }

  /// As `waitForWork`, for progress.
  func waitForProgress<R>(for limit: Duration? = nil, _ body: (inout State) -> R?) -> R? {
    unsafe wait(on: progress, for: limit, body)
  }

  private func wait<R>(
    on condition: UnsafeMutablePointer<pthread_cond_t>, for limit: Duration?,
    _ body: (inout State) -> R?
  ) -> R? {
    var deadline = limit.map(timeFromNow)
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe _ = pthread_mutex_unlock(mutex) }
    while true {
      if let result = body(&state) { return result }
      if deadline == nil {
        unsafe pthread_cond_wait(condition, mutex)
      } else if var time = deadline {
        if unsafe pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT {
          return body(&state)
        }
        deadline = time
      }
    }
  }
}

private func timeFromNow(_ duration: Duration) -> timespec {
  var now = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &now)
  // A year is as good as for ever, and does not overflow.
  let (seconds, attoseconds) = min(max(duration, .zero), .seconds(31_536_000)).components
  let nanoseconds = now.tv_nsec + Int(attoseconds / 1_000_000_000)
  return timespec(
    tv_sec: now.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000,
    tv_nsec: nanoseconds % 1_000_000_000)
}
