import ArgumentParser

@main
struct Signalbox: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "signalbox",
    abstract: "Routes client data to service nodes; every state is a fold of one log.")
}
