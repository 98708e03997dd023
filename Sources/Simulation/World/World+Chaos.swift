internal import EventStorage

/// What befalls processes and the network as a whole, every now and then.
extension World {
  var chaosInterval: VirtualTime { .milliseconds(100) }

  func wreakHavoc() {
    let havoc = World.havoc.filter { $0.strikes(options.log) }
    if let fault = chance.strikingOne(of: havoc), befall(fault) { chance.count(fault) }
  }

  private static let havoc: [Fault] = [
    .partition, .kill, .powerCut, .powerCutInWrite, .pause, .clockJump, .wipe, .bitRot, .diskFull,
    .takeover, .leaderChange, .coordinatorChange,
  ]

  /// - Returns: false when nothing came of it yet: the process was down already, or the disk counts it when it happens.
  private func befall(_ fault: Fault) -> Bool {
    switch fault {
    case .partition:
      network.part(chance)
      healLater(after: chance.exponential(.seconds(5)))
      return network.isParted
    case .kill: return end(machine(), .killed, restartAfter: downtime)
    case .powerCut: return end(machine(), .powerCut, restartAfter: downtime)
    case .powerCutInWrite: logHost.disk.cutPower(after: chance.below(12))
    case .pause: return pause(machine(), for: chance.exponential(.seconds(10)))
    case .clockJump:
      return jumpClock(of: machine(), by: Int64(chance.below(240_000)) - 120_000)
    case .wipe:
      return end(
        instances.lowerBound + chance.below(instances.count), .wiped, restartAfter: downtime)
    case .bitRot: return logHost.disk.rot()
    case .diskFull: logHost.disk.isFull = true
    case .takeover:
      let controller = processes[controllers.lowerBound + chance.below(2)] as? Controller
      return controller?.takeOver() ?? false
    case .leaderChange:
      cluster?.changeLeader()
      return true
    case .coordinatorChange:
      cluster?.moveCoordinator()
      return true
    default: break
    }
    return false
  }

  /// Nil where the log is an embedded one.
  var cluster: Cluster? { processes.first as? Cluster }

  /// Which log the instances serve.
  var logIdentity: LogIdentity { LogIdentity(0x7369_676e_616c_0001) }

  /// How long a process waits for what it asked of the log before it asks again.
  var patience: VirtualTime { options.log == .embedded ? .seconds(2) : .seconds(4) }

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
