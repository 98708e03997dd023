/// A word, a mark or a string of Swift source, and the line it stands on.
struct Token: Hashable {
  enum Kind { case word, mark, string }

  var kind: Kind
  var text: String
  var line: Int
}

/// Splits Swift source into tokens, without comments. The code inside a string's interpolation counts as code.
///
/// Knows no regular expression literals: the package has none.
struct SwiftTokens {
  private let bytes: [UInt8]
  private let file: String
  private var at = 0
  private var line = 1
  private var tokens: [Token] = []

  static func of(_ text: String, file: String) throws(Breach) -> [Token] {
    var source = SwiftTokens(text, file)
    try source.readCode(isInterpolation: false)
    return source.tokens
  }

  private init(_ text: String, _ file: String) {
    bytes = Array(text.utf8)
    self.file = file
  }

  private func starts(with text: String, at index: Int) -> Bool {
    bytes[min(index, bytes.count)...].starts(with: text.utf8)
  }

  private mutating func readCode(isInterpolation: Bool) throws(Breach) {
    var depth = 0
    while at < bytes.count {
      let byte = bytes[at]
      if starts(with: "//", at: at) {
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { at += 1 }
      } else if starts(with: "/*", at: at) {
        try skipComment()
      } else if let hashes = hashesOfString() {
        try readString(hashes: hashes)
      } else if isWord(byte) {
        readWord()
      } else {
        if byte == UInt8(ascii: "\n") { line += 1 }
        if byte == UInt8(ascii: "(") { depth += 1 }
        if byte == UInt8(ascii: ")") { depth -= 1 }
        at += 1
        if isInterpolation, depth < 0 { return }
        if byte > 0x20 { add(.mark, [byte]) }
      }
    }
    if isInterpolation { throw unfinished("interpolation", from: line) }
  }

  private func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "`"), 0x80...:
      true
    default: false
    }
  }

  private mutating func readWord() {
    let start = at
    if bytes[at] == UInt8(ascii: "`") {
      at += 1
      while at < bytes.count, bytes[at] != UInt8(ascii: "`") { at += 1 }
      at = min(at + 1, bytes.count)
    } else {
      while at < bytes.count, isWord(bytes[at]) { at += 1 }
    }
    add(.word, bytes[start..<at])
  }

  private mutating func skipComment() throws(Breach) {
    let start = line
    var depth = 0
    repeat {
      if at >= bytes.count { throw unfinished("comment", from: start) }
      if bytes[at] == UInt8(ascii: "\n") { line += 1 }
      if starts(with: "/*", at: at) {
        depth += 1
        at += 2
      } else if starts(with: "*/", at: at) {
        depth -= 1
        at += 2
      } else {
        at += 1
      }
    } while depth > 0
  }

  /// How many `#` stand before the quote that is next, or nil when no string begins here.
  private func hashesOfString() -> Int? {
    let hashes = bytes[at...].prefix { $0 == UInt8(ascii: "#") }.count
    return starts(with: "\"", at: at + hashes) ? hashes : nil
  }

  private mutating func readString(hashes: Int) throws(Breach) {
    let start = line
    let pounds = String(repeating: "#", count: hashes)
    at += hashes
    let quotes = starts(with: "\"\"\"", at: at) ? "\"\"\"" : "\""
    at += quotes.utf8.count
    let place = tokens.count
    var text: [UInt8] = []
    while !starts(with: quotes + pounds, at: at) {
      if at >= bytes.count || quotes.utf8.count == 1 && bytes[at] == UInt8(ascii: "\n") {
        throw unfinished("string", from: start)
      }
      if starts(with: "\\" + pounds + "(", at: at) {
        at += 2 + hashes
        try readCode(isInterpolation: true)
      } else if starts(with: "\\" + pounds, at: at), at + hashes + 1 < bytes.count {
        if bytes[at + hashes + 1] == UInt8(ascii: "\n") { line += 1 }
        text += bytes[at...at + hashes + 1]
        at += hashes + 2
      } else {
        if bytes[at] == UInt8(ascii: "\n") { line += 1 }
        text.append(bytes[at])
        at += 1
      }
    }
    at += quotes.utf8.count + hashes
    let string = Token(kind: .string, text: String(decoding: text, as: UTF8.self), line: start)
    tokens.insert(string, at: place)
  }

  private mutating func add(_ kind: Token.Kind, _ text: some Collection<UInt8>) {
    tokens.append(Token(kind: kind, text: String(decoding: text, as: UTF8.self), line: line))
  }

  private func unfinished(_ what: String, from line: Int) -> Breach {
    Breach(file: file, line: line, rule: "this \(what) has no end", remedy: "end it")
  }
}
