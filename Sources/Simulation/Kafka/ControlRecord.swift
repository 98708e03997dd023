internal import EventStorage
internal import KafkaStorage

/// The records of the control topic that are of use here: lives of writers, and words of candidates.
enum ControlRecord {
  static func life(_ writer: Writer, in partition: Partition, at time: Int64) -> ProducedRecord {
    ProducedRecord(
      key: Array(key(writer.id, partition).utf8), value: Array("\(writer.epoch)".utf8),
      timestamp: time,
      header: AppendHeader(
        id: .init(instance: UInt64(writer.id), number: UInt64(writer.epoch)), following: 0))
  }

  static func key(_ writer: Int64, _ partition: Partition) -> String {
    "writer/\(partition)/\(writer)"
  }

  static func life(_ record: ProducedRecord) -> (Writer, Partition)? {
    let parts = String(decoding: record.key, as: UTF8.self).split(separator: "/")
    guard parts.count == 4, parts[0] == "writer", let id = Int64(parts[3]),
      let index = Int(parts[2]), let value = record.value,
      let topic = Topic.allCases.first(where: { $0.name == parts[1] }),
      let epoch = Int16(String(decoding: value, as: UTF8.self))
    else { return nil }
    return (Writer(id: id, epoch: epoch), Partition(topic, index))
  }

  static let candidates = "candidate/1/"

  static func word(of candidate: String, joined: Int64?, isGone: Bool, at time: Int64)
    -> ProducedRecord
  {
    ProducedRecord(
      key: Array((candidates + candidate).utf8),
      value: isGone ? nil : joined.map { Array("\($0)".utf8) } ?? [], timestamp: time,
      header: AppendHeader(id: .init(instance: 0, number: 0), following: 0))
  }
}
