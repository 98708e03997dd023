import Foundation
import Testing

/// One after the other with the crashes: each takes both cores for a while.
extension CrashTests {
  @Suite struct FaultTests {
    /// Every call that makes something durable, moves, cuts or lists fails once and is once the last of the process, and so is a
    /// spread of the others: some 50 seconds. `SIGNALBOX_FAULTS=all` takes every call and every fault, in some 130.
    private static let extent = ProcessInfo.processInfo.environment["SIGNALBOX_FAULTS"] ?? "some"

    /// Laws 13, 14, 15 and 18, from outside.
    @Test(.enabled(if: Witness.canTrace, "nothing can be traced here: install the package strace"))
    func `whatever call on the log fails or is the last, what was acknowledged is there`() throws {
      let text = try Witness.run("injected.py", FaultTests.extent)
      #expect(text.contains(" 0 wrong"))
    }

    /// Laws 13, 14 and 15, from outside.
    @Test(.enabled(if: Witness.canTrace, "nothing can be traced here: install the package strace"))
    func `a torn write is cut off, and a lost one is named`() throws {
      let text = try Witness.run("torn.py")
      #expect(text.contains("canary found"))
    }

    /// Law 13, from outside. Law 33: without fdatasync the loss is found.
    @Test(
      .enabled(
        if: Witness.canTrace && Witness.canCutPower,
        "no file system can be mounted here: that needs root, loop devices, e2fsprogs and strace"))
    func `after power cuts under load every acknowledged message is there once`() throws {
      let text = try Witness.run("powercut.py", "16", "2013")
      #expect(text.contains("none lost, none twice"))
      #expect(text.contains("canary found"))
    }

    /// Law 15, from outside.
    @Test(
      .enabled(
        if: Witness.canCutPower,
        "no file system can be mounted here: that needs root, loop devices and e2fsprogs"))
    func `a disk that is full or read-only is said, and costs nothing that was acknowledged`()
      throws
    {
      let text = try Witness.run("fulldisk.py")
      #expect(text.contains("none lost"))
    }
  }
}
