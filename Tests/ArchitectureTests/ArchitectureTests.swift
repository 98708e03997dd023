import Foundation
import Testing

/// The package as it is, held to the floors and rules of its architecture.
@Suite struct ArchitectureTests {
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private func manifest() throws -> Manifest {
    try Manifest(String(contentsOf: Self.root.appending(path: "Package.swift"), encoding: .utf8))
  }

  /// Every Swift file of Sources by its path from the root, except generated ones.
  private func sourceFiles() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: Self.root.appending(path: "Sources").path)
      .filter { $0.hasSuffix(".swift") && !$0.split(separator: "/").contains("Generated") }
      .map { "Sources/\($0)" }
      .sorted()
  }

  @Test func `no arrow of Package.swift breaks the floors`() throws {
    let manifest = try manifest()
    #expect(manifest.targets.count > 5)
    for breach in manifest.breaches { Issue.record("\(breach)") }
  }

  @Test func `no source file breaks a rule`() throws {
    let manifest = try manifest()
    let files = try sourceFiles()
    #expect(files.count > 20)
    for file in files {
      let module = String(file.split(separator: "/")[1])
      guard manifest[module]?.path == "Sources/\(module)" else {
        Issue.record("\(file): no target of Package.swift has this folder; add one or remove it")
        continue
      }
      let text = try String(contentsOf: Self.root.appending(path: file), encoding: .utf8)
      let rules = try SourceRules(text, file: file, module: module, manifest: manifest)
      for breach in rules.breaches { Issue.record("\(breach)") }
    }
  }

  @Test func `every exception is still needed`() throws {
    for (file, module) in SourceRules.exceptions {
      let text = try String(contentsOf: Self.root.appending(path: file), encoding: .utf8)
      #expect(text.contains("import \(module)"), "\(file) no longer imports \(module)")
    }
  }
}
