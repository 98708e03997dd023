extension MemoryPartition {
  /// Before `cleanPoint`, keeps of each key its last record only; before `horizon`, not even that if it is a tombstone.
  ///
  /// Offsets and order stay (law 6). All earlier records of a key go in the pass that drops its tombstone, so
  /// nothing comes back (law 8).
  mutating func compact(
    before cleanPoint: Offset, dropTombstonesBefore horizon: Offset, of partition: Partition
  ) throws(LogError) {
    try check(cleanPoint, of: partition)
    precondition(
      horizon <= cleanPoint,
      "tombstones are dropped before \(horizon), but records are cleaned before \(cleanPoint) only")
    moveCleanPoint(to: cleanPoint)
    var last: [[UInt8]: Offset] = [:]
    for batch in batches {
      for row in batch.rows where row.offset < cleanPoint { last[batch.key(of: row)] = row.offset }
    }
    let compacted = batches.map { batch in
      batch.keeping { row in
        if row.offset >= cleanPoint { return true }
        if row.isTombstone, row.offset < horizon { return false }
        return last[batch.key(of: row)] == row.offset
      }
    }
    replace(compacted, tombstoneHorizon: horizon)
  }
}
