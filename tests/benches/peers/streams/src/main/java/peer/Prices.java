package peer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Keeps the newest last price of each instrument in the global store. */
final class Prices implements Processor<String, byte[], Void, Void> {
  static final String STORE = "prices";
  /** C3 01 and the fingerprint of marketdata.ticks.v1. */
  private static final int HEADER = 10;

  private final byte[] fixed = new byte[12];
  private BinaryDecoder decoder;
  private KeyValueStore<String, BigDecimal> prices;

  @Override
  public void init(ProcessorContext<Void, Void> context) {
    prices = context.getStateStore(STORE);
  }

  @Override
  public void process(Record<String, byte[]> tick) {
    try {
      decoder = DecoderFactory.get().binaryDecoder(tick.value(), HEADER, tick.value().length - HEADER, decoder);
      decoder.skipString();
      skipOptionalDecimal();
      skipOptionalDecimal();
      if (decoder.readIndex() == 1) {
        decoder.readFixed(fixed, 0, 12);
        prices.put(tick.key(), Money.read(fixed, 10));
      }
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  private void skipOptionalDecimal() throws IOException {
    if (decoder.readIndex() == 1) {
      decoder.skipFixed(12);
    }
  }
}
