/// A command that is run on a system and on a model of it, usually an enum: the model says what the system ought to do.
///
/// ```swift
/// enum StackCommand: ModelCommand {
///   case push(Int), pop
///
///   static func draw(from choices: inout Choices, for model: [Int]) -> StackCommand {
///     choices.bool() ? .pop : .push(choices.int(in: 0...9))
///   }
///   func isAllowed(in model: [Int]) -> Bool {
///     if case .pop = self { !model.isEmpty } else { true }
///   }
///   func run(on system: inout Stack, against model: inout [Int]) throws {
///     switch self {
///     case .push(let number):
///       system.push(number)
///       model.append(number)
///     case .pop: try hold(system.pop(), equals: model.removeLast())
///     }
///   }
/// }
/// ```
///
/// `Choices.run(_:atMost:mean:on:against:)` draws and runs a sequence of them.
public protocol ModelCommand {
  /// What is tested.
  associatedtype System
  /// The simplest thing that does the same.
  associatedtype Model

  /// Some command. It may look at the model, to name what is there.
  static func draw(from choices: inout Choices, for model: Model) -> Self
  /// The precondition: whether the command makes sense now. One that does not is passed over, so that a sequence stays legal when
  /// others are taken out of it.
  func isAllowed(in model: Model) -> Bool
  /// Runs the command on both, and throws when the system does other than the model: the postcondition.
  func run(on system: inout System, against model: inout Model) throws
}

extension ModelCommand {
  /// Every command makes sense at any time.
  public func isAllowed(in model: Model) -> Bool { true }
}

/// A command whose system waits. See `ModelCommand`.
public protocol AsyncModelCommand {
  /// What is tested.
  associatedtype System
  /// The simplest thing that does the same.
  associatedtype Model

  /// Some command. It may look at the model, to name what is there.
  static func draw(from choices: inout Choices, for model: Model) -> Self
  /// The precondition: whether the command makes sense now.
  func isAllowed(in model: Model) -> Bool
  /// Runs the command on both, and throws when the system does other than the model: the postcondition.
  func run(on system: inout System, against model: inout Model) async throws
}

extension AsyncModelCommand {
  /// Every command makes sense at any time.
  public func isAllowed(in model: Model) -> Bool { true }
}

extension Choices {
  /// Draws commands, at most so many and about `mean`, and runs them on the system and its model. Each is noted before it runs, so a
  /// failure tells the whole sequence, and the last one is where it failed.
  ///
  /// - Returns: How many commands ran; those that were not allowed did not.
  /// - Precondition: `limit` and `mean` are 0 or more.
  @discardableResult
  public mutating func run<Command: ModelCommand>(
    _ commands: Command.Type = Command.self, atMost limit: Int, mean: Int = 20,
    on system: inout Command.System, against model: inout Command.Model
  ) throws -> Int {
    demand(limit >= 0 && mean >= 0, "at most \(limit) commands, \(mean) on average")
    var (drawn, ran) = (0, 0)
    while drawn < limit, next(below: UInt64(mean) + 1) != 0 {
      drawn += 1
      let command = Command.draw(from: &self, for: model)
      guard command.isAllowed(in: model) else { continue }
      ran += 1
      note("\(ran). \(command)")
      try command.run(on: &system, against: &model)
    }
    return ran
  }

  /// Draws commands and runs them on a system that waits. See the `run` that does not.
  @discardableResult
  public mutating func run<Command: AsyncModelCommand>(
    _ commands: Command.Type = Command.self, atMost limit: Int, mean: Int = 20,
    on system: inout Command.System, against model: inout Command.Model
  ) async throws -> Int {
    demand(limit >= 0 && mean >= 0, "at most \(limit) commands, \(mean) on average")
    var (drawn, ran) = (0, 0)
    while drawn < limit, next(below: UInt64(mean) + 1) != 0 {
      drawn += 1
      let command = Command.draw(from: &self, for: model)
      guard command.isAllowed(in: model) else { continue }
      ran += 1
      note("\(ran). \(command)")
      try await command.run(on: &system, against: &model)
    }
    return ran
  }
}
