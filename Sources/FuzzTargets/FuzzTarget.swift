import FoundationEssentials

/// Something that is said about any bytes: a part that reads bytes from outside, and what it must do with them.
package struct FuzzTarget: Sendable {
  /// Its name on the command line, and of its folder of the corpus.
  package let name: String
  /// Inputs are no longer than this. Enough for every case, and no more: time goes into many inputs.
  package let bytesMax: Int
  /// Throws when what is said does not hold. A refusal of the bytes is no failure.
  package let test: @Sendable ([UInt8]) throws -> Void

  init(_ name: String, bytesMax: Int, _ test: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.name = name
    self.bytesMax = bytesMax
    self.test = test
  }

  /// Every target there is.
  package static let all = [
    FuzzTarget("connection", bytesMax: 2048, Connection.test),
    FuzzTarget("event-stream", bytesMax: 512, EventStreamText.test),
    FuzzTarget("folded-batch", bytesMax: 4096, FoldedBatch.test),
    FuzzTarget("json", bytesMax: 512, JSONText.test),
    FuzzTarget("log-file", bytesMax: 2048, LogFile.test),
    FuzzTarget("protobuf-event", bytesMax: 512, ProtobufEvent.test),
    FuzzTarget("record-batch", bytesMax: 4096, RecordBatch.test),
    FuzzTarget("record-key", bytesMax: 1024, RecordKey.test),
    FuzzTarget("recording", bytesMax: 4096, Recording.test),
    FuzzTarget("request", bytesMax: 1024, RequestText.test),
    FuzzTarget("resume-token", bytesMax: 512, ResumeToken.test),
    FuzzTarget("stored-state", bytesMax: 2048, StoredState.test),
  ]

  /// The target of this name.
  package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }

  /// The content of a file.
  package static func input(_ path: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(filePath: path)))
  }
}
