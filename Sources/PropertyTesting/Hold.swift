/// What a property says when it does not hold.
public struct NotHeld: Error, CustomStringConvertible {
  /// What was to hold.
  public var message: String
  /// Where it says so.
  public var fileID: String
  /// See `fileID`.
  public var line: Int

  /// Says what was to hold, and where.
  public init(message: String, fileID: String = #fileID, line: Int = #line) {
    self.message = message
    self.fileID = fileID
    self.line = line
  }

  /// The message and the place.
  public var description: String { "\(message) (\(fileID):\(line))" }
}

/// Throws unless the condition is true: what `#expect` is to a test, `hold` is to a property.
public func hold(
  _ condition: Bool, _ message: @autoclosure () -> String = "the condition is false",
  fileID: String = #fileID, line: Int = #line
) throws(NotHeld) {
  if !condition { throw NotHeld(message: message(), fileID: fileID, line: line) }
}

/// Throws unless both values are equal, and shows them.
public func hold<Value: Equatable>(
  _ value: Value, equals expected: Value, _ message: @autoclosure () -> String = "",
  fileID: String = #fileID, line: Int = #line
) throws(NotHeld) {
  guard value != expected else { return }
  let message = message()
  throw NotHeld(
    message: "\(message.isEmpty ? "" : "\(message): ")\(value) is not \(expected)",
    fileID: fileID, line: line)
}
