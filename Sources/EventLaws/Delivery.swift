public import PropertyTesting

extension Choices {
  /// Splits `count` records into batches; the simplest is one batch of them all.
  public mutating func batches(of count: Int) -> [Range<Int>] {
    var batches: [Range<Int>] = []
    var start = 0
    while start < count {
      let end = count - int(in: 0...count - start - 1)
      batches.append(start..<end)
      start = end
    }
    if batches.count > 1 { label("several batches") }
    return batches
  }

  /// Delivers `count` records at least once: in order, with rewinds to anywhere and a repetition at the end.
  ///
  /// The simplest delivers all of them once.
  public mutating func redelivery(of count: Int) -> [Range<Int>] {
    var deliveries: [Range<Int>] = []
    var read = 0
    while read < count {
      let from = oneIn(3) ? read - int(in: 0...read) : read
      let end = count - int(in: 0...count - read - 1)
      if from < read { label("rewind") }
      deliveries.append(from..<end)
      read = end
    }
    deliveries += array(atMost: 4, mean: 1) { choices in
      choices.label("repetition")
      let from = choices.int(in: 0...count)
      return from..<from + choices.int(in: 0...count - from)
    }
    return deliveries
  }

  /// An order in which several sequences of these lengths may be read, each in its own order: the number of the sequence at each step.
  ///
  /// The simplest reads one after the other.
  public mutating func interleaving(of lengths: [Int]) -> [Int] {
    var left = lengths
    var order: [Int] = []
    while true {
      let open = left.indices.filter { left[$0] > 0 }
      guard !open.isEmpty else { return order }
      let next = element(of: open)
      left[next] -= 1
      order.append(next)
    }
  }
}
