/// A file of Sources, and the rules it is held to.
struct SourceRules {
  static let linesMax = 400

  /// What a pure module may import besides pure modules: nothing that does I/O or knows a clock.
  static let pureImports: Set<String> = [
    "Synchronization", "SwiftProtobuf", "Crypto", "Collections", "DequeModule", "HeapModule",
    "OrderedCollections",
  ]

  /// Blocking needs a condition and a thread, and those need the C library; so does the environment that a property's seed comes from.
  static let exceptions = [
    "Sources/EventStorage/Monitor.swift": "Glibc",
    "Sources/EventStorage/OwnThread.swift": "Glibc",
    "Sources/PropertyTesting/PropertyOptions+Environment.swift": "Glibc",
  ]

  private let file: String
  private let module: String
  private let manifest: Manifest
  private let tokens: [Token]
  private let lines: Int

  init(_ text: String, file: String, module: String, manifest: Manifest) throws(Breach) {
    self.file = file
    self.module = module
    self.manifest = manifest
    tokens = try SwiftTokens.of(text, file: file)
    lines = text.utf8.count { $0 == UInt8(ascii: "\n") }
  }

  var breaches: [Breach] {
    imports + names + tasks + (Floor.of[module] == .pure ? impurities : []) + length
  }

  private var length: [Breach] {
    guard lines > Self.linesMax else { return [] }
    return [
      Breach(
        file: file, line: Self.linesMax + 1,
        rule: "\(lines) lines, and \(Self.linesMax) are the most",
        remedy: "split it by idea: Type+Topic.swift")
    ]
  }

  private var imports: [Breach] {
    tokens.indices.compactMap { index in
      guard word(index) == "import" else { return nil }
      let kinds = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
      let name = kinds.contains(word(index + 1)) ? word(index + 2) : word(index + 1)
      if let target = manifest[name], name != module {
        guard manifest[module]?.dependencies.contains(name) != true else { return nil }
        let owner = target.isC ? ", which belongs to \(Floor.ownerOfC[name] ?? "nobody")" : ""
        return breach(
          index, "\(module) imports \(name)\(owner), but does not depend on it",
          "remove the import, or add the arrow to Package.swift if its floor allows it")
      }
      guard Floor.of[module] == .pure, !Self.pureImports.contains(name),
        Self.exceptions[file] != name, manifest[name] == nil
      else { return nil }
      return breach(
        index, "the pure module \(module) imports \(name)",
        "move what needs it into an adapter; if it does no I/O and knows no clock, allow it in "
          + "SourceRules.pureImports")
    }
  }

  private var names: [Breach] {
    tokens.indices.compactMap { index in
      let kinds = ["struct", "class", "enum", "actor", "protocol", "typealias"]
      guard kinds.contains(word(index)), word(index + 1) == module else { return nil }
      return breach(
        index, "the type \(module) has the name of its module",
        "rename it: the module's other names could not be qualified")
    }
  }

  private var tasks: [Breach] {
    tokens.indices.compactMap { index in
      guard word(index) == "Task" else { return nil }
      var next = index + 1
      if mark(next) == "<" {
        while next < tokens.count, mark(next) != ">" { next += 1 }
        next += 1
      }
      let starters = ["detached", "immediate", "immediateDetached", "init"]
      let starts =
        mark(next) == "." ? starters.contains(word(next + 1)) : ["{", "("].contains(mark(next))
      guard starts else { return nil }
      return breach(
        index, "an unstructured task", "use a task group, `async let` or a service's run()")
    }
  }

  private var impurities: [Breach] {
    tokens.indices.compactMap { index in
      let name = word(index)
      let isBanned =
        switch name {
        case "Date", "UUID": mark(index + 1) == "(" || mark(index + 1) == "."
        case "random", "randomElement", "shuffle", "shuffled":
          mark(index - 1) == "." && mark(index + 1) == "("
        case "hashValue": mark(index - 1) == "."
        case "sleep": mark(index - 1) == "." && word(index - 2) == "Task"
        case "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator": true
        default: false
        }
      guard isBanned else { return nil }
      return breach(
        index, "the pure module \(module) uses \(name)",
        "take time, randomness and identity as inputs")
    }
  }

  private func breach(_ index: Int, _ rule: String, _ remedy: String) -> Breach {
    Breach(file: file, line: tokens[index].line, rule: rule, remedy: remedy)
  }

  private func word(_ index: Int) -> String { text(index, .word) }
  private func mark(_ index: Int) -> String { text(index, .mark) }

  private func text(_ index: Int, _ kind: Token.Kind) -> String {
    tokens.indices.contains(index) && tokens[index].kind == kind ? tokens[index].text : ""
  }
}
