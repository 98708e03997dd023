import EventStorage
import Projections
import Testing

@Suite struct TombstoneWatchTests {
  private func bounds(_ horizon: Int64, cleanings: Int = 0) -> LogBounds {
    LogBounds(
      start: .zero, end: Offset(100), tombstoneHorizon: Offset(horizon), cleanings: cleanings)
  }

  /// Law 7.
  @Test(arguments: [
    // The horizon when the fold began, where the read began, the horizon after it.
    (0, 0, 0, TombstoneWatch.Verdict.goOn), (10, 0, 10, .goOn), (10, 20, 20, .goOn),
    (0, 20, 19, .goOn), (0, 0, 1, .beginAnew), (10, 0, 11, .beginAnew), (10, 5, 20, .beginAnew),
    (0, 20, 21, .beginAnew), (30, 20, 31, .beginAnew),
  ])
  func `a fold begins anew when tombstones may be gone that it had to see`(
    known: Int64, from: Int64, horizon: Int64, verdict: TombstoneWatch.Verdict
  ) {
    let watch = TombstoneWatch(since: bounds(known))
    #expect(watch.verdict(afterReadingFrom: Offset(from), bounds(horizon)) == verdict)
  }

  /// It had said how far it will go before the fold began: the horizon tells nothing.
  @Test func `a fold begins anew when a run of compaction takes records beside it`() {
    let watch = TombstoneWatch(since: bounds(10, cleanings: 3))
    #expect(watch.verdict(afterReadingFrom: Offset(5), bounds(10, cleanings: 3)) == .goOn)
    #expect(watch.verdict(afterReadingFrom: Offset(5), bounds(10, cleanings: 4)) == .beginAnew)
    #expect(watch.verdict(afterReadingFrom: Offset(10), bounds(10, cleanings: 4)) == .goOn)
  }

  @Test func `a state from before the horizon is not read on from`() {
    #expect(!TombstoneWatch.mayResume(at: Offset(9), within: bounds(10)))
    #expect(TombstoneWatch.mayResume(at: Offset(10), within: bounds(10)))
  }
}
