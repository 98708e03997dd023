import Foundation

/// A folder that holds what a case writes, for as long as it runs.
package struct WorkFolder: Sendable {
  package let path: String

  /// Makes an empty folder in `parent`.
  package init(in parent: String) throws {
    var template = Array((parent + "/.signalbox-bench-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      throw BenchmarkFailure.system("make a folder in \(parent)", errno)
    }
    let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    path = URL(fileURLWithPath: made).standardizedFileURL.path
  }

  package func remove() { try? FileManager.default.removeItem(atPath: path) }
}
