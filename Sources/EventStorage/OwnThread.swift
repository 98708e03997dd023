import Glibc

/// Starts a thread of our own, for work that blocks.
package func startThread(for name: String, _ body: @escaping @Sendable () -> Void) {
  final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  // The thread takes this reference and lets go of it.
  let context = Unmanaged.passRetained(Body(body)).toOpaque()
  var attributes = pthread_attr_t()
  pthread_attr_init(&attributes)
  pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var thread = pthread_t()
  let code = pthread_create(
    &thread, &attributes,
    { context in
      guard let context else { return nil }
      let body = Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
      body.run()
      return nil
    }, context)
  pthread_attr_destroy(&attributes)
  precondition(code == 0, "no thread for \(name): error \(code)")
}

/// Lets a thread of our own sleep, between two questions.
package func pause(for duration: Duration) { _ = Monitor(false).wait(for: duration) { $0 } }
