import Testing

@testable import Gateway

@Suite struct EventStreamParserTests {
  let stream = """
    : a comment
    retry: 250
    event: snapshot
    data: {"reason":"new"}

    id: a1
    data: one
    data: two

    id: a2

    data:bare
    nonsense: x

    event: delete
    id: a3
    data: key


    """

  var expected: [EventStreamParser.Event] {
    [
      .init(name: "snapshot", id: nil, data: #"{"reason":"new"}"#),
      .init(name: "message", id: "a1", data: "one\ntwo"),
      .init(name: "message", id: "a2", data: "bare"),
      .init(name: "delete", id: "a3", data: "key"),
    ]
  }

  @Test(arguments: ["\n", "\r", "\r\n"])
  func `every chunking of every line ending gives the same events`(ending: String) {
    let bytes = Array(
      stream.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: ending).utf8
    )
    for size in 1...bytes.count {
      var parser = EventStreamParser()
      var events: [EventStreamParser.Event] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        events += parser.feed(bytes[start..<min(start + size, bytes.count)])
      }
      #expect(events == expected, "chunks of \(size)")
      #expect(parser.lastEventID == "a3")
      #expect(parser.retry == .milliseconds(250))
    }
  }

  @Test func `an event that is not ended is not given`() {
    var parser = EventStreamParser()
    #expect(parser.feed(Array("data: cut".utf8)).isEmpty)
    #expect(parser.lastEventID == nil)
  }
}
