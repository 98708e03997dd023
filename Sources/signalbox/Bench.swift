import ArgumentParser
import Benchmarks
import Foundation

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure what Signalbox promises, beside its floors and rivals in the same run.",
    discussion: """
      Every row has its floor or rival, measured on this machine in the same run. A row marked \
      ✗ missed its target; the exit code says only whether the cases could be run: 1 when one could not, and \
      the others were run all the same. Cases:

      \(BenchmarkCase.all.map { "  \($0.name): \($0.about)" }.joined(separator: "\n"))
      """)

  @Flag(help: "A little of every case, in seconds: shows that they still run.")
  var smoke = false
  @Option(help: "Only the case with this name (may be given several times).")
  var only: [String] = []
  @Option(help: "A folder on the file system to measure; the case's files come and go in it.")
  var folder = "."
  @Option(help: "The folder with the recorded departures.")
  var recordings = "replay/nyc-departures"
  @Option(help: "The signalbox that is started as a server (default: this one).")
  var program: String?
  @Flag(help: "Print every row as a JSON object.")
  var json = false

  func validate() throws {
    let known = BenchmarkCase.all.map(\.name)
    if let name = only.first(where: { !known.contains($0) }) {
      throw ValidationError(
        "there is no case “\(name)”; write one of \(known.joined(separator: ", "))")
    }
  }

  func run() async throws {
    if !json { print(BenchmarkTable.header) }
    let cases = BenchmarkCase.all.filter { only.isEmpty || only.contains($0.name) }
    var failed: [String] = []
    for benchmark in cases {
      do {
        try await run(benchmark)
      } catch {
        failed.append(benchmark.name)
        show(BenchmarkRow(benchmark.name, nil, evidence: "", missing: "failed: \(error)"))
      }
    }
    if !failed.isEmpty {
      throw Failure("could not be run: \(failed.joined(separator: ", "))")
    }
  }

  private func run(_ benchmark: BenchmarkCase) async throws {
    let work = try WorkFolder(in: folder)
    defer { work.remove() }
    try await benchmark.run(
      BenchmarkRun(
        size: smoke ? .smoke : .full, folder: work.path, recordings: recordings,
        program: program ?? Bundle.main.executablePath ?? CommandLine.arguments[0],
        report: show,
        progress: { text in
          guard isatty(2) == 1 else { return }
          FileHandle.standardError.write(Data("\r\u{1B}[K\(text)\r".utf8))
        }))
  }

  @Sendable private func show(_ row: BenchmarkRow) {
    print(json ? BenchmarkTable.json(row) : BenchmarkTable.text(row))
    fflush(nil)
  }
}
