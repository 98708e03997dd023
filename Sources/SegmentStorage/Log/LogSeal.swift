package import EventStorage

/// `moved.json`: where a log went on. From then on it can be read, and takes nothing any more.
package enum LogSeal {
  static let name = "moved.json"
  private static let bytesMax = 4096

  /// Where a log went on.
  package struct Destination: Equatable, Sendable {
    /// How it was reached then. Its brokers may have other names now.
    package var url: String
    /// Which log it is; nil when the seal does not say.
    package var log: LogIdentity?
  }

  /// Seals the log at `path` for good. Durable when it returns.
  package static func write(
    movedTo url: String, as log: LogIdentity, at path: String, on disk: any Disk = POSIXDisk()
  ) throws(LogError) {
    precondition(!url.contains { "\"\\\n".contains($0) }, "\(url) is no URL of a log")
    do throws(DiskError) {
      let text = Array("{\"movedTo\":\"\(url)\",\"log\":\"\(log)\"}\n".utf8)
      try unsafe disk.replace("\(path)/\(name)", in: path, with: text.span.bytes)
    } catch {
      throw openFailure(error, at: path)
    }
  }

  /// Where the log at `path` went on; nil when it was not moved.
  package static func read(
    at path: String, on disk: any Disk = POSIXDisk()
  ) throws(LogError) -> Destination? {
    do throws(DiskError) {
      guard try disk.list(path)?.contains(name) == true else { return nil }
      let bytes = try disk.open("\(path)/\(name)", .read).contents(atMost: bytesMax) ?? []
      let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\"")
      guard parts.count >= 5, parts[1] == "movedTo" else {
        return Destination(url: "another log, but \(name) is damaged")
      }
      return Destination(
        url: String(parts[3]), log: parts.count > 7 ? LogIdentity(String(parts[7])) : nil)
    } catch {
      throw openFailure(error, at: path)
    }
  }

  /// Refuses to write to a log that went on elsewhere.
  static func check(_ path: String, _ disk: any Disk) throws(LogError) {
    guard let url = try read(at: path, on: disk)?.url else { return }
    throw .cannotOpen(
      path: path, reason: "it was moved to \(url) and takes nothing any more",
      remedy: "serve that one; this one can still be read")
  }
}
