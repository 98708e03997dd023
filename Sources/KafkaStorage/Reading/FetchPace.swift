internal import CRdKafka
internal import EventStorage

/// Keeps a follower from asking without pause when there is nothing new.
///
/// A broker answers a fetch when there is something, or after `fetch.wait.max.ms`. Some answer at once whatever there is, and a client
/// that has nothing to read then keeps a core busy, and the broker another. After a few such answers the pace has the next fetch
/// wait a little, unless something is expected. With a broker that waits nothing ever does.
final class FetchPace: Sendable {
  /// So many answers without a record may come at once before the next fetch waits.
  static let hurriedMax = 64
  /// How long it waits: at most so much later is something read that nobody here expected.
  static let pause = Duration.milliseconds(2)
  /// An answer within so many microseconds did not wait.
  static let promptMicroseconds = Int64(FetchPace.waitMilliseconds) * 1000 / 2
  /// What followers ask brokers to wait.
  static let waitMilliseconds = 50

  private struct State {
    /// Answers that came at once since the last record, or since something was expected.
    var hurried = 0
    var answers = 0
  }

  private let state = Monitor(State())

  /// How many fetches have been answered.
  var answersCount: Int { state.withLock { $0.answers } }

  /// Something is on its way, or has come: no wait for now.
  func hurry() { state.change { $0.hurried = 0 } }

  /// Called on the thread of the client that asks.
  fileprivate func answered(after microseconds: Int64) {
    let isIdle = state.withLock { state in
      state.answers += 1
      state.hurried = microseconds < FetchPace.promptMicroseconds ? state.hurried + 1 : 0
      return state.hurried > FetchPace.hurriedMax
    }
    if isIdle { _ = state.wait(for: FetchPace.pause) { $0.hurried == 0 } }
  }

  /// Has every client made with this configuration keep the pace. The pace must live as long as the client.
  func pace(_ conf: OpaquePointer) {
    let context = unsafe Unmanaged.passUnretained(self).toOpaque()
    let code = unsafe rd_kafka_conf_interceptor_add_on_new(
      conf, "pace",
      { client, _, context, _, _ in
        unsafe rd_kafka_interceptor_add_on_response_received(
          client, "pace",
          { _, _, _, _, api, _, _, _, microseconds, _, context in
            // 1 is Fetch.
            if api == 1, let context = unsafe context {
              unsafe Unmanaged<FetchPace>.fromOpaque(context).takeUnretainedValue()
                .answered(after: microseconds)
            }
            return RD_KAFKA_RESP_ERR_NO_ERROR
          }, context)
      }, context)
    precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "no interceptor: \(code)")
  }
}
