package peer;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * A position at its average cost. Fees stay outside the average; a fill larger than the position closes it and opens the rest;
 * the cost that a reduction releases is rounded half-even at eighteen decimals.
 */
final class Position {
  private static final int EXACT = 18;

  BigDecimal quantity = BigDecimal.ZERO;
  BigDecimal cost = BigDecimal.ZERO;
  BigDecimal realized = BigDecimal.ZERO;
  BigDecimal fees = BigDecimal.ZERO;

  /** Books a trade; gives the profit that it realised, before fees. */
  BigDecimal trade(BigDecimal change, BigDecimal price, BigDecimal fee) {
    fees = fees.add(fee);
    if (quantity.signum() * change.signum() >= 0) {
      quantity = quantity.add(change);
      cost = cost.add(change.multiply(price));
      return BigDecimal.ZERO;
    }
    BigDecimal held = quantity.abs();
    BigDecimal closed = change.abs().min(held);
    BigDecimal released =
        closed.compareTo(held) == 0 ? cost : cost.multiply(closed).divide(held, EXACT, RoundingMode.HALF_EVEN);
    BigDecimal signedClosed = change.signum() < 0 ? closed.negate() : closed;
    BigDecimal gain = signedClosed.negate().multiply(price).subtract(released);
    BigDecimal rest = change.subtract(signedClosed);
    quantity = quantity.add(change);
    cost = rest.signum() == 0 ? cost.subtract(released) : rest.multiply(price);
    realized = realized.add(gain);
    return gain;
  }

  /** As the store and its changelog keep it: quantity, fees, then cost and realised profit with their lengths. */
  static Serde<Position> serde() {
    return Serdes.serdeFrom((topic, position) -> position == null ? null : position.bytes(), (topic, bytes) -> of(bytes));
  }

  private byte[] bytes() {
    byte[] exactCost = exact(cost);
    byte[] exactRealized = exact(realized);
    ByteBuffer into = ByteBuffer.allocate(18 + exactCost.length + exactRealized.length);
    into.putLong(quantity.setScale(8).unscaledValue().longValueExact()).putLong(fees.setScale(10).unscaledValue().longValueExact());
    into.put((byte) exactCost.length).put(exactCost).put((byte) exactRealized.length).put(exactRealized);
    return into.array();
  }

  private static Position of(byte[] bytes) {
    if (bytes == null) {
      return null;
    }
    ByteBuffer from = ByteBuffer.wrap(bytes);
    Position position = new Position();
    position.quantity = BigDecimal.valueOf(from.getLong(), 8);
    position.fees = BigDecimal.valueOf(from.getLong(), 10);
    position.cost = decimal(from);
    position.realized = decimal(from);
    return position;
  }

  private static byte[] exact(BigDecimal value) {
    return value.setScale(EXACT, RoundingMode.UNNECESSARY).unscaledValue().toByteArray();
  }

  private static BigDecimal decimal(ByteBuffer from) {
    byte[] digits = new byte[from.get()];
    from.get(digits);
    return new BigDecimal(new BigInteger(digits), EXACT);
  }
}
