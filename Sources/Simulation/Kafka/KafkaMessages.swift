internal import EventStorage
internal import KafkaStorage

/// A partition of the cluster: one of the log's, or the one of the control topic.
enum KafkaTopic: Hashable {
  case log(Partition)
  case control
}

/// A producer as the brokers know it: whoever has the same id and a higher epoch keeps it out.
struct ProducerLife: Hashable {
  var id: Int64
  var epoch: Int
}

/// A record on its way to a broker.
struct ProducedRecord {
  var key: [UInt8]
  var value: [UInt8]?
  var timestamp: Int64
  var header: AppendHeader
}

enum Isolation: Int {
  case committed, uncommitted
}

/// What clients ask of the cluster: Kafka's requests, as far as `KafkaLog` needs them.
enum KafkaRequest {
  /// Waits so long when there is nothing new.
  case fetch([(topic: KafkaTopic, from: Offset)], Isolation, wait: VirtualTime, recordsMax: Int)
  /// Where partitions start and end.
  case ends([KafkaTopic], Isolation)
  /// The first offset whose record is not older.
  case offset(KafkaTopic, notBefore: Int64)
  /// InitProducerId: with a transactional id it ends what an older life had open, and keeps that out. `after` asks for the epoch
  /// after one's own.
  case begin(transactional: String?, after: ProducerLife?)
  /// AddPartitionsToTxn.
  case enlist(String, ProducerLife, [KafkaTopic])
  case produce(KafkaTopic, [ProducedRecord], ProducerLife, sequence: Int, transactional: String?)
  /// EndTxn.
  case endTransaction(String, ProducerLife, commits: Bool)
}

enum KafkaAnswer {
  case fetched([KafkaFetched])
  case ends([(start: Offset, end: Offset)])
  /// The stable end when everything is older.
  case offset(Offset)
  case producer(ProducerLife)
  case produced(first: Offset)
  case done
  case refused(KafkaRefusal)
}

/// Kafka's error codes, as far as they make a difference.
enum KafkaRefusal: Error, Equatable {
  /// Not now: try again.
  case notLeader, coordinatorLoading, concurrentTransactions
  /// PRODUCER_FENCED, INVALID_PRODUCER_EPOCH.
  case fenced
  /// INVALID_TXN_STATE: no such transaction is open.
  case noTransaction
  /// OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID.
  case outOfSequence
  /// OFFSET_OUT_OF_RANGE.
  case outOfRange(start: Offset, end: Offset)
  /// Nothing was heard in time.
  case noAnswer

  var isRetriable: Bool {
    switch self {
    case .notLeader, .coordinatorLoading, .concurrentTransactions, .noAnswer: true
    case .fenced, .noTransaction, .outOfSequence, .outOfRange: false
    }
  }
}

/// What a broker has of one partition.
struct KafkaFetched {
  struct Record {
    var offset: Offset
    var timestamp: Int64
    var key: [UInt8]
    var value: [UInt8]?
    var header: AppendHeader?
  }

  var topic: KafkaTopic
  var from: Offset
  var records: [Record] = []
  /// From where to go on: behind markers and what was aborted, too.
  var next: Offset
  var start: Offset
  /// As far as a reader of this isolation gets now.
  var end: Offset
  var refusal: KafkaRefusal?
}
