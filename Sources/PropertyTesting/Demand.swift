/// Stops the program unless the condition is true, and says why in release builds too, where `precondition` is silent.
func demand(_ condition: Bool, _ message: @autoclosure () -> String) {
  if !condition { fatalError(message()) }
}
