/// How much a case does.
package enum BenchmarkSize: String, Sendable {
  /// A little of everything, in seconds: proof that the case still runs. Its figures mean nothing.
  case smoke
  /// Enough to believe the figures.
  case full

  /// The amount for this size.
  func of<T>(smoke: T, full: T) -> T { self == .smoke ? smoke : full }
}

/// Work that is measured, beside its floor or its rival in the same run.
package struct BenchmarkCase: Sendable {
  package let name: String
  /// One line for the help.
  package let about: String
  let body: @Sendable (BenchmarkRun) async throws -> Void

  /// Measures, and reports every row as soon as it is known.
  package func run(_ run: BenchmarkRun) async throws { try await body(run) }

  /// Every case, in the order of the table.
  package static let all: [BenchmarkCase] = [
    .replay, .twoCores, .memory, .append, .groupCommit, .publish, .streams, .flights,
    .kafka,
  ]
}

/// What a case gets: how much to do, where, and where rows go.
package struct BenchmarkRun: Sendable {
  package let size: BenchmarkSize
  /// An empty folder of this case, on the file system that is measured.
  package let folder: String
  /// The folder with the recorded departures.
  package let recordings: String
  /// The program to start as a server: this one.
  package let program: String
  package let report: @Sendable (BenchmarkRow) -> Void
  /// Says on standard error what is going on.
  package let progress: @Sendable (String) -> Void

  package init(
    size: BenchmarkSize, folder: String, recordings: String, program: String,
    report: @escaping @Sendable (BenchmarkRow) -> Void,
    progress: @escaping @Sendable (String) -> Void
  ) {
    self.size = size
    self.folder = folder
    self.recordings = recordings
    self.program = program
    self.report = report
    self.progress = progress
  }
}

/// A case that cannot go on: what is missing or wrong.
package struct BenchmarkFailure: Error, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }

  /// A call of the system that failed.
  static func system(_ what: String, _ code: Int32) -> BenchmarkFailure {
    BenchmarkFailure("\(what): \(systemErrorText(code))")
  }
}
