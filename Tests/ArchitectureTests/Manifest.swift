/// The targets of Package.swift and the arrows between them.
struct Manifest {
  struct Target {
    var name: String
    var kind: String
    var path: String
    /// Names of targets of this package, and products of others that are named by a string alone.
    var dependencies: [String]
    var line: Int

    var isTest: Bool { kind == "testTarget" || path.hasPrefix("Tests/") }
    var isC: Bool { kind == "systemLibrary" }
  }

  let file: String
  let targets: [Target]

  subscript(name: String) -> Target? { targets.first { $0.name == name } }

  init(_ text: String, file: String = "Package.swift") throws(Breach) {
    let tokens = try SwiftTokens.of(text, file: file)
    let starts = tokens.indices.filter { index in
      tokens[index].kind == .word && tokens[index].text == "Package" && index > 0
        && tokens[index - 1].text == "="
    }
    guard starts.count == 1 else {
      throw Breach(
        file: file, line: 1, rule: "`= Package(` stands \(starts.count) times",
        remedy: "state the package once, in one expression")
    }
    var reader = ManifestReader(tokens, from: starts[0], file: file)
    let package = try reader.value()
    try reader.end()
    guard case .call(_, let arguments, let line) = package,
      case .list(let values)? = arguments.first(where: { $0.label == "targets" })?.value
    else {
      throw Breach(
        file: file, line: tokens[starts[0]].line, rule: "the package has no list of targets",
        remedy: "write `targets: [ … ]`")
    }
    var targets: [Target] = []
    for value in values { targets.append(try Manifest.target(value, file: file, line: line)) }
    self.file = file
    self.targets = targets
  }

  private static func target(
    _ value: ManifestValue, file: String, line: Int
  ) throws(Breach) -> Target {
    let kinds = ["target", "executableTarget", "testTarget", "systemLibrary"]
    guard case .call(let kind, let arguments, let line) = value, kinds.contains(kind) else {
      throw Breach(
        file: file, line: line, rule: "a target is none of \(kinds)", remedy: "use one of these")
    }
    func argument(_ label: String) -> ManifestValue? {
      arguments.first { $0.label == label }?.value
    }
    guard case .string(let name)? = argument("name") else {
      throw Breach(file: file, line: line, rule: "a target has no name", remedy: "name it")
    }
    var path = (kind == "testTarget" ? "Tests/" : "Sources/") + name
    if let given = argument("path") {
      guard case .string(let text) = given else {
        throw Breach(
          file: file, line: line, rule: "the path of \(name) is no string", remedy: "write it out")
      }
      path = text
    }
    var dependencies: [String] = []
    if let given = argument("dependencies") {
      guard case .list(let values) = given else {
        throw Breach(
          file: file, line: line, rule: "the dependencies of \(name) are no plain list",
          remedy: "write them out")
      }
      for value in values {
        switch value {
        case .string(let text): dependencies.append(text)
        case .call("target", let inner, _), .call("byName", let inner, _):
          guard case .string(let text)? = inner.first?.value else { fallthrough }
          dependencies.append(text)
        case .call("product", _, _): break
        default:
          throw Breach(
            file: file, line: line, rule: "a dependency of \(name) cannot be read",
            remedy: "use a string, .target(name:) or .product(name:package:)")
        }
      }
    }
    return Target(name: name, kind: kind, path: path, dependencies: dependencies, line: line)
  }
}
