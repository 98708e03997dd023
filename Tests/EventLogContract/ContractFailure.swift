import EventStorage

/// A log did not keep its contract: what was expected, and what came.
package struct ContractFailure: Error, CustomStringConvertible {
  package let description: String
}

/// Throws the message unless the condition holds.
func expect(_ condition: Bool, _ message: @autoclosure () -> String) throws(ContractFailure) {
  if !condition { throw ContractFailure(description: message()) }
}

/// Throws unless both are equal; `what` names them.
func expectEqual<Value: Equatable>(
  _ found: Value, _ expected: Value, _ what: String
) throws(ContractFailure) {
  try expect(found == expected, "\(what): expected \(expected), found \(found)")
}

/// Throws unless both hold the same in the same order; names the first difference only.
func expectEqual<Value: Equatable>(
  _ found: [Value], _ expected: [Value], _ what: String
) throws(ContractFailure) {
  let same = zip(found, expected).prefix { $0 == $1 }.count
  if same == found.count, same == expected.count { return }
  let missing = same < expected.count ? "\(expected[same])" : "no more"
  let instead = same < found.count ? "\(found[same])" : "no more"
  throw ContractFailure(
    description: "\(what): expected \(expected.count), found \(found.count); the first difference "
      + "is at \(same): expected \(missing), found \(instead)")
}

/// Throws unless `body` throws exactly this error.
func expectRefused<Result>(
  _ what: String, with expected: LogError, _ body: () async throws -> Result
) async throws {
  try await expectRefused(what, "with \(expected)", { $0 == expected }, body)
}

/// Throws unless `body` throws a `LogError` that `isExpected`.
func expectRefused<Result>(
  _ what: String, _ expected: String, _ isExpected: (LogError) -> Bool,
  _ body: () async throws -> Result
) async throws {
  let refusal: LogError
  do {
    let result = try await body()
    throw ContractFailure(
      description: "\(what): expected to be refused \(expected), but it gave \(result)")
  } catch let error as LogError {
    refusal = error
  }
  try expect(
    isExpected(refusal), "\(what): expected to be refused \(expected), but with: \(refusal)")
}
