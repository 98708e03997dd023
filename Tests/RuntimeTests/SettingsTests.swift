import Foundation
import Testing

@testable import Runtime

@Suite struct SettingsTests {
  @Test func `without anything said the defaults hold`() async throws {
    let settings = try await Settings(flags: [:], file: nil)
    #expect(settings.log == .file(path: "./data"))
    #expect(settings.host == "127.0.0.1")
    #expect(settings.port == 8080)
    #expect(settings.partitions == nil)
    #expect(settings.allowedOrigins.isEmpty)
  }

  @Test func `a flag wins over the file and the file over the default`() async throws {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString).yaml")
    try "port: 9000\nheartbeat-seconds: 3\nlog: \"memory:\"\n"
      .write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    let settings = try await Settings(flags: ["port": "9001"], file: file.path)
    #expect(settings.port == 9001)
    #expect(settings.heartbeatSeconds == 3)
    #expect(settings.log == .memory)
  }

  @Test func `properties of librdkafka are read without the blanks around their equals signs`()
    throws
  {
    #expect(
      try Settings.properties("sasl.username = anna\nsasl.password=a = b \n")
        == ["sasl.username": "anna", "sasl.password": "a = b "])
    #expect { try Settings.properties("s3cret") } throws: { !"\($0)".contains("s3cret") }
  }

  @Test(arguments: [
    ("port", "70000", "port is 70000"), ("port", "abc", "port"),
    ("partitions", "300", "partitions is 300"), ("compression", "zip", "lz4 or none"),
    ("log", "ftp://x", "names no log"), ("heartbeat-seconds", "0", "heartbeat-seconds is 0"),
    ("log-level", "verbose", "log-level is “verbose”; it must be one of trace, debug, info"),
    ("allowed-origins", "https://x.example/", "allowed-origins has “https://x.example/”"),
    ("allowed-origins", "https://X.example", "allowed-origins has “https://X.example”"),
    ("allowed-origins", "x.example", "allowed-origins has “x.example”"),
    ("allowed-origins", "*,https://x.example", "write * alone"),
  ])
  func `a setting that cannot be is named`(
    name: String, value: String, expected: String
  ) async throws {
    await #expect {
      try await Settings(flags: [name: value], file: nil)
    } throws: { "\($0)".contains(expected) }
  }

  private func settings(yaml: String) async throws -> Settings {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString).yaml")
    try yaml.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await Settings(flags: [:], file: file.path)
  }

  @Test(arguments: [
    "prot: 9000", "port: 9000\nlogs: x", "log:\n  level: info", "log-levels: [a, b]",
  ])
  func `a name in a file that is no setting is an error`(yaml: String) async throws {
    await #expect {
      try await settings(yaml: yaml)
    } throws: {
      "\($0)".contains("is no setting; there are allowed-origins, append-timeout-seconds")
    }
  }

  @Test func `every setting may stand in a file, and who chose the log is known`() async throws {
    let all = try await settings(
      yaml: "log-level: info\nlog: \"memory:\"\nallowed-origins: \"*\"\nkafka-properties: \"a=b\"")
    #expect(all.logLevel == "info")
    #expect(all.allowedOrigins == ["*"])
    #expect(all.isLogChosen)
    #expect(try await !settings(yaml: "port: 9000").isLogChosen)
  }

  @Test func `a file that is not there is named`() async throws {
    await #expect {
      try await Settings(flags: [:], file: "/nowhere/signalbox.yaml")
    } throws: { "\($0)".contains("/nowhere/signalbox.yaml") }
  }

  @Test func `origins come as a list`() async throws {
    let settings = try await Settings(
      flags: ["allowed-origins": "https://a.example, https://b.example"], file: nil)
    #expect(settings.allowedOrigins == ["https://a.example", "https://b.example"])
  }
}
