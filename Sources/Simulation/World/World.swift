internal import EventStorage
package import PropertyTesting

/// A hostile world in virtual time: one thread, one source of chance, and the real log, folds and snapshots in it.
///
/// First phase: faults are on, and nothing may break a law. Second phase: faults are off, and everything pending must resolve.
package final class World {
  let options: WorldOptions
  package let chance: Chance
  let oracle: Oracle
  var network: SimulatedNetwork
  private(set) var now = VirtualTime.zero
  private(set) var step = 0
  private(set) var trace = TraceHash()
  private(set) var violation: Violation?
  private(set) var isSettling = false
  private(set) var states: [ProcessState]
  private(set) var processes: [any Process] = []
  private var queue = EventQueue<Happening>()
  private var requests: UInt64 = 0
  /// Clients of the cluster; their calls hold on to what waits for them.
  var connections: [KafkaConnection] = []

  /// The most that is added to what clients publish: in some worlds messages are large.
  let paddingMax: Int

  let host: ProcessID = 0
  let instances: Range<ProcessID>
  let controllers: Range<ProcessID>
  let clients: Range<ProcessID>
  let nodes: Range<ProcessID>

  enum Happening {
    case arrives(Envelope)
    case wakes(ProcessID, life: Int, Timer)
    case starts(ProcessID, life: Int)
    case chaos
    case heals
  }

  package init(_ options: WorldOptions, _ choices: Choices) {
    self.options = options
    chance = Chance(choices)
    chance.rates = World.drawRates(options, chance)
    instances = 1..<1 + options.instances
    controllers = instances.upperBound..<instances.upperBound + 2
    clients = controllers.upperBound..<controllers.upperBound + options.clients
    nodes = clients.upperBound..<clients.upperBound + options.nodes
    states = [ProcessState](repeating: ProcessState(), count: nodes.upperBound)
    network = SimulatedNetwork(processes: nodes.upperBound)
    network.delayMin = .milliseconds(Int64(chance.below(30)))
    network.delayMean = .milliseconds(Int64(1 + chance.below(100)))
    network.clogMean = .milliseconds(Int64(1 + chance.below(5000)))
    paddingMax = chance.below(4) == 3 ? 1200 : 0
    oracle = Oracle(partitions: options.partitions, log: options.log)
    processes =
      options.log == .embedded ? [EmbeddedLogHost(in: self)] : [Cluster(in: self)]
    processes += instances.map { Instance($0, in: self) as any Process }
    processes += controllers.map { Controller($0, in: self) as any Process }
    processes += clients.map { client in
      // Every other client follows channels, the rest publish and read.
      client % 2 == 0
        ? Client(client, in: self) as any Process : StreamClient(client, in: self) as any Process
    }
    processes += nodes.map { Node($0, in: self) as any Process }
  }

  deinit {
    for connection in connections { connection.reset() }
  }

  /// Each world suffers from some faults and is spared others (swarm testing).
  private static func drawRates(_ options: WorldOptions, _ chance: Chance) -> FaultRates {
    var rates = FaultRates()
    for fault in Fault.allCases where fault.strikes(options.log) {
      // Half of them are off; the others lie anywhere up to their most.
      let drawn = chance.below(16)
      rates[fault] = drawn < 8 ? 0 : fault.rateMax / 8 * (drawn - 7)
      if let fixed = options.fixedRates[fault] { rates[fault] = fixed }
    }
    return rates
  }

  // MARK: Running

  /// Runs the world to its end.
  package func run() throws(Violation) -> WorldReport {
    for process in processes.indices { start(process) }
    queue.add(.chaos, at: chaosInterval)
    while step < options.steps, chance.choices.taken.count < options.choicesMax {
      guard takeStep() else { break }
      if let violation { throw violation }
    }
    try settle()
    finish()
    if let violation { throw violation }
    return report
  }

  /// Faults are off: everything is put right, and must come to rest.
  private func settle() throws(Violation) {
    isSettling = true
    chance.isHostile = false
    network.heal()
    network.unclog()
    for process in processes.indices {
      states[process].pausedUntil = now
      if !states[process].isUp { start(process) }
    }
    for process in processes { process.settle() }
    let last = step + options.settlingStepsMax
    while !isAtRest {
      guard step < last, takeStep() else {
        fail(32, "still pending after \(options.settlingStepsMax) steps: \(pending)")
        break
      }
      if let violation { throw violation }
    }
    if let violation { throw violation }
  }

  private var isAtRest: Bool { processes.allSatisfy { $0.pending == nil } }

  private var pending: String {
    processes.compactMap { process in process.pending.map { "\(process.name): \($0)" } }
      .prefix(5).joined(separator: "; ")
  }

  private func finish() {
    for process in processes { process.finish() }
  }

  /// False when nothing is left to happen.
  private func takeStep() -> Bool {
    guard let (time, happening) = queue.next(&chance.choices) else { return false }
    precondition(time >= now, "time runs backwards: \(time) after \(now)")
    now = time
    chance.now = time
    step += 1
    trace.add(time.microseconds)
    switch happening {
    case .arrives(let envelope):
      guard !isPaused(envelope.to, happening) else { return true }
      trace.add(envelope.to << 32 | envelope.from)
      trace.add(envelope.request)
      trace.add(envelope.letter)
      if states[envelope.to].isUp { processes[envelope.to].receive(envelope) }
    case .wakes(let process, let life, let timer):
      guard states[process].life == life, states[process].isUp else { return true }
      guard !isPaused(process, happening) else { return true }
      trace.add(process << 8 | timer.code)
      processes[process].wake(timer)
    case .starts(let process, let life):
      if states[process].life == life, !states[process].isUp { start(process) }
    case .chaos:
      if !isSettling {
        wreakHavoc()
        queue.add(.chaos, at: now + chaosInterval)
      }
    case .heals: network.heal()
    }
    return true
  }

  private func isPaused(_ process: ProcessID, _ happening: Happening) -> Bool {
    let until = states[process].pausedUntil
    guard until > now else { return false }
    queue.add(happening, at: until)
    return true
  }

  // MARK: For processes

  /// A number that no request had before.
  func newRequest() -> UInt64 {
    requests += 1
    return requests
  }

  func send(_ letter: Letter, from: ProcessID, to: ProcessID, request: UInt64) {
    let (first, second) = network.deliveries(from: from, to: to, at: now, chance)
    let envelope = Envelope(from: from, to: to, request: request, letter: letter)
    if let first { queue.add(.arrives(envelope), at: first) }
    if let second { queue.add(.arrives(envelope), at: second) }
  }

  /// As `send`, at a given time and for certain: what a connection has taken it delivers in order, or it breaks.
  func deliver(
    _ letter: Letter, from: ProcessID, to: ProcessID, at time: VirtualTime, request: UInt64 = 0
  ) {
    queue.add(.arrives(Envelope(from: from, to: to, request: request, letter: letter)), at: time)
  }

  func wake(_ process: ProcessID, _ timer: Timer, after delay: VirtualTime) {
    queue.add(.wakes(process, life: states[process].life, timer), at: now + delay)
  }

  /// What the clock of a process shows, in milliseconds since 1970.
  func clock(of process: ProcessID) -> Int64 { now.wallMilliseconds + states[process].clockError }

  /// Adds something that was decided to the trace.
  func note(_ number: Int64) { trace.add(number) }
  func note(_ number: UInt64) { trace.add(number) }
  func note(_ text: String) { trace.add(text) }
  func note(_ bytes: [UInt8]) { trace.add(contentHash(bytes)) }

  func fail(_ law: Int, _ detail: String) {
    if violation == nil { violation = Violation(law: law, detail: detail, step: step, time: now) }
  }

  /// Runs a check of the oracle.
  func check(_ body: () throws(Broken) -> Void) {
    do throws(Broken) { try body() } catch { fail(error.law, error.detail) }
  }

  // MARK: Lives

  private func start(_ process: ProcessID) {
    states[process].isUp = true
    states[process].life += 1
    trace.add(process << 8 | 0xff)
    processes[process].start()
  }

  /// - Returns: false when it was down already.
  @discardableResult
  func end(_ process: ProcessID, _ end: ProcessEnd, restartAfter delay: VirtualTime) -> Bool {
    guard states[process].isUp else { return false }
    states[process].isUp = false
    trace.add(process << 8 | 0xfe)
    processes[process].end(end)
    queue.add(.starts(process, life: states[process].life), at: now + delay)
    return true
  }

  /// - Returns: false when it is down, or pauses longer already.
  func pause(_ process: ProcessID, for length: VirtualTime) -> Bool {
    let until = now + length
    guard until > max(now, states[process].pausedUntil) else { return false }
    states[process].pausedUntil = until
    return states[process].isUp
  }

  /// - Returns: false when it shows the same as before.
  func jumpClock(of process: ProcessID, by milliseconds: Int64) -> Bool {
    let before = states[process].clockError
    states[process].clockError += milliseconds
    // Clocks of those who share a cluster differ by less than its compaction lag.
    if let limit = cluster?.settings.clockErrorMax {
      states[process].clockError = min(max(states[process].clockError, -limit), limit)
    }
    return states[process].clockError != before
  }

  func healLater(after delay: VirtualTime) { queue.add(.heals, at: now + delay) }
}
