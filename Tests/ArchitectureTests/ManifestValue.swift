/// What a manifest can say where a value stands. Anything else in it is an error, never skipped.
enum ManifestValue {
  case string(String)
  case list([ManifestValue])
  case name(String)
  case call(String, [(label: String?, value: ManifestValue)], line: Int)
  case sum([ManifestValue])
}

/// Reads values from tokens.
struct ManifestReader {
  private let tokens: [Token]
  private let file: String
  private var at: Int

  init(_ tokens: [Token], from index: Int, file: String) {
    self.tokens = tokens
    self.file = file
    at = index
  }

  mutating func value() throws(Breach) -> ManifestValue {
    var parts = [try term()]
    while take("+") { parts.append(try term()) }
    return parts.count == 1 ? parts[0] : .sum(parts)
  }

  /// Throws when more follows: statements could change what was read.
  func end() throws(Breach) {
    if at < tokens.count { throw unreadable("the end is expected") }
  }

  private mutating func term() throws(Breach) -> ManifestValue {
    let line = line
    if at < tokens.count, tokens[at].kind == .string {
      at += 1
      return .string(tokens[at - 1].text)
    }
    if take("[") {
      var elements: [ManifestValue] = []
      while !take("]") {
        elements.append(try value())
        if !take(",") {
          try need("]")
          break
        }
      }
      return .list(elements)
    }
    _ = take(".")
    var name = try word()
    while take(".") { name += ".\(try word())" }
    guard take("(") else { return .name(name) }
    var arguments: [(label: String?, value: ManifestValue)] = []
    while !take(")") {
      var label: String?
      if at + 1 < tokens.count, tokens[at].kind == .word, isMark(":", at: at + 1) {
        label = tokens[at].text
        at += 2
      }
      arguments.append((label, try value()))
      if !take(",") {
        try need(")")
        break
      }
    }
    return .call(name, arguments, line: line)
  }

  private var line: Int { at < tokens.count ? tokens[at].line : tokens.last?.line ?? 1 }

  private func isMark(_ mark: String, at index: Int) -> Bool {
    index < tokens.count && tokens[index].kind == .mark && tokens[index].text == mark
  }

  private mutating func take(_ mark: String) -> Bool {
    guard isMark(mark, at: at) else { return false }
    at += 1
    return true
  }

  private mutating func need(_ mark: String) throws(Breach) {
    if !take(mark) { throw unreadable("`\(mark)` is expected") }
  }

  private mutating func word() throws(Breach) -> String {
    guard at < tokens.count, tokens[at].kind == .word else {
      throw unreadable("a name, a string or a list is expected")
    }
    at += 1
    return tokens[at - 1].text
  }

  private func unreadable(_ what: String) -> Breach {
    Breach(
      file: file, line: line,
      rule: at < tokens.count ? "\(what), not `\(tokens[at].text)`" : "\(what), not the end",
      remedy: "write it more plainly, or teach ManifestReader")
  }
}
