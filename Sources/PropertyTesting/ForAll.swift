/// Checks that a property holds: that it throws for none of many cases.
///
/// ```swift
/// @Test func `reversing twice changes nothing`() throws {
///   try forAll("reversing twice changes nothing") { choices in
///     let list = choices.array(atMost: 20) { $0.int(in: 0...9) }
///     choices.note("list: \(list)")
///     try hold(Array(list.reversed().reversed()), equals: list)
///   }
/// }
/// ```
///
/// A property throws when it does not hold, by `hold` or any other error. `#expect` has no place in it: it would record an issue
/// for each of the hundreds of cases that are tried while a failing one is made simpler.
///
/// - Parameters:
///   - name: Says the property. It is what a tape in the environment names.
///   - options: How many cases, and which.
///   - property: Takes all that is not fixed from the choices.
/// - Throws: The simplest failing case that was found.
/// - Returns: What was tried.
@discardableResult
public func forAll(
  _ name: String, _ options: PropertyOptions = .standard,
  fileID: String = #fileID, function: String = #function,
  _ property: (inout Choices) throws -> Void
) throws(PropertyFailure) -> PropertyReport {
  try Search(name, options, fileID: fileID, function: function).run(property)
}

/// Checks that a property that waits holds. See the `forAll` that does not.
///
/// Cases run one after the other, where the caller runs. When the task is cancelled, the search ends.
@discardableResult
public func forAll(
  _ name: String, _ options: PropertyOptions = .standard,
  fileID: String = #fileID, function: String = #function,
  _ property: (inout Choices) async throws -> Void
) async throws(PropertyFailure) -> PropertyReport {
  try await Search(name, options, fileID: fileID, function: function).run(property)
}

/// Checks that a property holds in every case there is: each choice takes each of its values.
///
/// This is for generators of a few small choices. The report's `isComplete` says whether `limit` was enough.
///
/// - Parameters:
///   - limit: The most cases to try, those that are left out included; from 1.
/// - Throws: The simplest failing case that was found.
@discardableResult
public func forEvery(
  _ name: String, atMost limit: Int, _ options: PropertyOptions = .standard,
  fileID: String = #fileID, function: String = #function,
  _ property: (inout Choices) throws -> Void
) throws(PropertyFailure) -> PropertyReport {
  try Search(every: limit, name, options, fileID: fileID, function: function).run(property)
}

/// Checks that a property that waits holds in every case there is. See the `forEvery` that does not.
@discardableResult
public func forEvery(
  _ name: String, atMost limit: Int, _ options: PropertyOptions = .standard,
  fileID: String = #fileID, function: String = #function,
  _ property: (inout Choices) async throws -> Void
) async throws(PropertyFailure) -> PropertyReport {
  try await Search(every: limit, name, options, fileID: fileID, function: function).run(property)
}

extension Search {
  consuming func run(
    _ property: (inout Choices) throws -> Void
  ) throws(PropertyFailure) -> PropertyReport {
    var search = self
    while var choices = search.next() {
      do {
        try property(&choices)
        search.observe(choices, error: nil)
      } catch { search.observe(choices, error: error) }
    }
    return try search.result()
  }

  consuming func run(
    _ property: (inout Choices) async throws -> Void
  ) async throws(PropertyFailure) -> PropertyReport {
    var search = self
    while var choices = search.next() {
      do {
        try await property(&choices)
        search.observe(choices, error: nil)
      } catch { search.observe(choices, error: error) }
      if Task.isCancelled { search.cancel() }
    }
    return try search.result()
  }
}
