import Foundation
import Testing

@Suite struct SimulateTests {
  @Test func `two processes see the same trace, and a summary says what was done (law 32)`() throws
  {
    let first = try Program("simulate", "--seed", "5", "--steps", "500", "--json")
    let second = try Program("simulate", "--seed", "5", "--steps", "500", "--json")
    #expect(first.status == 0)
    let found = try [first, second].map { program in
      try #require(
        try JSONSerialization.jsonObject(with: Data(program.output.utf8)) as? [String: Any])
    }
    #expect(found[0]["traceHash"] as? String == found[1]["traceHash"] as? String)
    #expect((found[0]["faults"] as? [String: Int])?.isEmpty == false)
    #expect((found[0]["checked"] as? [String: Int])?["records"] ?? 0 > 0)
  }

  @Test func `a planted bug ends with exit 1, the command that repeats it and its tape`() throws {
    let folder = try Folder()
    let tape = folder.path + "/tape"
    let program = try Program(
      "simulate", "--runs", "20", "--steps", "600", "--canary", "accept-stale-writer",
      "--shrinks", "50", "--save", tape)
    #expect(program.status == 1)
    #expect(program.error.hasPrefix("signalbox: law 16 does not hold"))
    #expect(program.output.contains("signalbox simulate --seed "))
    let again = try Program(
      "simulate", "--tape", tape, "--steps", "600", "--canary", "accept-stale-writer",
      "--shrinks", "0")
    #expect(again.error.hasPrefix("signalbox: law 16 does not hold"))
  }

  @Test func `a failure as JSON has what was done before, and its tape is saved, too`() throws {
    let folder = try Folder()
    let tape = folder.path + "/tape"
    let program = try Program(
      "simulate", "--runs", "20", "--steps", "600", "--canary", "accept-stale-writer",
      "--shrinks", "5", "--json", "--save", tape)
    #expect(program.status == 1)
    let found = try #require(
      try JSONSerialization.jsonObject(with: Data(program.output.utf8)) as? [String: Any])
    #expect(found["law"] as? Int == 16)
    let summary = try #require(found["summary"] as? [String: Any])
    #expect((summary["traceHash"] as? String)?.count == 16)
    #expect(summary["worlds"] as? Int ?? 0 > 0)
    let saved = try String(contentsOfFile: tape, encoding: .utf8)
    #expect(saved == "\(found["tape"] as? String ?? "")\n")
  }

  @Test(
    arguments: [
      (["--fault", "nonsense=3"], "nonsense"), (["--fault", "loss=200"], "loss=200"),
      (["--steps", "0"], "--steps 0"), (["--runs", "0"], "--runs 0"),
      (["--tape", "x"], "--tape"), (["--canary", "x"], "x"),
    ])
  func `what cannot be is said`(_ arguments: [String], _ expected: String) throws {
    let program = try Program(arguments: ["simulate"] + arguments)
    #expect(program.status == 1)
    #expect(program.error.hasPrefix("signalbox: "))
    #expect(program.error.contains(expected), "\(program.error)")
  }
}
