import EventStorage
import KafkaStorage
import Projections
import SegmentStorage

/// Examines a log from outside. Writes nothing.
package struct Doctor {
  /// Records that are looked at, the newest of each partition.
  static let sampleOffsets: Int64 = 10_000

  private let settings: Settings

  /// - Parameter settings: which log, and how it is reached.
  package init(_ settings: Settings) { self.settings = settings }

  /// Looks at everything there is to look at. Blocks.
  /// - Throws: when the log cannot be asked at all.
  package func examine() throws -> [Examination] {
    switch settings.log {
    case .file(let path): return try examine(folder: path)
    case .kafka(let brokers, let prefix):
      var options = settings.kafkaOptions(brokers, prefix)
      options.makesTopics = false
      return try examine(options)
    case .memory, .recording:
      throw SettingsFailure(description: "name a log that lasts: file:FOLDER or kafka://HOST:PORT")
    }
  }

  // MARK: Embedded

  private func examine(folder: String) throws -> [Examination] {
    var options = SegmentedLog.Options()
    options.isReadOnly = true
    let log = try SegmentedLog(opening: folder, options: options)
    defer { log.close() }
    var found = [
      Examination(
        "", .fine, "log \(log.identity) with \(log.layout.partitions) partitions of messages")
    ]
    if let url = try LogSeal.read(at: folder)?.url {
      found.append(Examination("", .advised, "it was moved to \(url): serve that one"))
    }
    for partition in log.layout.all {
      let bounds = try log.bounds(of: partition)
      var sample = KeySample(partition, of: log.layout)
      do throws(LogError) {
        var position = bounds.start
        while position < bounds.end {
          position = try log.read(partition, from: position, bytesMax: 4 << 20, into: &sample)
        }
        found.append(Examination("", .fine, "\(partition): \(sample.count) records are whole"))
      } catch {
        found.append(Examination("", .refused, "\(error)"))
      }
      found += sample.examinations
    }
    return found
  }

  // MARK: Kafka

  private func examine(_ options: KafkaLog.Options) throws -> [Examination] {
    let findings = try KafkaLog.findings(options)
    var found = [Examination("", .fine, "librdkafka \(KafkaLog.libraryVersion)")]
    found += findings.filter { $0.trap == nil }.map {
      Examination("", $0.weight == .refused ? .refused : .advised, $0.description)
    }
    func topics(_ trap: String, _ fine: String) -> [Examination] {
      let mine = findings.filter { $0.trap == trap }
      if mine.isEmpty { return [Examination(trap, .fine, fine)] }
      return mine.map {
        Examination(trap, $0.weight == .refused ? .refused : .advised, $0.description)
      }
    }
    var records: [String: [Examination]] = [:]
    if findings.contains(where: { $0.weight == .refused }) {
      for trap in ["T4", "T6", "T10", "T11", "T13", "T14"] {
        records[trap] = [Examination(trap, .unseen, "not before the topics are as they must be")]
      }
    } else {
      records = try examineRecords(options)
    }
    found += [
      Examination("T1", .byDesign, "what is appended was accepted before; folds refuse nothing"),
      Examination("T2", .byDesign, "every record has the whole state of its key"),
      Examination("T3", .byDesign, "no record is a change to add up"),
    ]
    found += records["T4"] ?? []
    found += topics(
      "T5", "tombstones stay long enough for whoever was away; older readers begin anew")
    found += records["T6"] ?? []
    found.append(
      Examination(
        "T7", .unseen, "brokers must keep tombstones as KIP-534 says: Apache Kafka 3.1 or later"))
    found += topics("T8", "several brokers hold every topic, and none leads that is behind")
    found += topics("T9", "the cleaner comes round before most of a topic is old")
    for trap in ["T10", "T11"] { found += records[trap] ?? [] }
    found += topics("T12", "every topic has the number of partitions that the log was made with")
    for trap in ["T13", "T14"] { found += records[trap] ?? [] }
    found += topics("T15", "nothing is deleted by age that nobody repeats")
    return found
  }

  /// What can be seen in the newest records.
  private func examineRecords(_ options: KafkaLog.Options) throws -> [String: [Examination]] {
    let log = try KafkaLog(options)
    defer { log.close() }
    var found: [Examination] = []
    var count = 0
    var offsets: Int64 = 0
    let began = ContinuousClock.now
    for partition in log.layout.all {
      let bounds = try log.bounds(of: partition)
      offsets += bounds.end.rawValue - bounds.start.rawValue
      var sample = KeySample(partition, of: log.layout)
      var position = max(bounds.start, Offset(bounds.end.rawValue - Doctor.sampleOffsets))
      while position < bounds.end {
        position = try log.read(partition, from: position, bytesMax: 4 << 20, into: &sample)
      }
      count += sample.count
      found += sample.examinations
    }
    let seconds = max((ContinuousClock.now - began) / .seconds(1), 1e-3)
    var byTrap = Dictionary(grouping: found, by: \.trap)
    for (trap, fine) in KeySample.traps where byTrap[trap] == nil {
      byTrap[trap] = [Examination(trap, .fine, "\(fine), in \(count) records that were looked at")]
    }
    let whole = seconds * Double(offsets) / Double(max(count, 1))
    let retention = options.tombstoneRetention / .seconds(1)
    byTrap["T6"] = [
      Examination(
        "T6", whole < retention / 10 ? .fine : .advised,
        "reading all of it takes about \(Int(whole.rounded(.up))) s, and tombstones stay "
          + "\(Int(retention / 3600)) h"
          + (whole < retention / 10 ? "" : "; keep snapshots, or raise delete.retention.ms"))
    ]
    byTrap["T14"] = try examineTransactions(options, log.layout)
    return byTrap
  }

  private func examineTransactions(
    _ options: KafkaLog.Options, _ layout: LogLayout
  ) throws -> [Examination] {
    let first = try KafkaLog.openTransactions(options, layout)
    var open = first
    // One that is under way moves on, or ends.
    let patience = ContinuousClock.now + options.transactionTimeout
    while !open.isEmpty, .now < patience {
      pause(for: .milliseconds(200))
      let now = try KafkaLog.openTransactions(options, layout)
      open = open.filter { held in
        now.contains { $0.partition == held.partition && $0.stableEnd == held.stableEnd }
      }
    }
    if open.isEmpty {
      return [Examination("T14", .fine, "no transaction holds readers back")]
    }
    return open.map {
      Examination(
        "T14", .refused,
        "\($0.partition) is held back at \($0.stableEnd) of \($0.end) by a transaction that has not "
          + "ended for \(options.transactionTimeout); end its producer, or abort it with Kafka's tools"
      )
    }
  }
}
