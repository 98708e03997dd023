import PropertyTesting

/// Reads the answers on a connection, strictly: what a server sends must be HTTP/1.1, whatever it was sent.
struct HTTPAnswers {
  struct Answer: Equatable {
    var status: Int
    var headers: [String: String]
    var body: [UInt8]
    /// False when the connection has not said all of it yet.
    var isWhole: Bool
  }

  private var rest: ArraySlice<UInt8>

  static func read(_ bytes: [UInt8]) throws -> [Answer] {
    var reader = HTTPAnswers(rest: bytes[...])
    var answers: [Answer] = []
    while !reader.rest.isEmpty { answers.append(try reader.answer()) }
    return answers
  }

  private mutating func answer() throws -> Answer {
    let status = try line()
    try hold(status.hasPrefix("HTTP/1.1 ") && status.utf8.count >= 13, "the line \(status)")
    let code = try number(status.dropFirst(9).prefix(3), radix: 10)
    try hold(100...599 ~= code, "the status \(code)")
    var headers: [String: String] = [:]
    while true {
      let header = try line()
      if header.isEmpty { break }
      let parts = header.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      try hold(parts.count == 2 && !parts[0].isEmpty, "the header \(header)")
      try hold(parts[0].utf8.allSatisfy { 0x21...0x7e ~= $0 }, "the name of \(header)")
      try hold(parts[1].utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 9 }, "\(header)")
      headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " })
    }
    var answer = Answer(status: code, headers: headers, body: [], isWhole: true)
    if code < 200 || code == 204 || code == 304 { return answer }
    if headers["transfer-encoding"] == "chunked" {
      answer.isWhole = try chunks(into: &answer.body)
    } else {
      let length = try number((headers["content-length"] ?? "")[...], radix: 10)
      try hold(length <= rest.count, "\(length) bytes, and \(rest.count) came")
      answer.body = Array(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    return answer
  }

  private mutating func chunks(into body: inout [UInt8]) throws -> Bool {
    while !rest.isEmpty {
      let size = try number(try line()[...], radix: 16)
      try hold(size + 2 <= rest.count, "a chunk of \(size) bytes, and \(rest.count) came")
      body += rest.prefix(size)
      rest = rest.dropFirst(size)
      try hold(try line().isEmpty, "a chunk does not end")
      if size == 0 { return true }
    }
    return false
  }

  private func number(_ digits: Substring, radix: Int) throws -> Int {
    guard digits.first?.isHexDigit == true, let number = Int(digits, radix: radix) else {
      throw NotHeld(message: "\(digits) is no number")
    }
    return number
  }

  private mutating func line() throws -> String {
    let end = rest.firstRange(of: [13, 10])
    guard let end, let text = String(validating: rest[..<end.lowerBound], as: UTF8.self) else {
      throw NotHeld(message: "a line does not end, or is no text")
    }
    rest = rest[end.upperBound...]
    return text
  }
}
