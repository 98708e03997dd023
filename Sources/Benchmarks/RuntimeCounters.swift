import Glibc

/// Counts objects allocated and references retained while work runs, through the hooks that the Swift runtime keeps for
/// instruments. What C allocates is not seen.
struct RuntimeCounters {
  var allocations = 0
  var retains = 0

  /// What `body` allocated and retained; nil where the runtime shows no hooks (a static standard library).
  static func count(_ body: () throws -> Void) rethrows -> RuntimeCounters? {
    guard let hooks = RuntimeHooks.found else {
      try body()
      return nil
    }
    hooks.counts.update(repeating: 0, count: 2)
    hooks.start()
    defer { hooks.stop() }
    try body()
    hooks.stop()
    return RuntimeCounters(allocations: hooks.counts[0], retains: hooks.counts[1])
  }

  /// “0.001 objects, 0.002 retains an event”.
  func text(per events: Int) -> String {
    func each(_ count: Int) -> String {
      let thousandths = (Double(count) / Double(events) * 1000).rounded() / 1000
      return "\(thousandths)"
    }
    return "\(each(allocations)) objects, \(each(retains)) retains an event"
  }
}

/// Plain memory, because the hooks run inside the runtime: they must neither allocate nor retain.
private struct RuntimeHooks: @unchecked Sendable {
  typealias Allocate = @convention(c) (UnsafeRawPointer?, Int, Int) -> UnsafeMutableRawPointer?
  typealias Retain = @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?

  /// Objects, then references.
  let counts: UnsafeMutablePointer<Int>
  private let isOn: UnsafeMutablePointer<Bool>
  private let allocate: UnsafeMutablePointer<Allocate>
  private let retain: UnsafeMutablePointer<Retain>
  private let originalAllocate: Allocate
  private let originalRetain: Retain

  static let found = RuntimeHooks()

  private init?() {
    guard
      let isOn = dlsym(
        nil, "_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly"),
      let allocate = dlsym(nil, "_swift_allocObject"), let retain = dlsym(nil, "_swift_retain")
    else { return nil }
    counts = .allocate(capacity: 2)
    counts.initialize(repeating: 0, count: 2)
    self.isOn = isOn.assumingMemoryBound(to: Bool.self)
    self.allocate = allocate.assumingMemoryBound(to: Allocate.self)
    self.retain = retain.assumingMemoryBound(to: Retain.self)
    originalAllocate = self.allocate.pointee
    originalRetain = self.retain.pointee
  }

  func start() {
    allocate.pointee = { metadata, size, alignment in
      guard let hooks = RuntimeHooks.found else { return nil }
      hooks.counts[0] += 1
      return hooks.originalAllocate(metadata, size, alignment)
    }
    retain.pointee = { object in
      guard let hooks = RuntimeHooks.found else { return object }
      hooks.counts[1] += 1
      return hooks.originalRetain(object)
    }
    isOn.pointee = true
  }

  func stop() {
    isOn.pointee = false
    allocate.pointee = originalAllocate
    retain.pointee = originalRetain
  }
}
