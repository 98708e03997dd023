import FuzzTargets
import Glibc

#if FUZZER
  /// The target, which is named in the environment: the command line belongs to libFuzzer.
  private let target: FuzzTarget = {
    let name = getenv("SIGNALBOX_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget.named(name) else {
      fatalError("SIGNALBOX_FUZZ_TARGET is “\(name)”, which is no target")
    }
    return target
  }()

  /// What libFuzzer calls with each input. The program's `main` is libFuzzer's, too.
  @c(LLVMFuzzerTestOneInput)
  public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // Not worth keeping.
    if count > target.bytesMax { return -1 }
    do {
      try target.test(Array(UnsafeBufferPointer(start: bytes, count: count)))
      return 0
    } catch {
      fatalError("\(target.name): \(error)")
    }
  }
#else
  /// Without libFuzzer: lists the targets, or tests the files that are named.
  @main struct Fuzz {
    static func main() {
      let arguments = CommandLine.arguments.dropFirst()
      guard let name = arguments.first else {
        for target in FuzzTarget.all { print(target.name, target.bytesMax) }
        return
      }
      guard let target = FuzzTarget.named(name) else {
        print("“\(name)” is no target; without arguments, fuzz lists them")
        exit(1)
      }
      for path in arguments.dropFirst() {
        do {
          try target.test(try FuzzTarget.input(path))
        } catch {
          print("\(path): \(error)")
          exit(1)
        }
      }
    }
  }
#endif
