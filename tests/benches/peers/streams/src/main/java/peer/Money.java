package peer;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.Arrays;

/** Decimals as the records hold them: big-endian two's complement of a fixed length. */
final class Money {
  private Money() {}

  static BigDecimal read(byte[] fixed, int scale) {
    int high = (fixed[0] << 24) | (fixed[1] & 0xff) << 16 | (fixed[2] & 0xff) << 8 | (fixed[3] & 0xff);
    long low = 0;
    for (int at = 4; at < 12; at++) {
      low = low << 8 | (fixed[at] & 0xff);
    }
    // Nearly every number fits a long, and then needs no object more.
    return high == (low >> 63) ? BigDecimal.valueOf(low, scale) : new BigDecimal(new BigInteger(fixed), scale);
  }

  static void write(BigDecimal value, int scale, byte[] into, int at, int size) {
    byte[] digits = value.setScale(scale, RoundingMode.HALF_EVEN).unscaledValue().toByteArray();
    Arrays.fill(into, at, at + size - digits.length, (byte) (digits[0] < 0 ? -1 : 0));
    System.arraycopy(digits, 0, into, at + size - digits.length, digits.length);
  }
}
