import EventStorage
import Foundation
import Testing

@testable import SegmentStorage

@Suite struct RecordingTests {
  let directory: TemporaryDirectory
  private let path: String

  init() throws {
    directory = try TemporaryDirectory()
    path = directory.path + "/sample.log"
  }

  private func sample(_ count: Int) -> [TimedRecord] {
    (0..<count).map {
      TimedRecord(
        record("flight \($0 % 700)", $0 % 5 == 0 ? nil : "board line \($0)"),
        timestamp: 1000 + Int64($0) * 60)
    }
  }

  @Test func `what is written is read back, batch by batch`() throws {
    let records = sample(2500)
    let manifest = try RecordingFile.write(records, to: path)
    #expect(manifest.records == 2500)
    #expect(manifest.tombstones == 500)
    #expect(manifest.firstTimeMs == 1000)
    #expect(manifest.lastTimeMs == 1000 + 2499 * 60)
    let recording = try RecordingFile(opening: path)
    #expect(recording.manifest == manifest)
    try recording.verify()
    var sink = Collector()
    var cursor = try recording.makeCursor()
    var steps = 0
    while try cursor.next(into: &sink) { steps += 1 }
    #expect(steps == 3)
    #expect(cursor.bytesRead == manifest.bytes)
    #expect(sink.records.map(\.value) == records.map(\.record.value))
    #expect(sink.records.map(\.key) == records.map(\.record.key))
    #expect(sink.records.map(\.timestamp) == records.map(\.timestamp))
    #expect(sink.next == Offset(2500))
  }

  @Test func `a recording that is cut short names the offset it is whole up to`() throws {
    let manifest = try RecordingFile.write(sample(2500), to: path)
    try Data(contentsOf: URL(filePath: path)).prefix(manifest.bytes - 10).write(
      to: URL(filePath: path))
    #expect(
      throws: RecordingError.cutShort(
        path: path, offset: 2000, bytes: manifest.bytes - 10, expected: manifest.bytes)
    ) { try RecordingFile(opening: path) }
  }

  @Test func `a damaged recording names the batch, and lends what comes before it`() throws {
    let manifest = try RecordingFile.write(sample(2500), to: path)
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[manifest.bytes / 2] ^= 4
    try bytes.write(to: URL(filePath: path))
    let recording = try RecordingFile(opening: path)
    var sink = Collector()
    #expect(
      throws: RecordingError.damaged(
        path: path, offset: 1000, detail: "the checksum of the batch does not match its bytes")
    ) { try recording.read(into: &sink) }
    #expect(sink.records.count == 1000)
    #expect(throws: RecordingError.self) { try recording.verify() }
  }

  @Test func `a missing recording, a missing and a damaged manifest are said`() throws {
    #expect(throws: RecordingError.self) { try RecordingFile(opening: directory.path + "/no.log") }
    _ = try RecordingFile.write(sample(1), to: path)
    let manifest = URL(filePath: directory.path + "/sample.json")
    try Data("{".utf8).write(to: manifest)
    #expect(
      throws: RecordingError.cannotOpen(
        path: path, reason: "its manifest \(directory.path)/sample.json is damaged")
    ) { try RecordingFile(opening: path) }
    try FileManager.default.removeItem(at: manifest)
    #expect(throws: RecordingError.self) { try RecordingFile(opening: path) }
    #expect(throws: RecordingError.self) {
      try RecordingFile.write(sample(1), to: directory.path + "/none/sample.log")
    }
  }

  @Test func `a file longer than its manifest says is damaged`() throws {
    let manifest = try RecordingFile.write(sample(10), to: path)
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes.append(0)
    try bytes.write(to: URL(filePath: path))
    #expect(
      throws: RecordingError.damaged(
        path: path, offset: 10,
        detail: "it has \(manifest.bytes + 1) bytes, and its manifest says \(manifest.bytes)")
    ) { try RecordingFile(opening: path) }
  }

  @Test func `the recorded January, made by other software, is whole`() throws {
    let january = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "replay/nyc-departures/january.log")
    let recording = try RecordingFile(opening: january.path)
    try recording.verify()
    var counter = Counter()
    try recording.read(into: &counter)
    #expect(counter.records == recording.manifest.records)
    #expect(counter.tombstones == recording.manifest.tombstones)
    #expect(counter.first == recording.manifest.firstTimeMs)
    #expect(counter.last == recording.manifest.lastTimeMs)
  }

  @Test func `the hash is the published one`() {
    for (text, expected) in [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ] {
      var hash = RecordingHash()
      hash.add(Array(text.utf8).span.bytes)
      #expect(hash.finish() == expected)
    }
  }
}

private struct Counter: RecordSink {
  var records = 0
  var tombstones = 0
  var first: Int64?
  var last: Int64 = 0

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in 0..<rows.count {
      records += 1
      if rows[index].isTombstone { tombstones += 1 }
      first = first ?? rows[index].timestamp
      last = rows[index].timestamp
    }
  }
}
