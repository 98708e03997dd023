import Testing

@testable import Runtime

@Suite struct LogURLTests {
  @Test func `each kind of log has its URL`() throws {
    #expect(try LogURL("file:./data") == .file(path: "./data"))
    #expect(try LogURL("memory:") == .memory)
    #expect(try LogURL("recording:replay/january") == .recording(path: "replay/january"))
  }

  @Test(arguments: ["", "file:", "data", "kafka", "recording:"])
  func `anything else is refused and says what to write`(text: String) {
    #expect { try LogURL(text) } throws: { "\($0)".contains("write file:FOLDER") }
  }
}
