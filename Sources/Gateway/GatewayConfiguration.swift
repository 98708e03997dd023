package import Projections

/// What the gateway is told when it is made.
package struct GatewayConfiguration: Sendable {
  /// The address to listen on.
  package var host = "127.0.0.1"
  /// The port to listen on; 0 takes a free one.
  package var port = 8080
  /// Event loops, a thread each.
  package var loops: Int
  /// Seconds between two heartbeats of a stream.
  package var heartbeatSeconds: Double = 15
  /// Milliseconds after which a client that lost its stream comes back, give or take a quarter.
  package var retryMilliseconds = 2000
  /// Milliseconds over which the clients of a draining gateway are spread when they come back.
  package var drainSpreadMilliseconds = 5000
  /// Seconds that open connections get to end after their streams have ended.
  package var drainSeconds: Double = 10
  /// Who may call from a browser page of another origin.
  package var cors: CrossOriginPolicy = .none
  /// Seconds after which a partition that nobody needs is let go, to be read again when somebody does; nil holds all of them always.
  package var partitionIdleSeconds: Double?
  /// Writes frames straight to the socket. False sends everything through the channel's pipeline.
  package var writesToSocket = true
  /// Pages served as they are, by path: `/` and the like.
  package var pages: [String: StaticPage] = [:]
  /// The service nodes as topology has them now; nil where nobody follows topology.
  package var directory: (@Sendable () -> Fold<Directory>)?
  /// Whether the instance decides on topology now; nil where it never does.
  package var leads: (@Sendable () -> Bool)?
  /// Why the log could not be compacted the last time; nil when it could.
  package var maintenanceFailure: (@Sendable () -> String?)?
  /// What is bounded.
  package var limits = GatewayLimits()

  /// The defaults, with this many event loops.
  package init(loops: Int) {
    precondition((1...64).contains(loops), "\(loops) event loops; 1 to 64 are possible")
    self.loops = loops
  }
}

/// A page that is served as it is.
package struct StaticPage: Sendable {
  /// Its media type.
  package var contentType: String
  /// Its bytes.
  package var bytes: [UInt8]

  /// A page of this type.
  package init(contentType: String, bytes: [UInt8]) {
    self.contentType = contentType
    self.bytes = bytes
  }
}

/// Which pages of other origins may read and publish.
package enum CrossOriginPolicy: Sendable {
  /// None: no CORS headers at all.
  case none
  /// Any, without credentials.
  case any
  /// These (`https://example.org`), with credentials.
  case origins(Set<String>)

  /// The headers of an answer to a request from this origin.
  func headers(origin: String?) -> [(name: String, value: String)] {
    switch self {
    case .none: []
    case .any: [("Access-Control-Allow-Origin", "*")]
    case .origins(let allowed):
      if let origin, allowed.contains(origin) {
        [
          ("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"),
          ("Vary", "Origin"),
        ]
      } else {
        [("Vary", "Origin")]
      }
    }
  }
}
