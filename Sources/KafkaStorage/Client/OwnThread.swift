internal import Glibc

/// Starts a thread of our own, for work that blocks.
func startThread(for name: String, _ body: @escaping @Sendable () -> Void) {
  final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  // The thread takes this reference and lets go of it.
  let context = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
  var attributes = pthread_attr_t()
  unsafe pthread_attr_init(&attributes)
  unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
  var thread = pthread_t()
  let code = unsafe pthread_create(
    &thread, &attributes,
    { context in
      guard let context = unsafe context else { return nil }
      let body = unsafe Unmanaged<Body>.fromOpaque(context).takeRetainedValue()
      body.run()
      return nil
    }, context)
  unsafe pthread_attr_destroy(&attributes)
  precondition(code == 0, "no thread for \(name): error \(code)")
}
