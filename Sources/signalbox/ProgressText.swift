/// How far a command is, for a terminal: share, records, rate and the time that is left.
func progressText(records: Int, share: Double, elapsed: Duration) -> String {
  let seconds = max(elapsed / .seconds(1), 1e-9)
  let left = share > 0 ? Int(seconds / share - seconds) : 0
  let rate = Int(Double(records) / seconds)
  return "\(Int(share * 100)) %  \(records) records  \(rate) a second  \(left) s left"
}
