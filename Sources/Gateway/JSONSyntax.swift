/// What is wrong with bytes that should be JSON, and where.
package struct JSONFailure: Error, Equatable {
  /// Byte offset from the start, from 0.
  package var offset: Int
  /// What was expected there.
  package var reason: String
}

/// Checks that bytes are one JSON value (RFC 8259) in UTF-8. Keeps nothing and builds nothing.
package struct JSONSyntax {
  /// Arrays and objects inside each other.
  package static let depthMax = 256

  private let bytes: ArraySlice<UInt8>
  private var position: Int

  /// Throws the first thing that is wrong.
  package static func check(_ bytes: ArraySlice<UInt8>) throws(JSONFailure) {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw JSONFailure(offset: 0, reason: "the text is not UTF-8")
    }
    var syntax = JSONSyntax(bytes: bytes, position: bytes.startIndex)
    try syntax.document()
  }

  private mutating func document() throws(JSONFailure) {
    try value(depth: 0)
    skipSpace()
    if position < bytes.endIndex { throw failure("expected the end") }
  }

  private mutating func value(depth: Int) throws(JSONFailure) {
    skipSpace()
    guard let byte = peek else { throw failure("expected a value, found the end") }
    switch byte {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth < JSONSyntax.depthMax else {
        throw failure("more than \(JSONSyntax.depthMax) arrays and objects inside each other")
      }
      try collection(isObject: byte == UInt8(ascii: "{"), depth: depth)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default: throw failure("expected a value")
    }
  }

  private mutating func collection(isObject: Bool, depth: Int) throws(JSONFailure) {
    let close = isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")
    position += 1
    skipSpace()
    if peek == close {
      position += 1
      return
    }
    while true {
      if isObject {
        skipSpace()
        guard peek == UInt8(ascii: "\"") else { throw failure("expected a name in quotes") }
        try string()
        skipSpace()
        guard peek == UInt8(ascii: ":") else { throw failure("expected a colon") }
        position += 1
      }
      try value(depth: depth + 1)
      skipSpace()
      let byte = peek
      guard byte == close || byte == UInt8(ascii: ",") else {
        throw failure("expected a comma or the end of the \(isObject ? "object" : "array")")
      }
      position += 1
      if byte == close { return }
    }
  }

  private mutating func string() throws(JSONFailure) {
    position += 1
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return
      case UInt8(ascii: "\\"):
        position += 1
        try escape()
      case 0..<0x20: throw failure("a control character in a string")
      default: position += 1
      }
    }
    throw failure("expected the end of the string")
  }

  private mutating func escape() throws(JSONFailure) {
    guard let byte = peek, escapes.contains(byte) else { throw failure("an unknown escape") }
    position += 1
    guard byte == UInt8(ascii: "u") else { return }
    for _ in 0..<4 {
      guard let digit = peek, isHexadecimal(digit) else {
        throw failure("expected four hexadecimal digits")
      }
      position += 1
    }
  }

  private mutating func number() throws(JSONFailure) {
    if peek == UInt8(ascii: "-") { position += 1 }
    if peek == UInt8(ascii: "0") {
      position += 1
    } else {
      try digits()
    }
    if peek == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      position += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(JSONFailure) {
    guard let first = peek, isDigit(first) else { throw failure("expected a digit") }
    while let byte = peek, isDigit(byte) { position += 1 }
  }

  private mutating func word(_ word: StaticString) throws(JSONFailure) {
    let start = position
    for index in 0..<word.utf8CodeUnitCount {
      guard peek == word.utf8Start[index] else {
        position = start
        throw failure("expected a value")
      }
      position += 1
    }
  }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 {
      position += 1
    }
  }

  private var peek: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

  private func failure(_ reason: String) -> JSONFailure {
    JSONFailure(offset: position - bytes.startIndex, reason: reason)
  }
}

private let escapes = Set("\"\\/bfnrtu".utf8)

private func isDigit(_ byte: UInt8) -> Bool {
  UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
  isDigit(byte) || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20
}
