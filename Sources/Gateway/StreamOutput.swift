import NIOCore

/// Where the bytes of one stream go. Used on the event loop of its connection alone.
protocol StreamOutput: AnyObject {
  /// Bytes that were given and have not left yet, and what they keep in memory besides.
  var pendingBytes: Int { get }
  /// False once the connection is gone or the stream has ended.
  var isOpen: Bool { get }
  /// The head of the response, in bytes, and the first frames.
  func begin(_ request: StreamRequest, with frames: SharedFrames)
  /// Frames, after those given before.
  func write(_ frames: SharedFrames)
  /// The last frames, and the end of the body.
  func end(with frames: SharedFrames)
}
