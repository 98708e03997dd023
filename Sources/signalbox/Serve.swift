import ArgumentParser
import Foundation
import Runtime

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve channels over HTTP and SSE from a log.",
    discussion:
      "SIGTERM or ^C drains: streams end with a retry of their own, the log closes, exit 0.")

  @OptionGroup var instance: InstanceOptions
  @Flag(help: "Say where it listens as one JSON object on standard output.")
  var json = false

  func run() async throws {
    let json = json
    try await Instance(settings: instance.settings()).run { address in
      printLine(json ? address.json : "Signalbox listens on \(address.url)")
    }
  }
}
