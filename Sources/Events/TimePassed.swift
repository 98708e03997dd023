/// The event that advances log time and says nothing else.
public enum TimePassed {
  /// The record value: an `Event` with an empty body.
  public static var encoded: [UInt8] {
    var writer = WireWriter()
    writer.varint(UInt64(EventType.timePassed.rawValue) << 3 | 2)
    writer.varint(0)
    return writer.bytes
  }
}
