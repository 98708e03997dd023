/// The floors of the architecture (design: "Modules"), and which arrows they allow.
enum Floor: Int, Comparable {
  case c, pure, adapter, shell, program

  static let of: [String: Floor] = [
    "CLZ4": .c, "CISAL": .c, "CRdKafka": .c, "CMongoc": .c, "CSQLite": .c, "CLinux": .c,
    "CPrefetch": .c,
    "Events": .pure, "EventStorage": .pure, "Views": .pure, "Projections": .pure,
    "Decisions": .pure, "PropertyTesting": .pure, "EventLaws": .pure,
    "SegmentStorage": .adapter, "KafkaStorage": .adapter, "MongoViews": .adapter,
    "Gateway": .adapter,
    "Runtime": .shell, "Simulation": .shell, "Benchmarks": .shell, "FuzzTargets": .shell,
    "signalbox": .program, "fuzz": .program,
  ]

  /// The one module that owns the pointers of each C library. Benchmarks may look into all: it measures them bare.
  static let ownerOfC = [
    "CLZ4": "SegmentStorage", "CISAL": "SegmentStorage", "CRdKafka": "KafkaStorage",
    "CMongoc": "MongoViews", "CSQLite": "Benchmarks", "CLinux": "Benchmarks",
    "CPrefetch": "Projections",
  ]

  static func < (left: Floor, right: Floor) -> Bool { left.rawValue < right.rawValue }
}

extension Manifest {
  /// Every arrow that the floors forbid. Tests stand outside of the house and may look in anywhere.
  var breaches: [Breach] {
    targets.filter { !$0.isTest }.flatMap { target in
      guard let floor = Floor.of[target.name] else {
        return [
          breach(
            target, "\(target.name) stands on no floor",
            "give it one in Floors.swift and in the architecture")
        ]
      }
      return target.dependencies.compactMap { self[$0] }.compactMap { dependency in
        arrow(from: target, on: floor, to: dependency)
      }
    }
  }

  private func arrow(from target: Target, on floor: Floor, to other: Target) -> Breach? {
    let arrow = "\(target.name) depends on \(other.name)"
    if other.isTest {
      return breach(target, "\(arrow), which is for tests", "move what it needs into Sources")
    }
    // A target without a floor is a breach of its own.
    guard let below = Floor.of[other.name] else { return nil }
    if below == .c, ![Floor.ownerOfC[other.name], "Benchmarks"].contains(target.name) {
      return breach(
        target, "\(arrow), whose pointers belong to \(Floor.ownerOfC[other.name] ?? "nobody")",
        "ask that module for what you need")
    }
    if below > floor {
      return breach(
        target, "\(arrow), which stands above it", "turn the arrow: let the upper one plug in")
    }
    if below == .adapter, floor == .adapter {
      return breach(
        target, "\(arrow), and no adapter knows another",
        "let both speak to a contract and Runtime plug them together")
    }
    return nil
  }

  private func breach(_ target: Target, _ rule: String, _ remedy: String) -> Breach {
    Breach(file: file, line: target.line, rule: rule, remedy: remedy)
  }
}
