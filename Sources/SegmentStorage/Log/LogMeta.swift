internal import EventStorage
internal import FoundationEssentials

/// `log.json`: which log this is. Written once, when the log is made.
struct LogMeta: Codable, Equatable {
  static let name = "log.json"
  static let format = 1
  static let bytesMax = 4096

  var format: Int
  var identity: String
  var partitions: Int
  /// CRC-32C of the other fields, in hexadecimal: a changed digit must not make another log of it.
  var check: String

  init(identity: LogIdentity, partitions: Int) {
    format = LogMeta.format
    self.identity = identity.description
    self.partitions = partitions
    check = ""
    check = expectedCheck
  }

  private var expectedCheck: String {
    unsafe String(
      CRC32C.of(Array("\(format) \(identity) \(partitions)".utf8).span.bytes), radix: 16)
  }

  func encoded() -> [UInt8] {
    Array(
      """
      {
        "format": \(format),
        "identity": "\(identity)",
        "partitions": \(partitions),
        "check": "\(check)"
      }

      """.utf8)
  }

  /// Reads the file of the log at `path`.
  static func decode(
    _ bytes: [UInt8], at path: String
  ) throws(LogError) -> (identity: LogIdentity, layout: LogLayout) {
    struct Version: Decodable { var format: Int }
    let damaged = LogError.cannotOpen(
      path: path, reason: "\(name) is damaged", remedy: "restore it from a copy")
    let data = Data(bytes)
    guard let version = try? JSONDecoder().decode(Version.self, from: data) else { throw damaged }
    guard version.format == format else {
      throw .cannotOpen(
        path: path, reason: "it is of format \(version.format), and this program reads \(format)",
        remedy: "use the version of Signalbox that made it")
    }
    guard let meta = try? JSONDecoder().decode(LogMeta.self, from: data),
      meta.check == meta.expectedCheck, let identity = LogIdentity(meta.identity),
      (1...LogLayout.partitionsMax).contains(meta.partitions)
    else { throw damaged }
    return (identity, LogLayout(partitions: meta.partitions))
  }
}
