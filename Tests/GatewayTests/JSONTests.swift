import Testing

@testable import Gateway

/// The parts that write and check JSON, times and base64 by hand.
@Suite struct JSONTests {
  @Test(arguments: [
    "{}", " [ ] ", "0", "-1.5e+10", "\"\\u00e9\\n\\\"\"", "[1,{\"a\":[true,false,null]}]", "\"é\"",
    "1E5", "{\"a\":1,\"a\":2}",
  ])
  func `JSON is accepted`(text: String) throws {
    try JSONSyntax.check(Array(text.utf8)[...])
  }

  @Test(arguments: [
    ("", 0), ("{", 1), ("[1,]", 3), ("{\"a\" 1}", 5), ("{a:1}", 1), ("01", 1), ("1.", 2), ("-", 1),
    ("\"a", 2), ("\"\\x\"", 2), ("\"\\u12g4\"", 5), ("\"\n\"", 1), ("nul", 0), ("1 2", 2),
    ("[1}", 2),
    ("+1", 0), ("'a'", 0), ("NaN", 0),
  ])
  func `what is not JSON is refused where it goes wrong`(text: String, offset: Int) {
    #expect {
      try JSONSyntax.check(Array(text.utf8)[...])
    } throws: { error in
      (error as? JSONFailure)?.offset == offset
    }
  }

  @Test func `arrays inside each other are bounded`() throws {
    let deep = { (count: Int) in
      Array((String(repeating: "[", count: count) + String(repeating: "]", count: count)).utf8)[...]
    }
    try JSONSyntax.check(deep(JSONSyntax.depthMax))
    #expect(throws: JSONFailure.self) { try JSONSyntax.check(deep(JSONSyntax.depthMax + 1)) }
    #expect(throws: JSONFailure.self) { try JSONSyntax.check([0x22, 0xff, 0x22]) }
  }

  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
    (1_359_651_900_007, "2013-01-31T17:05:00.007Z", "Thu, 31 Jan 2013 17:05:00 GMT"),
    (951_782_400_000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"),
    (4_107_542_399_999, "2100-02-28T23:59:59.999Z", "Sun, 28 Feb 2100 23:59:59 GMT"),
    (-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"),
  ])
  func `times are written as the standards say`(
    milliseconds: Int64, rfc3339: String, http: String
  ) {
    var bytes: [UInt8] = []
    WallClock.append(milliseconds, to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == rfc3339)
    #expect(WallClock.httpDate(milliseconds) == http)
  }

  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
    ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
  ])
  func `base64 is that of RFC 4648`(text: String, encoded: String) {
    var bytes: [UInt8] = []
    bytes.append(base64: text.utf8)
    #expect(String(decoding: bytes, as: UTF8.self) == encoded)
  }

  @Test func `ids are 26 characters and rise with time`() {
    let early = MessageID.make(at: 1_000_000)
    let late = MessageID.make(at: 1_000_001)
    #expect(early.count == 26)
    #expect(early < late)
    #expect(early.utf8.allSatisfy { "0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8.contains($0) })
  }
}
