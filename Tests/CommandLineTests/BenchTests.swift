import Foundation
import Testing

@Suite struct BenchTests {
  @Test func `a case that cannot be run is said, and the others are run all the same`() throws {
    let folder = try Folder()
    let bench = try Program(
      "bench", "--smoke", "--only", "publish", "--only", "flights", "--program",
      "/nowhere/signalbox", "--folder", folder.path, "--recordings",
      URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../replay/nyc-departures").path)
    #expect(bench.status == 1)
    #expect(bench.output.contains("flights"), "\(bench.output)")
    #expect(bench.output.components(separatedBy: "failed: ").count == 3, "\(bench.output)")
    #expect(bench.error.contains("could not be run: publish, flights"), "\(bench.error)")
  }
}
