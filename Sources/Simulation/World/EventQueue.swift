internal import PropertyTesting

/// What is going to happen, the earliest first. Among things that happen at the same time the choices decide.
///
/// What is ordered is small and plain; the elements stay where they are.
struct EventQueue<Element> {
  private struct Entry {
    var time: VirtualTime
    var sequence: UInt64
    var slot: Int

    func comes(before other: Entry) -> Bool {
      time != other.time ? time < other.time : sequence < other.sequence
    }
  }

  private var heap: [Entry] = []
  private var elements: [Element?] = []
  private var free: [Int] = []
  private var sequence: UInt64 = 0

  mutating func add(_ element: Element, at time: VirtualTime) {
    sequence += 1
    let slot: Int
    if let last = free.popLast() {
      slot = last
      elements[slot] = element
    } else {
      slot = elements.count
      elements.append(element)
    }
    push(Entry(time: time, sequence: sequence, slot: slot))
  }

  mutating func next(_ choices: inout Choices) -> (time: VirtualTime, element: Element)? {
    guard var chosen = pop() else { return nil }
    if heap.first?.time == chosen.time {
      var ties = [chosen]
      while heap.first?.time == chosen.time, let other = pop() { ties.append(other) }
      chosen = ties.remove(at: Int(choices.next(below: UInt64(ties.count))))
      for other in ties { push(other) }
    }
    guard let element = elements[chosen.slot].take() else {
      preconditionFailure("slot \(chosen.slot) of the queue is empty")
    }
    free.append(chosen.slot)
    return (chosen.time, element)
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
