import Synchronization

/// The Date header of now, made once a second.
enum HTTPDate {
  private static let held = Mutex((second: Int64(0), text: ""))

  static var now: String {
    let milliseconds = WallClock.milliseconds()
    return held.withLock { held in
      if held.second != milliseconds / 1000 {
        held = (milliseconds / 1000, WallClock.httpDate(milliseconds))
      }
      return held.text
    }
  }
}
