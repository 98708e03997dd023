import EventStorage
import Events
import NIOCore

/// Makes streams out of requests: which partitions, which loop, which bytes come first.
struct StreamService: Sendable {
  let partitions: [LivePartition]
  let loops: [StreamLoop]
  let limits: GatewayLimits
  let cors: CrossOrigin
  /// How long a browser is to wait before it comes back.
  let retryMilliseconds: Int

  func loop(of eventLoop: any EventLoop) -> StreamLoop {
    guard let loop = loops.first(where: { $0.eventLoop === eventLoop }) else {
      preconditionFailure("a connection on an event loop that is not the gateway's")
    }
    return loop
  }

  func subscriber(
    _ request: StreamRequest, outlet: any StreamOutlet, on eventLoop: any EventLoop
  ) -> Subscriber {
    var byPartition: [Int: [ChannelName]] = [:]
    for channel in request.channels {
      byPartition[Slot(channel: channel).partition(of: partitions.count), default: []]
        .append(channel)
    }
    let parts = byPartition.sorted { $0.key < $1.key }.map { index, channels in
      Subscriber.Part(
        partition: partitions[index], channels: channels,
        names: channels.map { Array($0.text.utf8) }, cursor: .zero)
    }
    return Subscriber(
      request, parts: parts, outlet: outlet, loop: loop(of: eventLoop), limits: limits)
  }

  static let streamHeaders = [
    ("Content-Type", "text/event-stream"),
    // no-transform keeps compressing proxies away, X-Accel-Buffering the buffers of nginx.
    ("Cache-Control", "no-store, no-transform"),
    ("X-Accel-Buffering", "no"),
  ]

  /// The head of a stream's response.
  func head(origin: String?) -> ByteBuffer {
    var text = "HTTP/1.1 200 OK\r\n"
    for (name, value) in StreamService.streamHeaders + cors.headers(origin: origin) {
      text += "\(name): \(value)\r\n"
    }
    return ByteBuffer(string: text + "Transfer-Encoding: chunked\r\n\r\n")
  }

  /// Spread, so that the clients of a stopped instance do not all come back at once.
  func drainRetryMilliseconds() -> Int {
    Int.random(in: retryMilliseconds / 2...max(1, retryMilliseconds * 3 / 2))
  }

  /// The sign of life on every stream: how late this instance is.
  func startHeartbeats(everySeconds seconds: Int, lag: @escaping @Sendable () -> Int64) {
    for loop in loops {
      loop.startHeartbeats(everySeconds: seconds) {
        var bytes: [UInt8] = []
        StreamFrame.append(event: "heartbeat", data: #"{"lag":\#(lag())}"#, to: &bytes)
        return bytes
      }
    }
  }
}
