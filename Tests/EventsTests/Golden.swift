import Foundation
import Testing

/// The files of schemas/golden: bytes that another program made.
enum Golden {
  struct Event: CustomTestStringConvertible, Sendable {
    var name: String
    var key: [UInt8]
    var value: [UInt8]
    var testDescription: String { name }
  }

  static let events: [Event] = rows(of: "events-v1.tsv").map {
    Event(name: $0[0], key: bytes($0[1]), value: bytes($0[2]))
  }

  static let slots: [[String]] = rows(of: "slots.tsv")

  private static func rows(of file: String) -> [[String]] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../schemas/golden/\(file)")
    let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
  }

  private static func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}
