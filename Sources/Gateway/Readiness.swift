import EventStorage
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Whether this instance should get traffic: its folds have caught up once, its followers run, its log takes appends.
struct Readiness: Sendable {
  /// An instance is ready when its folds are no further behind than this many offsets.
  static let lagMax: Int64 = 100_000

  let log: any EventLog
  let partitions: [LivePartition]
  let followers: [Follower]

  /// Offsets between the end of the log and the folds, of the partition that is furthest behind.
  var lag: Int64 {
    partitions.map { live in
      guard let end = try? log.bounds(of: live.partition).end else { return Int64.max }
      return max(0, end.rawValue - live.position.rawValue)
    }.max() ?? 0
  }

  var response: Response {
    var reasons: [String] = []
    var states: [String] = []
    for (live, follower) in zip(partitions, followers) {
      if let failure = follower.failure { reasons.append("\(failure)") }
      do throws(LogError) {
        let end = try log.bounds(of: live.partition).end
        let position = live.position
        states.append(#""\#(live.partition)":{"position":\#(position),"end":\#(end)}"#)
        if end.rawValue - position.rawValue > Readiness.lagMax {
          reasons.append("\(live.partition) is at \(position) of \(end)")
        }
      } catch {
        reasons.append("\(error)")
      }
    }
    var text: [UInt8] = []
    text +=
      #"{"ready":\#(reasons.isEmpty),"partitions":{\#(states.joined(separator: ","))},"reasons":["#
      .utf8
    for (index, reason) in reasons.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      JSONText.append(string: reason.utf8, to: &text)
    }
    text += "]}".utf8
    return Response(
      status: reasons.isEmpty ? .ok : .serviceUnavailable,
      headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(bytes: text)))
  }
}
