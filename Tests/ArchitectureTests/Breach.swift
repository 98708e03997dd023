/// A rule of the architecture that some line breaks.
struct Breach: Error, Hashable, CustomStringConvertible {
  var file: String
  var line: Int
  var rule: String
  var remedy: String

  var description: String { "\(file):\(line): \(rule); \(remedy)" }
}
