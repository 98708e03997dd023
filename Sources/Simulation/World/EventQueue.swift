internal import PropertyTesting

/// What is going to happen, the earliest first. Among things that happen at the same time the choices decide.
struct EventQueue<Element> {
  private struct Entry {
    var time: VirtualTime
    var sequence: UInt64
    var element: Element

    func comes(before other: Entry) -> Bool {
      time != other.time ? time < other.time : sequence < other.sequence
    }
  }

  private var heap: [Entry] = []
  private var sequence: UInt64 = 0

  var count: Int { heap.count }

  mutating func add(_ element: Element, at time: VirtualTime) {
    sequence += 1
    push(Entry(time: time, sequence: sequence, element: element))
  }

  mutating func next(_ choices: inout Choices) -> (time: VirtualTime, element: Element)? {
    guard let first = pop() else { return nil }
    guard heap.first?.time == first.time else { return (first.time, first.element) }
    var ties = [first]
    while heap.first?.time == first.time, let other = pop() { ties.append(other) }
    let chosen = ties.remove(at: Int(choices.next(below: UInt64(ties.count))))
    for other in ties { push(other) }
    return (chosen.time, chosen.element)
  }

  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    var index = heap.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      guard heap[index].comes(before: heap[parent]) else { return }
      heap.swapAt(index, parent)
      index = parent
    }
  }

  private mutating func pop() -> Entry? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < heap.count && heap[child].comes(before: heap[least]) {
        least = child
      }
      if least == index { return first }
      heap.swapAt(index, least)
      index = least
    }
  }
}
