extension Choices {
  /// One of these; the first is the simplest.
  ///
  /// - Precondition: there is one.
  public mutating func element<Elements: RandomAccessCollection>(
    of elements: Elements
  ) -> Elements.Element {
    demand(!elements.isEmpty, "an element is to be chosen, and there is none")
    let distance = next(below: UInt64(elements.count))
    return elements[elements.index(elements.startIndex, offsetBy: Int(distance))]
  }

  /// One of these, each as often as its weight says; the first is the simplest.
  ///
  /// - Precondition: the weights are 0 or more, and one is more.
  public mutating func weighted<Value>(_ values: [(weight: Int, value: Value)]) -> Value {
    var sum = 0
    for (weight, _) in values {
      demand(weight >= 0, "a weight is \(weight), and 0 is the least")
      sum += weight
    }
    demand(sum > 0, "the weights sum to 0, so there is nothing to choose")
    var place = Int(next(below: UInt64(sum)))
    for (weight, value) in values {
      if place < weight { return value }
      place -= weight
    }
    fatalError("the place lies below the sum of the weights")
  }

  /// A value or nothing, each as often; nothing is simpler.
  public mutating func optional<Value, Failure: Error>(
    _ value: (inout Choices) throws(Failure) -> Value
  ) throws(Failure) -> Value? {
    bool() ? try value(&self) : nil
  }

  /// A list of at least and at most so many elements, about `mean` more than the least when there is room.
  ///
  /// Before each element it is asked whether there is one more, so that deleting a block of the tape deletes an element.
  ///
  /// - Precondition: `minimum` is 0 or more and at most `limit`; `mean` is 0 or more.
  public mutating func array<Element, Failure: Error>(
    atLeast minimum: Int = 0, atMost limit: Int, mean: Int = 8,
    _ element: (inout Choices) throws(Failure) -> Element
  ) throws(Failure) -> [Element] {
    demand(
      0 <= minimum && minimum <= limit, "a list of at least \(minimum) and at most \(limit)")
    demand(mean >= 0, "a list of \(mean) elements on average")
    var elements: [Element] = []
    while elements.count < limit, elements.count < minimum || next(below: UInt64(mean) + 1) != 0 {
      elements.append(try element(&self))
    }
    return elements
  }

  /// Bytes, at most so many.
  public mutating func bytes(
    atLeast minimum: Int = 0, atMost limit: Int, mean: Int = 8
  ) -> [UInt8] {
    array(atLeast: minimum, atMost: limit, mean: mean) { UInt8($0.next(below: 256)) }
  }

  /// A text of some of these letters, at most so many; without a letter it is empty.
  public mutating func text(
    of letters: String = "abcdefghijklmnopqrstuvwxyz", atLeast minimum: Int = 0,
    atMost limit: Int, mean: Int = 4
  ) -> String {
    let letters = Array(letters)
    guard !letters.isEmpty else { return "" }
    return String(array(atLeast: minimum, atMost: limit, mean: mean) { $0.element(of: letters) })
  }

  /// Some of these, each as likely as not, in their order; none is the simplest.
  public mutating func some<Element>(of elements: [Element]) -> [Element] {
    elements.filter { _ in bool() }
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
