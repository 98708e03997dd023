import Glibc

extension PropertyOptions {
  /// What the environment of this process says: see `environment()`.
  public static let standard = environment()

  /// What the environment variables say:
  ///
  /// - `SIGNALBOX_PROPERTY_CASES`: how many cases;
  /// - `SIGNALBOX_PROPERTY_SEED`: a number or any other text, such as the hash of a commit;
  /// - `SIGNALBOX_PROPERTY_TAPE`: `name=4.0.17`, the one case to run for the property of that name.
  ///
  /// What cannot be read is kept in `problems`, which every property then reports.
  public static func environment() -> PropertyOptions {
    PropertyOptions { name in getenv(name).map { String(cString: $0) } }
  }

  init(reading variable: (String) -> String?) {
    if let text = variable("SIGNALBOX_PROPERTY_CASES") {
      if let number = Int(text), number > 0 {
        cases = number
      } else {
        problems.append("SIGNALBOX_PROPERTY_CASES is '\(text)': set it to a number from 1")
      }
    }
    if let text = variable("SIGNALBOX_PROPERTY_SEED") {
      if text.isEmpty {
        problems.append("SIGNALBOX_PROPERTY_SEED is empty: set it to a number or a text")
      } else {
        seed = PropertyOptions.seed(of: text)
      }
    }
    if let text = variable("SIGNALBOX_PROPERTY_TAPE") {
      // A name may have an equals sign; a tape has none.
      if let equals = text.lastIndex(of: "="), equals > text.startIndex,
        let tape = Tape(String(text[text.index(after: equals)...]))
      {
        tapesByName[String(text[..<equals])] = tape
      } else {
        problems.append(
          "SIGNALBOX_PROPERTY_TAPE is '\(text)': set it to a property's name and its tape, as in "
            + "'name=4.0.17'")
      }
    }
  }
}
