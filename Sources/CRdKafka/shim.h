#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

/* rd_kafka_producev is variadic, which Swift cannot call. Copies key and value; a value of NULL is a
   tombstone. Takes the headers, also when it fails. */
static inline rd_kafka_resp_err_t signalbox_produce(
    rd_kafka_t *client, rd_kafka_topic_t *topic, int32_t partition, const void *key, size_t key_size,
    const void *value, size_t value_size, int64_t timestamp, rd_kafka_headers_t *headers,
    void *opaque) {
  rd_kafka_resp_err_t error = rd_kafka_producev(
      client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_size),
      RD_KAFKA_V_VALUE((void *)value, value_size), RD_KAFKA_V_TIMESTAMP(timestamp),
      RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
  if (error) rd_kafka_headers_destroy(headers);
  return error;
}

/* rd_kafka_mock_broker_push_request_error_rtts is variadic too. The next request of this kind is answered so late. */
static inline void signalbox_mock_delay(
    rd_kafka_mock_cluster_t *cluster, int32_t broker, int16_t api, rd_kafka_resp_err_t error,
    int milliseconds) {
  rd_kafka_mock_broker_push_request_error_rtts(cluster, broker, api, 1, error, milliseconds);
}
