internal import Events
internal import SwiftProtobuf

/// A service node: joins, beats, reports its load, leaves; flaps, lies, and sometimes sends what is no event at all.
final class Node: Process {
  let id: ProcessID
  let name: String
  private unowned let world: World
  private var incarnation: UInt64 = 0
  private var isIn = false

  init(_ id: ProcessID, in world: World) {
    self.id = id
    self.world = world
    name = "node-\(id - world.nodes.lowerBound)"
  }

  func start() { world.wake(id, .beat, after: world.chance.exponential(.seconds(5))) }
  func end(_ end: ProcessEnd) { isIn = false }
  func receive(_ envelope: Envelope) {}

  func wake(_ timer: Timer) {
    guard timer == .beat, !world.isSettling else { return }
    say(next())
    world.wake(id, .beat, after: .seconds(5) + world.chance.exponential(.seconds(5)))
  }

  private func next() -> [UInt8] {
    let chance = world.chance
    if chance.strikes(.poison) {
      return (0..<1 + chance.below(8)).map { _ in UInt8(chance.below(256)) }
    }
    if !isIn || chance.strikes(.flap) {
      isIn.toggle()
      if isIn { incarnation += 1 }
      return isIn ? encoded(.joinRequested(join)) : encoded(.leaveRequested(.init()))
    }
    var load = WireLoadReported()
    load.incarnation = incarnation
    load.inFlight = UInt32(chance.below(100))
    load.capacity = 1
    if chance.strikes(.lie) {
      load.incarnation = UInt64(chance.below(1000))
      load.inFlight = .max
      load.capacity = 0
    }
    return encoded(.loadReported(load))
  }

  private var join: WireJoinRequested {
    var join = WireJoinRequested()
    join.capacity = 1
    return join
  }

  private func encoded(_ body: WireEvent.OneOf_Body) -> [UInt8] {
    var event = WireEvent()
    event.body = body
    return (try? event.serializedBytes()) ?? []
  }

  private func say(_ value: [UInt8]) {
    let instance = world.instances.lowerBound + world.chance.below(world.instances.count)
    world.send(
      .gateway(.observe(node: name, value: value)), from: id, to: instance,
      request: world.newRequest())
  }
}
