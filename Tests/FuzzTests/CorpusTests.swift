import Foundation
import FuzzTargets
import PropertyTesting
import Testing

/// A fixed small run of what `make fuzz` does without end: every file of the corpus, and some mutations of them.
@Suite struct CorpusTests {
  private static let corpus = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../fuzz/corpus").standardized
  private static let corpusBytesMax = 300_000

  private static func files(of folder: String) throws -> [(name: String, bytes: [UInt8])] {
    let folder = corpus.appending(path: folder)
    return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
      ($0, try FuzzTarget.input(folder.appending(path: $0).path))
    }
  }

  @Test(arguments: FuzzTarget.all)
  func `every file of the corpus passes`(target: FuzzTarget) throws {
    let files = try CorpusTests.files(of: target.name)
    #expect(!files.isEmpty)
    for (name, bytes) in files {
      #expect(bytes.count <= target.bytesMax, "\(name)")
      #expect(throws: Never.self, "\(name)") { try target.test(bytes) }
    }
  }

  @Test(arguments: FuzzTarget.all)
  func `mutations of the corpus pass`(target: FuzzTarget) throws {
    let files = try CorpusTests.files(of: target.name)
    try forAll("mutations of \(target.name)", PropertyOptions(cases: target.cases, seed: 1)) {
      choices in
      var bytes = choices.element(of: files).bytes
      for _ in 0...choices.int(in: 0...3) {
        Mutation.apply(to: &bytes, other: choices.element(of: files).bytes, &choices)
      }
      bytes = Array(bytes.prefix(target.bytesMax))
      choices.note("\(bytes)")
      try target.test(bytes)
    }
  }

  @Test func `the corpus has a folder for every target, and is small`() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: CorpusTests.corpus.path)
    #expect(folders.sorted() == FuzzTarget.all.map(\.name).sorted())
    let count = try folders.flatMap(CorpusTests.files).reduce(0) { $0 + $1.bytes.count }
    #expect(count <= CorpusTests.corpusBytesMax)
  }
}

extension FuzzTarget: CustomTestStringConvertible {
  /// Its name, in the results.
  public var testDescription: String { name }

  /// As many as take a second or less in a debug build.
  fileprivate var cases: Int {
    switch name {
    case "connection", "log-file": 100
    case "folded-batch", "recording": 300
    default: 1000
    }
  }
}
