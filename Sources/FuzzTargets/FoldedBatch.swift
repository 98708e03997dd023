import EventStorage
import Projections
import PropertyTesting
import SegmentStorage

/// Any records, folded: no record stops a fold (laws 10 and 11), and what it comes to survives a snapshot (law 3).
enum FoldedBatch {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    let bytes = RepairedBatches.of(bytes)
    try checkSnapshot(try read(bytes, into: Channels()))
    try checkSnapshot(try read(bytes, into: Directory()))
    try checkSnapshot(try read(bytes, into: RoutingTable()))
    let system = try read(bytes, into: SystemFold())
    try hold(
      system.poisoned.count <= RecentPoison.recordsMax, "\(system.poisoned.count) are kept")
    try checkSnapshot(system.channels)
    try checkSnapshot(system.directory)
    try checkSnapshot(system.routingTable)
  }

  private static func read<Sink: RecordSink>(_ bytes: [UInt8], into sink: Sink) throws -> Sink {
    var sink = sink
    var reader = try BatchReader()
    var rest = bytes.span.bytes
    while let header = try? BatchHeader(rest, check: .none), header.totalBytes <= rest.byteCount {
      let batch = rest.extracting(first: header.totalBytes)
      do throws(BatchDamage) {
        try reader.lend(batch, header, from: .zero, into: &sink)
      } catch {
        break
      }
      rest = rest.extracting(droppingFirst: header.totalBytes)
    }
    return sink
  }

  private static func checkSnapshot(_ state: some Projection) throws {
    var bytes: [UInt8] = []
    state.encode(into: &bytes)
    var again: [UInt8] = []
    try type(of: state).init(decoding: bytes.span.bytes).encode(into: &again)
    try hold(again, equals: bytes, type(of: state).name)
  }
}
