import Glibc

/// Writes and syncs with nothing around them: the floor under every durable append.
struct BareWrites {
  /// Writes each piece behind the last and syncs it.
  ///
  /// - Parameter preallocated: whether the file was written with zeros, and synced, before the clock starts.
  /// - Returns: the seconds all of it took, and how long each piece took.
  static func run(
    _ pieces: [[UInt8]], file path: String, preallocated: Bool
  ) throws -> (seconds: Double, latencies: Latencies) {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw BenchmarkFailure.system(path, errno) }
    defer {
      close(file)
      unlink(path)
    }
    if preallocated {
      let zeros = [UInt8](repeating: 0, count: 1 << 20)
      var left = pieces.reduce(0) { $0 + $1.count }
      while left > 0 {
        let count = write(file, zeros, min(left, zeros.count))
        guard count > 0 else { throw BenchmarkFailure.system("write \(path)", errno) }
        left -= count
      }
    }
    guard fsync(file) == 0, lseek(file, 0, SEEK_SET) == 0 else {
      throw BenchmarkFailure.system("sync \(path)", errno)
    }
    var latencies = Latencies()
    let start = wallNanoseconds()
    var last = start
    for piece in pieces {
      guard write(file, piece, piece.count) == piece.count, fdatasync(file) == 0 else {
        throw BenchmarkFailure.system("write \(path)", errno)
      }
      let now = wallNanoseconds()
      latencies.add(now - last)
      last = now
    }
    return (Double(last - start) / 1e9, latencies)
  }
}
