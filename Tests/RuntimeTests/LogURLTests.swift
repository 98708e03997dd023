import Testing

@testable import Runtime

@Suite struct LogURLTests {
  @Test func `each kind of log has its URL`() throws {
    #expect(try LogURL("file:./data") == .file(path: "./data"))
    #expect(try LogURL("memory:") == .memory)
    #expect(
      try LogURL("kafka://one:9092") == .kafka(brokers: "one:9092", prefix: "signalbox"))
    #expect(
      try LogURL("kafka://one:9092,[::1]:9093?prefix=my.log_1-a")
        == .kafka(brokers: "one:9092,[::1]:9093", prefix: "my.log_1-a"))
    #expect(try LogURL("recording:replay/january") == .recording(path: "replay/january"))
  }

  @Test(arguments: [
    "", "file:", "data", "kafka", "recording:", "kafka://", "kafka://host", "kafka://host:0",
    "kafka://host:9092/", "kafka://host:9092,", "kafka://host:9092?prefix=",
    "kafka://host:9092?prefix=a/b", "kafka://host:9092?partitions=3",
  ])
  func `anything else is refused and says what to write`(text: String) {
    #expect { try LogURL(text) } throws: { "\($0)".contains("write file:FOLDER") }
  }

  @Test(arguments: [
    "kafka://anna:s3cret@host:9092", "kafka://host:9092,anna:s3cret@other:9092?prefix=a",
    "kafka://anna:s3cret@host", "kafka://:s3cret@",
  ])
  func `a user in the URL is refused, and not said again`(text: String) {
    #expect { try LogURL(text) } throws: {
      "\($0)".contains("sasl.password") && !"\($0)".contains("s3cret")
    }
  }
}
