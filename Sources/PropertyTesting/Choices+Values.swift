extension Choices {
  /// A number of the range. The one nearest to zero that the range has is the simplest.
  public mutating func int(in range: ClosedRange<Int>) -> Int {
    if range.lowerBound >= 0 || range.upperBound <= 0 {
      let span = UInt64(bitPattern: Int64(range.upperBound &- range.lowerBound))
      let distance = span == .max ? full() : next(below: span + 1)
      return range.lowerBound >= 0
        ? range.lowerBound &+ Int(truncatingIfNeeded: distance)
        : range.upperBound &- Int(truncatingIfNeeded: distance)
    }
    return bool()
      ? -int(in: 1...max(1, -max(range.lowerBound, -Int.max))) : int(in: 0...range.upperBound)
  }

  /// True or false; false is simpler.
  public mutating func bool() -> Bool { next(below: 2) == 1 }

  /// True once in `count` times.
  public mutating func oneIn(_ count: UInt64) -> Bool {
    next(below: count) == count - 1 && count > 1
  }

  /// Any 64 bits.
  public mutating func full() -> UInt64 {
    next(below: 1 << 32) << 32 | next(below: 1 << 32)
  }

  /// One of these; the first is the simplest.
  ///
  /// - Precondition: there is one.
  public mutating func element<Elements: RandomAccessCollection>(
    of elements: Elements
  ) -> Elements.Element {
    let distance = next(below: UInt64(elements.count))
    return elements[elements.index(elements.startIndex, offsetBy: Int(distance))]
  }

  /// One of these, each as often as its weight says; the first is the simplest.
  ///
  /// - Precondition: the weights are 0 or more, and one is more.
  public mutating func weighted<Value>(_ values: [(weight: Int, value: Value)]) -> Value {
    var place = Int(next(below: UInt64(values.reduce(0) { $0 + $1.weight })))
    for (weight, value) in values {
      if place < weight { return value }
      place -= weight
    }
    preconditionFailure("the place lies below the sum of the weights")
  }

  /// A list of at most so many elements, about `mean` of them when there is room.
  ///
  /// Before each element it is asked whether there is one more, so that deleting a block of the tape deletes an element.
  public mutating func array<Element, Failure: Error>(
    atMost limit: Int, mean: Int = 8, _ element: (inout Choices) throws(Failure) -> Element
  ) throws(Failure) -> [Element] {
    var elements: [Element] = []
    while elements.count < limit, next(below: UInt64(mean) + 1) != 0 {
      elements.append(try element(&self))
    }
    return elements
  }

  /// Bytes, at most so many.
  public mutating func bytes(atMost limit: Int, mean: Int = 8) -> [UInt8] {
    array(atMost: limit, mean: mean) { UInt8($0.next(below: 256)) }
  }

  /// A text of some of these letters, at most so many; without a letter it is empty.
  public mutating func text(
    of letters: String = "abcdefghijklmnopqrstuvwxyz", atMost limit: Int, mean: Int = 4
  ) -> String {
    let letters = Array(letters)
    guard !letters.isEmpty else { return "" }
    return String(array(atMost: limit, mean: mean) { $0.element(of: letters) })
  }

  /// These, in some order; the given order is the simplest.
  public mutating func permutation<Element>(of elements: [Element]) -> [Element] {
    var rest = elements
    for index in rest.indices.dropLast() {
      rest.swapAt(index, index + Int(next(below: UInt64(rest.count - index))))
    }
    return rest
  }
}
