/// Texts by number, each once: a number is compared and kept where a text would be copied.
///
/// Texts that nobody uses any more stay until the owner makes the table anew, which it does when `isStale` says so.
struct TextTable: Sendable {
  /// Unused texts that are kept at most, beside as many as are in use.
  private static let unusedKept = 64

  private var texts: [String] = []
  private var numbers = KeyedTable<Int32>()

  /// How many texts there are, used or not.
  var count: Int { texts.count }

  subscript(number: Int32) -> String { texts[Int(number)] }

  /// The number of a text, new or known; nil for bytes that are not UTF-8.
  mutating func number(of text: UnsafeRawBufferPointer) -> Int32? {
    if let number = numbers[text] { return number }
    guard let new = String(validating: text, as: UTF8.self) else { return nil }
    numbers[text] = Int32(texts.count)
    texts.append(new)
    return Int32(texts.count - 1)
  }

  /// The number of a text that is one.
  mutating func number(of text: String) -> Int32 {
    var text = text
    // Text is always UTF-8.
    return text.withUTF8 { number(of: UnsafeRawBufferPointer($0)).unsafelyUnwrapped }
  }

  /// More than half of it is unused, when `used` values have a text.
  func isStale(used: Int) -> Bool { texts.count > 2 * used + TextTable.unusedKept }
}
