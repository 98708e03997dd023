import EventStorage
import Projections
import PropertyTesting

/// Laws 4 and 5: what is delivered again.
extension ProjectionChecks {
  func redelivery(_ choices: inout Choices) throws {
    let history = history(&choices)
    let whole = folded(history.records)
    var fold = makeFold()
    for delivery in choices.redelivery(of: history.records.count) where !delivery.isEmpty {
      choices.note("delivered: records \(delivery)")
      fold.apply(history.records[delivery])
    }
    try hold(fold.state, isLike: whole, "records that were delivered again")
    try hold(fold.state.counts, equals: whole.counts, "counts of records delivered again")
  }

  func atomicPosition(_ choices: inout Choices) throws {
    let history = history(&choices)
    var fold = makeFold()
    var read = 0
    for delivery in choices.redelivery(of: history.records.count) where !delivery.isEmpty {
      choices.note("delivered: records \(delivery)")
      let before = fold.position
      fold.apply(history.records[delivery])
      read = max(read, delivery.upperBound)
      try hold(fold.position >= before, "the position went back from \(before) to \(fold.position)")
      try hold(fold.position, equals: history.position(after: read), "the position")
      try hold(
        fold.state, isLike: folded(history.records[..<read]), "the state at \(fold.position)")
      guard choices.oneIn(4) else { continue }
      // What a crash leaves is the last snapshot, and delivery goes on from anywhere before it.
      choices.label("crash")
      choices.note("written, lost, and read at \(fold.position)")
      let bytes = Snapshot.encode(
        Fold(source.partition, state: fold.state, position: fold.position), of: log)
      var resumed = try self.read(bytes, within: .anywhere)
      try hold(resumed.position, equals: fold.position, "the position after a crash")
      let from = choices.int(in: 0...read)
      if from < history.records.count { resumed.apply(history.records[from...]) }
      try hold(resumed.state, isLike: folded(history.records), "resumed after a crash")
    }
  }
}
