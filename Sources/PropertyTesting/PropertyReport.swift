/// What was tried of a property that holds.
public struct PropertyReport: Sendable, CustomStringConvertible {
  /// The property.
  public let name: String
  /// How many cases held.
  public internal(set) var cases = 0
  /// How many cases were left out.
  public internal(set) var discards = 0
  /// How many cases bear each label.
  public internal(set) var labels: [String: Int] = [:]
  /// Whether every case there is was tried. Only `forEvery` can say so.
  public internal(set) var isComplete = false

  init(name: String) { self.name = name }

  /// The share of the cases, 0 to 1, that bears a label.
  public func share(of label: String) -> Double {
    cases == 0 ? 0 : Double(labels[label, default: 0]) / Double(cases)
  }

  /// One line for the property, and one for each label, the frequent ones first.
  public var description: String {
    var lines = ["\(name): \(cases) cases hold"]
    if isComplete { lines[0] += ", which are all" }
    if discards > 0 { lines[0] += ", \(discards) left out" }
    let order = labels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    for (label, _) in order { lines.append("  \(percent(share(of: label))) \(label)") }
    return lines.joined(separator: "\n")
  }

  mutating func count(_ choices: Choices) {
    cases += 1
    for label in Set(choices.labels) { labels[label, default: 0] += 1 }
  }
}

/// A share to one decimal: `12.5%`.
func percent(_ share: Double) -> String {
  let tenths = Int((share * 1_000).rounded())
  return "\(tenths / 10).\(tenths % 10)%"
}
