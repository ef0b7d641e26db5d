package peer;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The job as a Kafka Streams application: servers, fills, ticks, output, application id, threads, commit interval,
 * state folder.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    KafkaStreams streams = new KafkaStreams(topology(arguments[1], arguments[2], arguments[3]), settings(arguments));
    streams.setUncaughtExceptionHandler(failed -> StreamThreadExceptionResponse.REPLACE_THREAD);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(10))));
    streams.start();
  }

  private static Topology topology(String fills, String ticks, String output) {
    return new Topology()
        .addGlobalStore(
            Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(Prices.STORE), Serdes.String(), money()).withLoggingDisabled(),
            "ticks", new StringDeserializer(), new ByteArrayDeserializer(), ticks, "prices", Prices::new)
        .addSource("fills", new ByteArrayDeserializer(), new ByteArrayDeserializer(), fills)
        .addProcessor("keeper", Keeper::new, "fills")
        .addStateStore(store(Keeper.POSITIONS, Position.serde()), "keeper")
        .addStateStore(store(Keeper.CASH, money()), "keeper")
        .addSink("bookings", output, new ByteArraySerializer(), new ByteArraySerializer(), "keeper");
  }

  /** In memory, behind the cache, with a changelog: the faster of the two kinds of store. */
  private static <T> StoreBuilder<KeyValueStore<String, T>> store(String name, Serde<T> serde) {
    return Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(name), Serdes.String(), serde).withCachingEnabled();
  }

  private static Serde<BigDecimal> money() {
    return Serdes.serdeFrom(
        (topic, value) -> value == null ? null : value.setScale(18).unscaledValue().toByteArray(),
        (topic, bytes) -> bytes == null ? null : new BigDecimal(new BigInteger(bytes), 18));
  }

  private static Properties settings(String[] arguments) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments[4]);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, arguments[5]);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, arguments[6]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[7]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 128L << 20);
    settings.put(StreamsConfig.METRICS_RECORDING_LEVEL_CONFIG, "INFO");
    // A process that starts again under its name has its partitions at once; others wait for this.
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG), "peer");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), 30_000);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG), 4 << 20);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 5);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    // Stores in memory have no lasting process id, so that a killed process' transaction is waited for: let it be short.
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), 5_000);
    return settings;
  }
}
