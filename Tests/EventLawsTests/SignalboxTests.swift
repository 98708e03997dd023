import EventLaws
import EventStorage
import Foundation
import Projections
import PropertyTesting
import Testing

/// Signalbox's own projections keep the laws.
@Suite struct SignalboxTests {
  /// As many as CI tries.
  private let options = PropertyOptions(cases: 2_000)

  @Test func `the channels keep the laws`() throws {
    var source = RecordSource.messages
    source.versions = golden(topic: "message")
    let report = try checkLaws(of: Channels.self, history: source, options)
    #expect(report.skipped.isEmpty)
    try everythingWasSeen(report)
  }

  @Test func `the directory keeps the laws`() throws {
    var source = RecordSource.topology
    source.versions += golden(topic: "node") + golden(topic: "cluster")
    let report = try checkLaws(of: Directory.self, history: source, options)
    #expect(report.skipped.isEmpty)
  }

  @Test func `the directory keeps the laws on observations`() throws {
    var source = RecordSource.observations
    source.versions += golden(topic: "load") + golden(topic: "beat")
    let report = try checkLaws(of: Directory.self, history: source, options)
    #expect(report.skipped.keys.sorted() == [.compaction, .resume])
  }

  @Test func `the requests of nodes keep the laws`() throws {
    var source = RecordSource.observations
    source.versions += golden(topic: "join") + golden(topic: "leave")
    let report = try checkLaws(of: MembershipRequests.self, history: source, options)
    #expect(report.skipped.keys.sorted() == [.compaction, .resume])
  }

  @Test func `the routing table keeps the laws`() throws {
    var source = RecordSource.topology
    source.versions += golden(topic: "slot") + golden(topic: "cluster")
    let report = try checkLaws(of: RoutingTable.self, history: source, options)
    #expect(report.skipped.isEmpty)
  }

  /// A recorded system cannot be resumed, so the laws of snapshots are not its own.
  @Test func `the fold of a whole system keeps the laws of folding`() throws {
    let laws: [ProjectionLaw] = [
      .batching, .redelivery, .compaction, .deletion, .commutativity, .poison, .forwardTolerance,
      .upcasting,
    ]
    try checkLaws(of: WholeSystem.self, history: .everything, laws: laws, options)
  }

  /// Every run of this test is another process with another hash seed.
  @Test func `law 1: the states are the same in every process`() throws {
    var options = PropertyOptions.fixed
    options.cases = 100
    func statesHash<State: Projection>(
      _ type: State.Type, _ source: RecordSource
    ) throws -> UInt64 {
      try checkLaws(of: type, history: source, laws: [.determinism], options).statesHash
    }
    let hashes = try [
      statesHash(Channels.self, .messages), statesHash(Directory.self, .topology),
      statesHash(RoutingTable.self, .topology),
    ]
    #expect(
      hashes == [656_660_739_174_251_252, 10_524_316_720_820_947_309, 16_779_694_328_922_516_277])
  }

  /// What a history never holds is not checked.
  private func everythingWasSeen(_ report: LawReport<ProjectionLaw>) throws {
    let seen: [(ProjectionLaw, String, Double)] = [
      (.compaction, "tombstone", 0.4), (.compaction, "poison", 0.2),
      (.compaction, "unknown type", 0.2), (.compaction, "written twice", 0.15),
      (.compaction, "stranger", 0.2), (.compaction, "older version", 0.2),
      (.compaction, "expires", 0.5), (.compaction, "compacted", 0.25),
      (.compaction, "tombstone dropped", 0.05), (.batching, "several batches", 0.5),
      (.redelivery, "rewind", 0.2), (.redelivery, "repetition", 0.3),
      (.atomicPosition, "crash", 0.3), (.resume, "refused", 0.1), (.resume, "resumed", 0.5),
      (.deletion, "deletes", 0.3),
    ]
    for (law, label, least) in seen {
      let share = try #require(report.reports[law]).share(of: label)
      #expect(share >= least, "\(law): \(label) in \(share) of the cases")
    }
  }

  /// Bytes of version 1 that another program made.
  private func golden(topic: String) -> [VersionedFact] {
    let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../schemas/golden/events-v1.tsv")
    let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
    let facts = text.split(separator: "\n").filter { $0.hasPrefix(topic) }.map { line in
      let columns = line.split(separator: "\t").map(String.init)
      return VersionedFact(key: bytes(columns[1]), values: [bytes(columns[2])])
    }
    #expect(!facts.isEmpty, "no golden bytes of \(topic)")
    return facts
  }

  private func bytes(_ hexadecimal: String) -> [UInt8] {
    let digits = Array(hexadecimal.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}

/// `SystemFold` as a projection that is never resumed.
private struct WholeSystem: Projection {
  static let name = "whole-system"
  static let foldVersion: UInt32 = 1
  private var system = SystemFold()

  init() {}
  init(decoding bytes: RawSpan) throws(SnapshotFailure) { throw .damaged("it has no snapshots") }
  var counts: FoldCounts { system.counts }
  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    system.apply(bytes, rows, next: next)
  }
  func encode(into bytes: inout [UInt8]) {
    for part: any Projection in [system.channels, system.directory, system.routingTable] {
      part.encode(into: &bytes)
    }
  }
}
