package peer;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Books each fill into its position and its portfolio's cash, and passes on what it did. */
final class Keeper implements Processor<byte[], byte[], byte[], byte[]> {
  static final String POSITIONS = "positions";
  static final String CASH = "cash";

  private final Fill fill = new Fill();
  private final Booking booking = new Booking();
  private ProcessorContext<byte[], byte[]> context;
  private KeyValueStore<String, Position> positions;
  private KeyValueStore<String, BigDecimal> cash;

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    positions = context.getStateStore(POSITIONS);
    cash = context.getStateStore(CASH);
  }

  @Override
  public void process(Record<byte[], byte[]> record) {
    try {
      fill.read(record.value());
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
    String line = fill.portfolio + '\n' + fill.instrument;
    Position position = positions.get(line);
    if (position == null) {
      position = new Position();
    }
    BigDecimal gain = position.trade(fill.quantity, fill.price, fill.fees);
    positions.put(line, position);
    BigDecimal before = cash.get(fill.portfolio);
    BigDecimal change = fill.quantity.multiply(fill.price).negate().subtract(fill.fees);
    BigDecimal after = before == null ? change : before.add(change);
    cash.put(fill.portfolio, after);
    context.forward(record.withValue(booking.write(fill, gain, position, after)));
  }
}
