import Foundation
import Testing

/// Whatever is wrong is said in one line on standard error, and the exit code is 1.
@Suite struct BadInputTests {
  func expectFailure(_ program: Program, _ expected: String...) {
    #expect(program.status == 1)
    #expect(program.error.hasPrefix("signalbox: "))
    for text in expected { #expect(program.error.contains(text), "\(program.error)") }
  }

  @Test func `an unknown option`() throws {
    expectFailure(try Program("serve", "--nonsense"), "nonsense")
  }

  @Test func `a log that names nothing`() throws {
    expectFailure(try Program("serve", "--log", "ftp://x"), "ftp://x", "write file:FOLDER")
  }

  @Test func `a setting in the environment that cannot be`() throws {
    expectFailure(
      try Program("serve", "--log", "memory:", environment: ["SIGNALBOX_PORT": "99999"]), "port")
  }

  @Test func `a log folder that is a file`() throws {
    let folder = try Folder()
    try "x".write(toFile: folder.path + "/file", atomically: true, encoding: .utf8)
    expectFailure(
      try Program("serve", "--port", "0", "--log", "file:\(folder.path)/file"),
      "\(folder.path)/file")
  }

  @Test func `a log folder of another version`() throws {
    let folder = try Folder()
    try #"{"format":99}"#.write(
      toFile: folder.path + "/log.json", atomically: true, encoding: .utf8)
    expectFailure(try Program("serve", "--port", "0", "--log", "file:\(folder.path)"), folder.path)
  }

  @Test func `an address that is taken`() throws {
    expectFailure(
      try Program(
        "serve", "--log", "memory:", "--host", "192.0.2.1", "--port", "1", "--connections-max", "9"),
      "192.0.2.1")
  }

  /// Commands of the log, but `migrate`, which looks at the embedded one first.
  @Test(arguments: ["serve", "replay", "doctor"])
  func `a broker that cannot be reached`(_ command: String) throws {
    expectFailure(
      try Program(
        command, "--log", "kafka://127.0.0.1:1",
        environment: ["SIGNALBOX_APPEND_TIMEOUT_SECONDS": "1"]), "kafka://127.0.0.1:1",
      "check that the broker runs")
  }

  @Test(arguments: ["serve", "replay", "doctor"])
  func `a property that librdkafka does not know, from a flag or the environment`(
    _ command: String
  ) throws {
    expectFailure(
      try Program(
        command, "--log", "kafka://127.0.0.1:1", "--kafka-property", "no.such.property=s3cret"),
      "no.such.property")
    let program = try Program(
      command, "--log", "kafka://127.0.0.1:1",
      environment: ["SIGNALBOX_KAFKA_PROPERTIES": "acks=s3cret"])
    expectFailure(program, "acks", "may not be set")
    #expect(!program.error.contains("s3cret"))
  }

  @Test func `a user in the URL of a broker`() throws {
    let program = try Program("serve", "--log", "kafka://anna:s3cret@127.0.0.1:1")
    expectFailure(program, "sasl.password")
    #expect(!program.error.contains("s3cret"))
  }

  @Test func `nobody answers`() throws {
    expectFailure(
      try Program("publish", "orders", "x", "--url", "http://127.0.0.1:1"), "127.0.0.1:1",
      "signalbox serve")
  }

  @Test func `a server address that is none`() throws {
    expectFailure(try Program("publish", "orders", "x", "--url", "orders"), "write --url http")
  }

  @Test func `a recording that is not there`() throws {
    expectFailure(try Program("replay", "--log", "recording:/nowhere/x"), "/nowhere/x")
  }

  @Test func `a recording that is cut short`() throws {
    let folder = try Folder()
    let january = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../replay/nyc-departures/january")
    let log = try Data(contentsOf: january.appendingPathExtension("log"))
    try log.prefix(100_000).write(to: URL(fileURLWithPath: folder.path + "/january.log"))
    try Data(contentsOf: january.appendingPathExtension("json"))
      .write(to: URL(fileURLWithPath: folder.path + "/january.json"))
    expectFailure(
      try Program("replay", "--log", "recording:\(folder.path)/january"), "january.log", "100000")
  }
}
