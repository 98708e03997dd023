/// The search for a case in which a property fails, and then for the simplest such case, one case at a time.
///
/// `forAll` drives it; what runs cases in its own way can drive it by hand:
///
/// ```swift
/// var search = Search("name")
/// while var choices = search.next() {
///   // run the case
///   search.observe(choices, error: error)
/// }
/// let report = try search.result()
/// ```
public struct Search: Sendable {
  private enum Phase: Sendable {
    case trying
    case shrinking(Counterexample)
    case failed(PropertyFailure.Reason)
    case held
  }

  private let name: String
  private let options: PropertyOptions
  private let fileID: String
  private let function: String
  private let onlyTape: Tape?
  private var odometer: Odometer?
  private var phase = Phase.trying
  /// Beside the phase, so that it changes in place.
  private var shrinker: Shrinker?
  private var report: PropertyReport

  /// A search among cases at random.
  public init(
    _ name: String, _ options: PropertyOptions = .standard,
    fileID: String = #fileID, function: String = #function
  ) {
    self.name = name
    self.options = options
    self.fileID = fileID
    self.function = function
    onlyTape = options.tape(for: name)
    report = PropertyReport(name: name)
    let problems = options.allProblems
    if !problems.isEmpty { phase = .failed(.unusable(problems)) }
  }

  /// A search among every case there is, at most so many.
  public init(
    every limit: Int, _ name: String, _ options: PropertyOptions = .standard,
    fileID: String = #fileID, function: String = #function
  ) {
    self.init(name, options, fileID: fileID, function: function)
    odometer = Odometer(limit: limit)
    if limit < 1 {
      phase = .failed(.unusable(options.allProblems + ["at most \(limit) cases: use 1 or more"]))
    }
  }

  /// The next case to run; nil when the search has ended.
  public mutating func next() -> Choices? {
    switch phase {
    case .trying:
      if let onlyTape { return Choices(tape: onlyTape) }
      var choices = fresh
      choices.isNoting = false
      return choices
    case .shrinking: return shrinker?.candidate
    case .failed, .held: return nil
    }
  }

  /// Takes in how the case that `next()` gave went.
  ///
  /// - Parameters:
  ///   - choices: The case, after it ran.
  ///   - error: What it threw.
  public mutating func observe(_ choices: Choices, error: (any Error)?) {
    switch phase {
    case .trying: observeTry(choices, error)
    case .shrinking(let found): observeReplay(choices, error, found)
    case .failed, .held: fatalError("the search for '\(name)' has ended")
    }
  }

  /// Ends the search. A failing case that was found stays as it is.
  public mutating func cancel() {
    switch phase {
    case .trying: phase = .failed(.cancelled(cases: report.cases))
    case .shrinking(let found) where found.error is CancellationError:
      phase = .failed(.cancelled(cases: report.cases))
    case .shrinking(var found):
      found.isCutShort = true
      phase = .failed(.broken(found))
    case .failed, .held: break
    }
  }

  /// What was tried, once `next()` has said nil.
  ///
  /// - Throws: What was found.
  public func result() throws(PropertyFailure) -> PropertyReport {
    switch phase {
    case .held: return report
    case .failed(let reason):
      throw PropertyFailure(
        name: name, reason: reason, seed: options.seed, fileID: fileID, function: function)
    case .trying, .shrinking: fatalError("the search for '\(name)' has not ended")
    }
  }

  private var discardsMax: Int {
    let (product, isTooLarge) =
      options.cases.multipliedReportingOverflow(by: options.discardsPerCaseMax)
    return isTooLarge ? .max : product
  }

  private var fresh: Choices {
    if let odometer { return Choices(tape: odometer.tape) }
    let tried = report.cases + report.discards
    // The simplest case of all is always worth a try.
    if tried == 0 { return Choices(tape: Tape([])) }
    return Choices(seed: SplitMix64.seed(ofCase: tried, in: options.seed))
  }

  private mutating func observeTry(_ choices: Choices, _ error: (any Error)?) {
    switch error {
    case nil: report.count(choices)
    case is Discarded: report.discards += 1
    case let error?:
      let found = Counterexample(
        tape: choices.tape, notes: choices.notes, error: error, firstError: error,
        number: report.cases + report.discards + 1, shrinks: 0, replays: 0, isCutShort: false,
        isRepeatable: true)
      phase = onlyTape != nil ? .failed(.broken(found)) : .shrinking(found)
      shrinker = Shrinker(choices)
      return
    }
    if onlyTape != nil {
      phase =
        report.cases == 1
        ? .held : .failed(.discarded(cases: report.cases, discards: report.discards))
    } else if odometer != nil {
      if odometer?.advance(past: choices) == false { endTrying() }
    } else if report.discards > discardsMax {
      phase = .failed(.discarded(cases: report.cases, discards: report.discards))
    } else if report.cases == options.cases {
      endTrying()
    }
  }

  private mutating func endTrying() {
    report.isComplete = odometer?.isComplete ?? false
    for (label, required) in options.mustSee.sorted(by: { $0.key < $1.key }) {
      let share = report.share(of: label)
      if share < required {
        phase = .failed(.unseen(label: label, share: share, required: required))
        return
      }
    }
    phase = .held
  }

  private mutating func observeReplay(
    _ choices: Choices, _ error: (any Error)?, _ found: Counterexample
  ) {
    var found = found
    let failing = error.flatMap { $0 is Discarded ? nil : $0 }
    let isRepeat = found.replays == 0
    found.replays += 1
    if isRepeat {
      found.isRepeatable = failing != nil
      found.notes = choices.notes
    }
    if shrinker?.observe(choices, fails: failing != nil) == true, let failing {
      found.shrinks += 1
      found.tape = choices.tape
      found.notes = choices.notes
      found.error = failing
    }
    let isOver = shrinker?.candidate == nil
    found.isCutShort = !isOver && found.replays > options.shrinksMax
    phase =
      isOver || found.isCutShort || !found.isRepeatable
      ? .failed(.broken(found)) : .shrinking(found)
  }
}
