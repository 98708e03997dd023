import ArgumentParser
import AsyncHTTPClient
import Foundation
import Gateway
import NIOCore
import NIOHTTP1

struct Subscribe: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print what happens on channels, as it happens.",
    discussion: """
      Starts with the state of the channels, then every change. When the connection breaks it comes back \
      with its last position and goes on where it was.
      """)

  @Argument(help: "The channels.")
  var channels: [String]
  @Option(help: "A position to go on from, as publish and --json print it.")
  var from: String?
  @Option(help: "Stop after this many events; 0 never.")
  var count = 0
  @Option(
    help:
      "Seconds without a word, heartbeats included, until the connection is made again; 0 never.")
  var silence = 60
  @Flag(help: "One JSON object a line: event, id, data.")
  var json = false
  @OptionGroup var server: ServerOptions

  func validate() throws {
    guard !channels.isEmpty else { throw ValidationError("name at least one channel") }
    guard (0...86_400).contains(silence) else {
      throw ValidationError("--silence is \(silence); it must be from 0 to 86400")
    }
  }

  func run() async throws {
    let query = channels.map { "channel=\(ServerOptions.escaped($0))" }.joined(separator: "&")
    var position = from
    var retry = Duration.seconds(2)
    var printed = 0
    while true {
      var request = try server.request("/v1/events?\(query)")
      request.headers.add(name: "Accept", value: "text/event-stream")
      if let position { request.headers.add(name: "Last-Event-ID", value: position) }
      var parser = EventStreamParser()
      do {
        let response = try await server.send(request, deadline: .distantFuture, silence: silence)
        guard response.status == .ok else {
          let body = try await response.body.collect(upTo: 1 << 20)
          throw Answer(text: String(buffer: body)).failure(response.status.code)
        }
        for try await chunk in response.body {
          for event in parser.feed(chunk.readableBytesView) {
            show(event)
            printed += 1
            if count > 0, printed == count { return }
          }
          position = parser.lastEventID ?? position
          retry = parser.retry ?? retry
        }
      } catch let refused as Failure {
        throw refused
      } catch let unreachable as Unreachable where printed == 0 {
        throw unreachable
      } catch {
        FileHandle.standardError.write(Data("signalbox: \(error); trying again\n".utf8))
      }
      try await Task.sleep(for: retry)
    }
  }

  private func show(_ event: EventStreamParser.Event) {
    if json {
      let object: [String: String] = [
        "event": event.name, "id": event.id ?? "", "data": event.data,
      ]
      let line = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys])
      printLine(String(decoding: line ?? Data(), as: UTF8.self))
    } else {
      printLine("\(event.name)\t\(event.data)")
    }
  }
}
