/// Calls to the cluster that are under way, and what is to happen when they are answered or too late.
final class KafkaConnection {
  typealias Then = (KafkaAnswer) -> Void

  private static let pause = VirtualTime.milliseconds(60)
  private let id: ProcessID
  unowned let world: World
  /// By number. Looked up, never gone through.
  private var calls: [UInt64: Then] = [:]
  private var timers: [UInt64: () -> Void] = [:]

  init(of id: ProcessID, in world: World) {
    self.id = id
    self.world = world
  }

  /// A new life: nobody waits for anything.
  func reset() {
    calls = [:]
    timers = [:]
  }

  /// Asks once. `then` is called once, with `.refused(.noAnswer)` when nothing is heard in time.
  func call(
    _ request: KafkaRequest, within time: VirtualTime = ClusterSettings.requestTimeout,
    then: @escaping Then
  ) {
    let number = world.newRequest()
    calls[number] = then
    world.send(.kafka(request), from: id, to: world.host, request: number)
    timers[number] = { [weak self] in
      self?.calls.removeValue(forKey: number)?(.refused(.noAnswer))
    }
    world.wake(id, .call(number), after: time)
  }

  /// Asks until the answer is none that may change by itself, or the time is up.
  func callAgain(_ request: KafkaRequest, until deadline: VirtualTime, then: @escaping Then) {
    call(request) { [weak self] answer in
      guard let self, case .refused(let refusal) = answer, refusal.isRetriable,
        self.world.now < deadline
      else { return then(answer) }
      self.after(KafkaConnection.pause) { [weak self] in
        self?.callAgain(request, until: deadline, then: then)
      }
    }
  }

  func after(_ delay: VirtualTime, _ body: @escaping () -> Void) {
    let number = world.newRequest()
    timers[number] = body
    world.wake(id, .call(number), after: delay)
  }

  func receive(_ answer: KafkaAnswer, to call: UInt64) {
    timers[call] = nil
    calls.removeValue(forKey: call)?(answer)
  }

  func wake(_ number: UInt64) { timers.removeValue(forKey: number)?() }
}

/// Calls its closure once, when all of several things have answered.
final class Gathering {
  private var left: Int
  private let then: () -> Void

  init(_ count: Int, then: @escaping () -> Void) {
    left = count
    self.then = then
    if count == 0 { then() }
  }

  func arrive() {
    left -= 1
    if left == 0 { then() }
  }
}
