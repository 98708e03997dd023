import ArgumentParser
import Foundation
import PropertyTesting
import Simulation

struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the real log, folds and streams in a hostile world, in virtual time.",
    discussion: """
      First faults are on, and no law may be broken; then they are off, and everything pending must resolve. \
      The same seed gives the same trace. Each world suffers from some faults and is spared others; --fault sets \
      how often one strikes, in hundredths of its opportunities. Faults:

        \(Fault.allCases.map(\.rawValue).joined(separator: ", "))

      A canary is a bug that is planted on purpose, to see that it is found:

        \(Canary.allCases.map(\.rawValue).joined(separator: ", "))

      Exit codes: 0 every law holds, 1 one does not. A failure prints the command that repeats it and the \
      simplest world that breaks the same law.
      """)

  @Option(help: "The world; with --runs, the first of them.")
  var seed: UInt64 = 0
  @Option(help: "Steps with faults, for each world (at most \(WorldOptions.stepsLimit)).")
  var steps = 2000
  @Option(help: "How many worlds, each with the seed after the last one's.")
  var runs = 1
  @Option(help: "Where the log is: embedded, or on a simulated cluster of Kafka's brokers.")
  var log: LogKind = .embedded
  @Flag(help: "Five instances, fifty nodes and two hundred clients instead of a small world.")
  var large = false
  @Option(help: "How often a fault strikes, in hundredths (may be given several times).")
  var fault: [FaultRate] = []
  @Option(help: "Plant this bug.")
  var canary: Canary?
  @Option(
    help:
      "The choices of a world instead of a seed, as a failure printed them, or a file with them.")
  var tape: String?
  @Option(help: "Attempts to make a failing world simpler.")
  var shrinks = 500
  @Option(help: "A file for the choices of the simplest failing world.")
  var save: String?
  @Flag(help: "Print the summary as a JSON object.")
  var json = false

  func validate() throws {
    guard 1...WorldOptions.stepsLimit ~= steps else {
      throw ValidationError("--steps \(steps): use 1 to \(WorldOptions.stepsLimit)")
    }
    guard runs >= 1 else { throw ValidationError("--runs \(runs): use 1 or more") }
    guard shrinks >= 0 else { throw ValidationError("--shrinks \(shrinks): use 0 or more") }
    guard tape == nil || runs == 1 else {
      throw ValidationError("--tape is one world: leave --runs out")
    }
  }

  func run() throws {
    let simulator = Simulator(options)
    var summary = SimulationSummary()
    let clock = ContinuousClock()
    let began = clock.now
    var lastShown = began
    for number in 0..<runs {
      do {
        summary.add(try simulator.run(try source(number)))
      } catch let failure as Simulator.Failure {
        clearProgress()
        summary.add(failure.report)
        summary.realMicroseconds = microseconds(clock.now - began)
        try report(simulator, failure, summary)
        throw Failure("\(failure.violation)")
      }
      if clock.now - lastShown > .milliseconds(200) {
        lastShown = clock.now
        showProgress(number + 1, clock.now - began)
      }
    }
    clearProgress()
    summary.realMicroseconds = microseconds(clock.now - began)
    printLine(json ? summary.json : summary.text)
  }

  private var options: WorldOptions {
    var options = large ? WorldOptions.large : WorldOptions()
    options.steps = steps
    options.canary = canary
    options.log = log
    for rate in fault { options.fixedRates[rate.fault] = rate.millionths }
    return options
  }

  private func source(_ number: Int) throws -> Simulator.Source {
    guard let tape else { return .seed(seed &+ UInt64(number)) }
    let text = (try? String(contentsOfFile: tape, encoding: .utf8)) ?? tape
    guard let read = Tape(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw Failure(
        "--tape: neither numbers parted by points nor a file of them; copy it whole")
    }
    return .tape(read)
  }

  // MARK: Failures

  private func report(
    _ simulator: Simulator, _ failure: Simulator.Failure, _ summary: SimulationSummary
  ) throws {
    let shrunk = simulator.shrink(failure, attempts: shrinks) { done in
      if done % 20 == 0 { show("making it simpler: \(done) of \(shrinks)") }
    }
    clearProgress()
    let tape = shrunk.choices.tape.withoutLastZeros
    if let save {
      do {
        try "\(tape)\n".write(toFile: save, atomically: true, encoding: .utf8)
      } catch {
        throw Failure("cannot write \(save): \(error.localizedDescription)")
      }
    }
    if json {
      printLine(
        """
        {"law":\(failure.violation.law),"violation":\(try quoted("\(failure.violation)")),\
        "again":\(try quoted(again(failure.source))),"tape":"\(tape)",\
        "summary":\(summary.json)}
        """)
      return
    }
    printLine(summary.text)
    printLine("law \(failure.violation.law) does not hold: \(again(failure.source))")
    let numbers = "\(tape.numbers.count) of \(failure.choices.tape.numbers.count) choices"
    printLine("simplest world found (\(numbers)): \(shrunk.violation)")
    for line in shrunk.story.suffix(20) { printLine("  \(line)") }
    if let save {
      printLine("  again: \(again(nil)) --tape \(save)")
    } else if "\(tape)".utf8.count <= 4000 {
      printLine("  again: \(again(.tape(tape)))")
    } else {
      printLine("  its choices are long: give --save FILE to have them")
    }
  }

  /// A JSON string.
  private func quoted(_ text: String) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    return String(decoding: try encoder.encode(text), as: UTF8.self)
  }

  /// The command that repeats a world.
  private func again(_ source: Simulator.Source?) -> String {
    var words = ["signalbox", "simulate"]
    switch source {
    case .seed(let seed): words += ["--seed", "\(seed)"]
    case .tape(let tape): words += ["--tape", "\(tape)"]
    case nil: break
    }
    words += ["--steps", "\(steps)"]
    if log != .embedded { words += ["--log", log.rawValue] }
    if large { words.append("--large") }
    for rate in fault { words += ["--fault", rate.text] }
    if let canary { words += ["--canary", canary.rawValue] }
    return words.joined(separator: " ")
  }

  // MARK: Progress

  private func showProgress(_ done: Int, _ spent: Duration) {
    let seconds = max(0.001, Double(microseconds(spent)) / 1e6)
    let rate = Double(done) / seconds
    let left = Int(Double(runs - done) / rate)
    show("\(done) of \(runs) worlds, \(Int(rate)) a second, \(left) s left")
  }

  private func show(_ text: String) {
    guard isatty(2) == 1 else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
  }

  private func clearProgress() {
    guard isatty(2) == 1 else { return }
    FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
  }

  private func microseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
  }
}

/// `loss=12.5`: a fault, and how often it strikes in a hundred opportunities.
struct FaultRate: ExpressibleByArgument {
  let fault: Fault
  let millionths: Int
  let text: String

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, let fault = Fault(rawValue: String(parts[0])),
      let hundredths = Double(parts[1]), 0...100 ~= hundredths
    else { return nil }
    self.fault = fault
    millionths = Int((hundredths * 10_000).rounded())
    text = argument
  }
}

extension Canary: ExpressibleByArgument {}
extension LogKind: ExpressibleByArgument {}
