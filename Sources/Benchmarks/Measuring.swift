import Glibc

/// Seconds of a clock that only goes forward.
func wallSeconds() -> Double { seconds(of: CLOCK_MONOTONIC) }

/// Nanoseconds of the same clock.
func wallNanoseconds() -> UInt64 {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Seconds of processor time that this thread has had. Synchronous work only.
func threadSeconds() -> Double { seconds(of: CLOCK_THREAD_CPUTIME_ID) }

/// Seconds of processor time that this process has had, all threads together.
func processSeconds() -> Double { seconds(of: CLOCK_PROCESS_CPUTIME_ID) }

private func seconds(of clock: clockid_t) -> Double {
  var time = timespec()
  clock_gettime(clock, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Runs the contestants in turn, `rounds` times over, and answers the median of each: a noisy moment hits all of them.
func medians(
  rounds: Int, _ contestants: [() async throws -> Double]
) async throws -> [Double] {
  var samples = contestants.map { _ in [Double]() }
  for _ in 0..<rounds {
    for (index, contestant) in contestants.enumerated() {
      samples[index].append(try await contestant())
    }
  }
  return samples.map(median)
}

/// The middle value; the mean of the two middle ones where there are two.
func median(_ values: [Double]) -> Double {
  precondition(!values.isEmpty, "the median of nothing")
  let sorted = values.sorted()
  let middle = sorted.count / 2
  return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Latencies, sorted when asked.
struct Latencies {
  private(set) var nanoseconds: [UInt64] = []

  mutating func add(_ value: UInt64) { nanoseconds.append(value) }

  mutating func add(_ other: Latencies) { nanoseconds += other.nanoseconds }

  /// Milliseconds below which this share of them lies.
  func milliseconds(_ share: Double) -> Double {
    guard !nanoseconds.isEmpty else { return .nan }
    let sorted = nanoseconds.sorted()
    let index = min(sorted.count - 1, Int(Double(sorted.count) * share))
    return Double(sorted[index]) / 1e6
  }

  /// “p50 1.2 ms, p99 3.4 ms”.
  var text: String {
    let p50 = Quantity.figures(milliseconds(0.5))
    return "p50 \(p50) ms, p99 \(Quantity.figures(milliseconds(0.99))) ms"
  }
}

/// What the system calls an error.
func systemErrorText(_ code: Int32) -> String { String(cString: strerror(code)) }
