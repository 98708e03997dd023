import Glibc

/// A number with its unit.
package struct Quantity: Sendable, Codable, Equatable {
  package var value: Double
  package var unit: String

  package init(_ value: Double, _ unit: String) {
    self.value = value
    self.unit = unit
  }

  /// Three figures, thousands as k, millions as M.
  package var text: String {
    let scaled: String
    switch abs(value) {
    case 10_000_000...: scaled = Quantity.figures(value / 1e6) + " M"
    case 10_000...: scaled = Quantity.figures(value / 1e3) + " k"
    default: scaled = Quantity.figures(value)
    }
    return unit.isEmpty ? scaled : "\(scaled) \(unit)"
  }

  /// Three figures.
  static func figures(_ value: Double) -> String {
    let places = abs(value) >= 100 ? 0 : abs(value) >= 10 ? 1 : 2
    let scale = pow(10.0, Double(places))
    let rounded = (value * scale).rounded() / scale
    return places == 0 ? "\(Int(rounded))" : "\(rounded)"
  }
}

/// What a ratio is to reach.
package enum Target: Sendable, Equatable {
  case atLeast(Double)
  case atMost(Double)

  package func isMet(by value: Double) -> Bool {
    switch self {
    case .atLeast(let bound): value >= bound
    case .atMost(let bound): value <= bound
    }
  }

  package var text: String {
    switch self {
    case .atLeast(let bound): "≥ \(Quantity.figures(bound))"
    case .atMost(let bound): "≤ \(Quantity.figures(bound))"
    }
  }
}

/// One line of the table.
package struct BenchmarkRow: Sendable, Equatable {
  package var name: String
  /// Nil where not even this could be measured.
  package var ours: Quantity?
  /// What it is compared with, and its figure; nil where nothing is.
  package var rivalName: String = ""
  package var rival: Quantity?
  /// What the target judges: ours in units of the rival, larger or smaller as the target says.
  package var ratio: Double?
  package var target: Target?
  /// A count or a digest of the result, so that a wrong result is seen; and what else is worth knowing.
  package var evidence: String
  /// Why there is no comparison.
  package var missing: String?

  package init(
    _ name: String, _ ours: Quantity?, against rivalName: String = "", _ rival: Quantity? = nil,
    ratio: Double? = nil, target: Target? = nil, evidence: String, missing: String? = nil
  ) {
    self.name = name
    self.ours = ours
    self.rivalName = rivalName
    self.rival = rival
    self.ratio = ratio
    self.target = target
    self.evidence = evidence
    self.missing = missing
  }

  /// Nil when there is no target or nothing to judge.
  package var isMet: Bool? {
    guard let ratio, let target else { return nil }
    return target.isMet(by: ratio)
  }
}
