import CISAL
import CLZ4
import Foundation

/// The segment files of a partition, read with as little as possible: the floor under everything that reads them.
final class StoredBatches {
  private var maps: [UnsafeRawBufferPointer] = []

  /// Maps the files `<folder>/*.log` in order.
  init(folder: String) throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".log") }.sorted()
    for name in names {
      let path = folder + "/" + name
      let file = open(path, O_RDONLY | O_CLOEXEC)
      guard file >= 0 else { throw BenchmarkFailure.system(path, errno) }
      defer { close(file) }
      let size = Int(lseek(file, 0, SEEK_END))
      guard size > 0 else { continue }
      guard let start = mmap(nil, size, PROT_READ, MAP_SHARED, file, 0), start != MAP_FAILED else {
        throw BenchmarkFailure.system("map \(path)", errno)
      }
      maps.append(UnsafeRawBufferPointer(start: start, count: size))
    }
  }

  deinit {
    for map in maps { munmap(UnsafeMutableRawPointer(mutating: map.baseAddress), map.count) }
  }

  /// Bytes of the batches; an open log has room behind them.
  var byteCount: Int {
    var total = 0
    forEach { total += $0.count }
    return total
  }

  /// Lends every batch as it is stored.
  func forEach(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    for map in maps {
      var position = 0
      while position + 61 <= map.count, map[position + 16] == 2 {
        let length = map.loadUnaligned(fromByteOffset: position + 8, as: UInt32.self).bigEndian
        let end = position + 12 + Int(length)
        guard end <= map.count else { return }
        try body(UnsafeRawBufferPointer(rebasing: map[position..<end]))
        position = end
      }
    }
  }

  /// Checks and inflates every batch, and does nothing with what it holds.
  /// - Returns: the bytes of the records.
  func checkAndInflate() throws -> Int {
    var context: OpaquePointer?
    guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else {
      throw BenchmarkFailure("LZ4 has no context")
    }
    defer { LZ4F_freeDecompressionContext(context) }
    var options = LZ4F_decompressOptions_t()
    options.stableDst = 1
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 20, alignment: 16)
    defer { target.deallocate() }
    var total = 0
    try forEach { batch in
      let checked = UnsafeRawBufferPointer(rebasing: batch[21...])
      let crc = ~crc32_iscsi(
        UnsafeMutablePointer(mutating: checked.baseAddress?.assumingMemoryBound(to: UInt8.self)),
        Int32(checked.count), 0xFFFF_FFFF)
      guard crc == batch.loadUnaligned(fromByteOffset: 17, as: UInt32.self).bigEndian else {
        throw BenchmarkFailure("a batch is damaged")
      }
      let body = UnsafeRawBufferPointer(rebasing: batch[61...])
      guard batch[22] & 7 == 3 else {
        total += body.count
        return
      }
      var produced = 0
      var consumed = 0
      while consumed < body.count {
        var room = target.count - produced
        var size = body.count - consumed
        let hint = LZ4F_decompress(
          context, target.baseAddress?.advanced(by: produced), &room,
          body.baseAddress?.advanced(by: consumed), &size, &options)
        guard LZ4F_isError(hint) == 0, size > 0 else {
          throw BenchmarkFailure("a batch cannot be inflated")
        }
        produced += room
        consumed += size
      }
      total += produced
    }
    return total
  }
}
