/// Which pages of other origins may call (CORS).
struct CrossOrigin: Sendable {
  /// Origins as browsers send them; `*` for any.
  let allowedOrigins: [String]

  /// The headers for a request from a page, none when it may not.
  func headers(origin: String?) -> [(String, String)] {
    guard let origin else { return [] }
    if allowedOrigins.contains("*") {
      return [("Access-Control-Allow-Origin", "*")] + exposed
    }
    guard allowedOrigins.contains(origin) else { return [("Vary", "Origin")] }
    return [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")] + exposed
  }

  private var exposed: [(String, String)] { [("Access-Control-Expose-Headers", "Retry-After")] }
}
