import ArgumentParser
import Foundation

@main
struct Signalbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "signalbox",
    abstract:
      "Channels whose last messages everybody sees, over HTTP and event streams, from one log.",
    discussion: """
      Exit codes: 0 fine, 1 failed, 2 doctor found what loses records. Every option that has a setting can also be given in the environment \
      (SIGNALBOX_PORT=8081) or in a YAML file (--config signalbox.yaml); flags win over the environment, \
      the environment over the file.
      """,
    version: "0.1.0",
    subcommands: [
      Serve.self, Demo.self, Publish.self, Subscribe.self, Replay.self, Migrate.self, Doctor.self,
      Simulate.self, Bench.self,
    ])

  /// Every failure is one line on standard error and exit code 1.
  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch  where exitCode(for: error).isSuccess {
      exit(withError: error)
    } catch let error as CleanExit {
      exit(withError: error)
    } catch {
      let message = Failure.line(for: error, in: self)
      FileHandle.standardError.write(Data("signalbox: \(message)\n".utf8))
      Foundation.exit(1)
    }
  }
}

/// A command that could not do its work: one line that says what, where and what to do.
struct Failure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }

  static func line(for error: any Error, in command: Signalbox.Type) -> String {
    let usage = command.message(for: error)
    return usage.isEmpty ? "\(error)" : usage
  }
}
