package import EventStorage

extension KafkaLog {
  /// A partition that readers cannot read to its end, because a transaction before it has not ended.
  package struct HeldBack: Equatable, Sendable {
    package let partition: Partition
    /// Where readers of what is committed come to.
    package let stableEnd: Offset
    /// Where the partition ends.
    package let end: Offset
  }

  /// The partitions in which a transaction is open now. One that still is when it should have been ended long ago stops readers and
  /// compaction alike.
  package static func openTransactions(_ options: Options, _ layout: LogLayout) throws(LogError)
    -> [HeldBack]
  {
    let properties = try KafkaProperties(options)
    do throws(KafkaFailure) {
      let committed = try Client(.consumer, properties.reader)
      let everything = try Client(.consumer, properties.controlReader)
      var held: [HeldBack] = []
      for partition in layout.all {
        let topic = options.topic(partition.topic)
        let (_, stable) = try committed.watermarks(
          of: topic, partition.index, within: options.requestTimeout)
        let (_, end) = try everything.watermarks(
          of: topic, partition.index, within: options.requestTimeout)
        if stable < end {
          held.append(HeldBack(partition: partition, stableEnd: stable, end: end))
        }
      }
      return held
    } catch {
      throw .unavailable(detail: error.detail)
    }
  }

  /// The version of librdkafka that is linked.
  package static var libraryVersion: String { Client.libraryVersion }
}
