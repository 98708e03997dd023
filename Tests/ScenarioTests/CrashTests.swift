import Testing

@Suite(.serialized) struct CrashTests {
  /// Laws 13 and 18, from outside.
  @Test func `after a hundred kill -9 under load every acknowledged message is there once`() throws
  {
    let text = try Witness.run("kill9.py", "100", "2013")
    #expect(text.contains("none lost, none twice; a planted double is found"))
  }

  /// Laws 26, 27 and 31, from outside.
  @Test func `streams, verdicts and refusals are what the README says`() throws {
    let text = try Witness.run("gateway.py")
    #expect(text.contains("checks"))
  }

  /// Law 26, from outside.
  @Test(
    .enabled(
      if: Witness.installed("chromium", "chromium-browser", "google-chrome") != nil,
      "no Chromium here: install the package chromium"))
  func `a browser misses nothing and sees nothing twice across a restart`() throws {
    let chromium = try #require(Witness.installed("chromium", "chromium-browser", "google-chrome"))
    let text = try Witness.run("browser.py", chromium)
    #expect(text.contains("each once and in order"))
  }
}
