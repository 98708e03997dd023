import Testing

/// One after the other with the crashes: several real instances on one log on a real Kafka broker.
extension CrashTests {
  @Suite struct InstancesTests {
    /// Law 26, from outside.
    @Test func `an instance that is killed costs its subscribers a reconnect and nothing else`()
      throws
    {
      let text = try Witness.run("resume.py", "10", "2013")
      #expect(text.contains("none missing, none twice"))
    }

    /// Law 26, from outside: also for those who come with a newer position than the instance has.
    @Test func `an instance that stood still serves on, and its streams miss nothing`() throws {
      let text = try Witness.run("paused.py", "6")
      #expect(text.contains("none missing, none twice"))
    }

    /// Law 27, from outside.
    @Test func `what one instance acknowledged is read at another at once, and comes on a third`()
      throws
    {
      let text = try Witness.run("readback.py", "300", "2013")
      #expect(text.contains("none missing, none twice"))
    }

    /// Law 18, from outside.
    @Test func `a publish that is tried again at another instance is in the log once`() throws {
      let text = try Witness.run("retried.py")
      #expect(text.contains("each once in the log"))
    }

    @Test func `streams of a draining instance come back each at a time of its own`() throws {
      let text = try Witness.run("drain.py")
      #expect(text.contains("all answered"))
    }

    @Test func `an instance ends in good order while the broker is away`() throws {
      let text = try Witness.run("leaving.py")
      #expect(text.contains("every publish was answered"))
    }

    /// Law 16, from outside.
    @Test func `another one decides when the leader is killed, paused or stopped`() throws {
      let text = try Witness.run("takeover.py")
      #expect(text.contains("each fact once"))
    }

    /// Laws 13 and 26, from outside.
    @Test func `a broker that is killed or stands still costs nothing that was acknowledged`()
      throws
    {
      let text = try Witness.run("away.py")
      #expect(text.contains("none missing, none twice"))
    }

    @Test func `the doctor finds what others have spoilt, and nothing else`() throws {
      let text = try Witness.run("doctor.py")
      #expect(text.contains("what was spoilt was found"))
    }

    @Test func `an embedded log moves to Kafka, and says the same there`() throws {
      let text = try Witness.run("migrate.py", "4000")
      #expect(text.contains("the same in both"))
    }

    @Test func `what an instance holds and reads follows what its own clients need`() throws {
      let text = try Witness.run("demand.py", "8")
      #expect(text.contains("what is held follows what is needed"))
    }

    /// Law 17, from outside: what the schemas say is what the topics hold.
    @Test func `others read and write the topics by the schemas alone`() throws {
      let text = try Witness.run("schemas.py")
      #expect(text.contains("the same everywhere"))
    }

    @Test func `make run-kafka shows what it says, and leaves no process behind`() throws {
      let text = try Witness.run("runkafka.py")
      #expect(text.contains("none left"))
    }

    @Test func `an instance that starts on a long log says how far it is`() throws {
      let text = try Witness.run("catchup.py", "20000")
      #expect(text.contains("nothing was left to read with a snapshot"))
    }
  }
}
