import Foundation

/// The table as text and as JSON lines.
package enum BenchmarkTable {
  private static let widths = [34, 15, 34, 8, 9]

  package static var header: String {
    line(["case", "ours", "floor or rival", "ratio", "target", "result"]) + "\n"
      + line(widths.map { String(repeating: "-", count: $0) } + ["------"])
  }

  package static func text(_ row: BenchmarkRow) -> String {
    var verdict = row.target?.text ?? ""
    if let met = row.isMet { verdict += met ? " ✓" : " ✗" }
    let rival = row.missing ?? row.rival.map { "\(row.rivalName) \($0.text)" } ?? row.rivalName
    return line([
      row.name, row.ours?.text ?? "", rival, row.ratio.map(Quantity.figures) ?? "", verdict,
      row.evidence,
    ])
  }

  package static func json(_ row: BenchmarkRow) -> String {
    var object: [String: Any] = ["case": row.name, "result": row.evidence]
    if let ours = row.ours {
      object["ours"] = ours.value
      object["unit"] = ours.unit
    }
    if let rival = row.rival {
      object["rival"] = rival.value
      object["rivalName"] = row.rivalName
    }
    if let ratio = row.ratio { object["ratio"] = ratio }
    if let target = row.target { object["target"] = target.text }
    if let met = row.isMet { object["met"] = met }
    if let missing = row.missing { object["missing"] = missing }
    let data = try? JSONSerialization.data(
      withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  private static func line(_ cells: [String]) -> String {
    var text = ""
    for (index, cell) in cells.enumerated() {
      text += cell
      if index < widths.count {
        text += String(repeating: " ", count: max(0, widths[index] - cell.count) + 2)
      }
    }
    return text
  }
}
