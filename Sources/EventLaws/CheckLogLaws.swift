import EventStorage
public import PropertyTesting

/// Checks that a log keeps the laws: laws 13 to 18, and laws 6 and 30 for a log that compacts, each as a property of its own.
///
/// Each case is a life of a log: appends with and without idempotency keys and writers, retries, fences, writers that are fenced and
/// do not know, crashes, restarts, compactions and failures, against a model that knows what was acknowledged.
///
/// ```swift
/// @Test func `my log keeps the laws`() async throws {
///   try await checkLaws(ofLog: "my log") { MyLogUnderTest() }
/// }
/// ```
///
/// - Parameters:
///   - name: Says which log.
///   - laws: Which laws; all of them unless told otherwise. One that needs an ability that the log has not is left out.
///   - options: How many cases each law is tried with, and which.
///   - make: Makes a log that has never been opened, for one case.
/// - Throws: Every law that is broken, each with the simplest case that was found.
/// - Returns: What was tried.
@discardableResult
public func checkLaws<Subject: LogUnderTest>(
  ofLog name: String, laws: some Sequence<LogLaw> = LogLaw.allCases,
  _ options: PropertyOptions = .standard, fileID: String = #fileID, function: String = #function,
  _ make: () throws -> Subject
) async throws(LawsBroken) -> LawReport<LogLaw> {
  var report = LawReport<LogLaw>(subject: name)
  var failures: [PropertyFailure] = []
  for law in Set(laws).sorted() {
    guard law.needed.isSubset(of: Subject.abilities) else {
      let missing = law.needed.subtracting(Subject.abilities).map { "\($0)" }.sorted()
      report.skipped[law] = "the log has no ability for \(missing.joined(separator: ", "))"
      continue
    }
    do throws(PropertyFailure) {
      report.reports[law] = try await forAll(
        "\(law): \(name)", options, fileID: fileID, function: function
      ) { choices in
        var life = try await LogLife(try make(), of: law)
        do {
          try await life.live(&choices)
          life.log.close()
        } catch {
          life.log.close()
          throw error
        }
      }
    } catch { failures.append(error) }
  }
  if !failures.isEmpty { throw LawsBroken(failures: failures) }
  return report
}
