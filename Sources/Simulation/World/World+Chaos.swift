/// What befalls processes and the network as a whole, every now and then.
extension World {
  var chaosInterval: VirtualTime { .milliseconds(100) }

  func wreakHavoc() {
    if let fault = chance.strikingOne(of: World.havoc) { befall(fault) }
  }

  private static let havoc: [Fault] = [
    .partition, .kill, .powerCut, .powerCutInWrite, .pause, .clockJump, .wipe, .bitRot, .diskFull,
    .takeover,
  ]

  private func befall(_ fault: Fault) {
    switch fault {
    case .partition:
      network.part(chance)
      healLater(after: chance.exponential(.seconds(5)))
    case .kill: end(machine(), .killed, restartAfter: downtime)
    case .powerCut: end(machine(), .powerCut, restartAfter: downtime)
    case .powerCutInWrite: logHost.disk.cutPower(after: chance.below(12))
    case .pause: pause(machine(), for: chance.exponential(.seconds(10)))
    case .clockJump:
      jumpClock(of: machine(), by: Int64(chance.below(240_000)) - 120_000)
    case .wipe:
      end(instances.lowerBound + chance.below(instances.count), .wiped, restartAfter: downtime)
    case .bitRot: _ = logHost.disk.rot()
    case .diskFull: logHost.disk.isFull = true
    case .takeover: (processes[controllers.lowerBound + chance.below(2)] as? Controller)?.takeOver()
    default: break
    }
  }

  var logHost: EmbeddedLogHost {
    guard let host = processes[host] as? EmbeddedLogHost else {
      preconditionFailure("process 0 is no embedded log")
    }
    return host
  }

  /// The log, an instance or a controller.
  private func machine() -> ProcessID { chance.below(controllers.upperBound) }

  /// Usually seconds, sometimes long enough for tombstones to go.
  private var downtime: VirtualTime {
    .milliseconds(100) + chance.exponential(chance.below(4) == 3 ? .seconds(30) : .seconds(2))
  }
}
