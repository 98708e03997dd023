import Foundation

/// Prints a line at once, also into a pipe: whoever reads it waits for it.
func printLine(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }
