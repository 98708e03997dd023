import HTTPTypes

/// The path and the query of a request, percent-decoded part by part.
struct RequestTarget {
  /// Between the slashes; a `%2F` inside a part does not part it.
  let path: [String]
  let query: [(name: String, value: String)]

  /// Throws a problem for escapes that are none and for bytes that are not UTF-8.
  init(_ target: String) throws(Problem) {
    let halves = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = try RequestTarget.decoded(
      halves[0].split(separator: "/", omittingEmptySubsequences: false).dropFirst(), plus: false)
    var query: [(String, String)] = []
    for item in (halves.count > 1 ? halves[1] : "").split(separator: "&") {
      let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let decoded = try RequestTarget.decoded(pair[...], plus: true)
      query.append((decoded[0], decoded.count > 1 ? decoded[1] : ""))
    }
    self.query = query
  }

  /// The first value of a query field.
  subscript(name: String) -> String? { query.first { $0.name == name }?.value }

  private static func decoded(
    _ parts: ArraySlice<Substring>, plus: Bool
  ) throws(Problem) -> [String] {
    var texts: [String] = []
    for part in parts {
      var bytes: [UInt8] = []
      var rest = part.utf8[...]
      while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%") {
          guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit)
          else { throw .badRequest("“\(part)” has a % without two hexadecimal digits behind it") }
          bytes.append(high << 4 | low)
        } else {
          bytes.append(plus && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
        }
      }
      guard let text = String(validating: bytes, as: UTF8.self) else {
        throw .badRequest("“\(part)” is not UTF-8")
      }
      texts.append(text)
    }
    return texts
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
