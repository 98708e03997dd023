/// Which log a world keeps its facts in.
package enum LogKind: String, CaseIterable, Sendable {
  /// The real one, on a simulated disk.
  case embedded
  /// A simulated cluster of brokers, and in every process a client that does what `KafkaLog` does.
  case kafka
}
