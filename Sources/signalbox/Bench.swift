import ArgumentParser

struct Bench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Measure.")
  func run() async throws { throw Failure("not yet") }
}
