import CRdKafka
import EventStorage
import Foundation

@testable import KafkaStorage

/// librdkafka's own cluster in this process: it fails as it is told to. It does not compact, and has no topics but these.
///
/// `@unchecked Sendable`: librdkafka lets every thread tell the cluster what to do.
final class MockCluster: @unchecked Sendable {
  /// Kinds of requests, as the protocol numbers them.
  enum Request: Int16 {
    case produce = 0
    case fetch = 1
    case listOffsets = 2
    case findCoordinator = 10
    case initProducerID = 22
    case addPartitions = 24
    case endTransaction = 26
  }

  private let client: OpaquePointer
  private let cluster: OpaquePointer
  let options: KafkaLog.Options

  init(brokers: Int = 3, _ change: (inout KafkaLog.Options) -> Void = { _ in }) throws {
    let conf = rd_kafka_conf_new()
    rd_kafka_conf_set_log_cb(conf, nil)
    guard let client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, nil, 0),
      let cluster = rd_kafka_mock_cluster_new(client, Int32(brokers)),
      let address = rd_kafka_mock_cluster_bootstraps(cluster)
    else { throw Broker.Missing(description: "no mock cluster") }
    self.client = client
    self.cluster = cluster
    var options = KafkaLog.Options(brokers: String(cString: address))
    options.managesTopics = false
    options.appendTimeout = .seconds(15)
    options.requestTimeout = .seconds(5)
    change(&options)
    self.options = options
    for topic in Topic.allCases {
      let count: Int32 = topic == .topology ? 1 : 2
      rd_kafka_mock_topic_create(
        cluster, options.topic(topic), count, Int32(min(3, brokers)))
    }
    rd_kafka_mock_topic_create(cluster, options.controlTopic, 1, Int32(min(3, brokers)))
    lead(messages, by: 1)
  }

  deinit {
    rd_kafka_mock_cluster_destroy(cluster)
    rd_kafka_destroy(client)
  }

  /// The next requests of this kind are answered with these errors, one each.
  func fail(_ request: Request, with errors: [rd_kafka_resp_err_t]) {
    rd_kafka_mock_push_request_errors_array(cluster, request.rawValue, errors.count, errors)
  }

  /// The next request of this kind to this broker is carried out, but answered late.
  func delay(_ request: Request, at broker: Int32, milliseconds: Int32) {
    signalbox_mock_delay(
      cluster, broker, request.rawValue, RD_KAFKA_RESP_ERR_NO_ERROR, milliseconds)
  }

  func lead(_ partition: Partition, by broker: Int32) {
    rd_kafka_mock_partition_set_leader(
      cluster, options.topic(partition.topic), Int32(partition.index), broker)
  }

  func setDown(_ broker: Int32) { rd_kafka_mock_broker_set_down(cluster, broker) }
  func setUp(_ broker: Int32) { rd_kafka_mock_broker_set_up(cluster, broker) }

  func setRoundTrip(_ milliseconds: Int32) {
    for broker in Int32(1)...3 { rd_kafka_mock_broker_set_rtt(cluster, broker, milliseconds) }
  }
}
