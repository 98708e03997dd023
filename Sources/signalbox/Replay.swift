import ArgumentParser
import Runtime

struct Replay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Fold a log and print what it says.")
  func run() async throws { throw Failure("not yet") }
}
