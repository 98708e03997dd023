/// Texts by number, each once: a number is compared and kept where a text would be copied.
struct TextTable: Sendable {
  private var texts: [String] = []
  private var numbers = KeyedTable<Int32>()

  subscript(number: Int32) -> String { texts[Int(number)] }

  /// The number of a text, new or known.
  mutating func number(of text: UnsafeRawBufferPointer) -> Int32 {
    if let number = numbers[text] { return number }
    numbers[text] = Int32(texts.count)
    texts.append(String(decoding: text, as: UTF8.self))
    return Int32(texts.count - 1)
  }
}
