import CSQLite
import EventStorage

/// Events in SQLite through its C library, a row each: the obvious way to keep a log without writing one.
final class SQLiteEvents {
  private var database: OpaquePointer?
  private var insert: OpaquePointer?
  private var next: Int64 = 0

  /// A new database that syncs every transaction, as far as a write-ahead log of SQLite goes.
  init(_ path: String) throws {
    try check(sqlite3_open(path, &database), "open")
    try run("PRAGMA journal_mode=WAL")
    try run("PRAGMA synchronous=FULL")
    try run("CREATE TABLE events(offset INTEGER PRIMARY KEY, time INTEGER, key BLOB, value BLOB)")
    try check(
      sqlite3_prepare_v2(
        database, "INSERT INTO events VALUES(?1, ?2, ?3, ?4)", -1, &insert, nil), "prepare")
  }

  deinit {
    sqlite3_finalize(insert)
    sqlite3_close(database)
  }

  /// One transaction for the batch, a row for each record.
  func append(_ batch: AppendBatch) throws {
    try run("BEGIN")
    for record in batch.records {
      sqlite3_bind_int64(insert, 1, next)
      sqlite3_bind_int64(insert, 2, batch.timestamp)
      // No copy: the statement is done before the bytes go.
      let code = record.key.withUnsafeBytes { key in
        sqlite3_bind_blob(insert, 3, key.baseAddress, Int32(key.count), nil)
        guard let value = record.value else {
          sqlite3_bind_null(insert, 4)
          return sqlite3_step(insert)
        }
        return value.withUnsafeBytes { value in
          sqlite3_bind_blob(insert, 4, value.baseAddress, Int32(value.count), nil)
          return sqlite3_step(insert)
        }
      }
      guard code == SQLITE_DONE else { throw failure("insert") }
      sqlite3_reset(insert)
      next += 1
    }
    try run("COMMIT")
  }

  /// Moves what the write-ahead log holds into the table, so that reading meets one file.
  func checkpoint() throws { try run("PRAGMA wal_checkpoint(TRUNCATE)") }

  /// Reads every row in order and lends them to a sink in batches of this many.
  func read<Sink: RecordSink & ~Copyable>(
    batches batchRecords: Int, into sink: inout Sink
  ) throws {
    var select: OpaquePointer?
    try check(
      sqlite3_prepare_v2(
        database, "SELECT offset, time, key, value FROM events ORDER BY offset", -1, &select, nil),
      "prepare")
    defer { sqlite3_finalize(select) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    var used = 0
    var rows: [RecordRow] = []
    rows.reserveCapacity(batchRecords)
    while true {
      let code = sqlite3_step(select)
      guard code == SQLITE_ROW else {
        guard code == SQLITE_DONE else { throw failure("select") }
        break
      }
      let key = blob(select, 2)
      let value = blob(select, 3)
      if used + key.count + value.count > bytes.count {
        bytes += [UInt8](repeating: 0, count: max(bytes.count, key.count + value.count))
      }
      bytes.withUnsafeMutableBytes { target in
        target[used...].copyBytes(from: key)
        target[(used + key.count)...].copyBytes(from: value)
      }
      rows.append(
        RecordRow(
          offset: Offset(sqlite3_column_int64(select, 0)),
          timestamp: sqlite3_column_int64(select, 1), keyStart: Int32(used),
          keyLength: Int32(key.count), valueStart: Int32(used + key.count),
          valueLength: sqlite3_column_type(select, 3) == SQLITE_NULL ? -1 : Int32(value.count)))
      used += key.count + value.count
      if rows.count == batchRecords {
        lend(bytes, &rows, &used, &sink)
      }
    }
    lend(bytes, &rows, &used, &sink)
  }

  private func lend<Sink: RecordSink & ~Copyable>(
    _ bytes: [UInt8], _ rows: inout [RecordRow], _ used: inout Int, _ sink: inout Sink
  ) {
    guard let last = rows.last else { return }
    sink.apply(bytes.span.bytes, rows.span, next: Offset(last.offset.rawValue + 1))
    rows.removeAll(keepingCapacity: true)
    used = 0
  }

  private func blob(_ statement: OpaquePointer?, _ column: Int32) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      start: sqlite3_column_blob(statement, column),
      count: Int(sqlite3_column_bytes(statement, column)))
  }

  private func run(_ statement: String) throws {
    try check(sqlite3_exec(database, statement, nil, nil, nil), statement)
  }

  private func check(_ code: Int32, _ what: String) throws {
    guard code == SQLITE_OK else { throw failure(what) }
  }

  private func failure(_ what: String) -> BenchmarkFailure {
    BenchmarkFailure("SQLite: \(what): \(String(cString: sqlite3_errmsg(database)))")
  }
}
