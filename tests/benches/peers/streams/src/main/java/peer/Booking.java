package peer;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Writes what a fill did, by booking.avsc: texts with their lengths, decimals as they lie. */
final class Booking {
  private byte[] buffer = new byte[512];
  private int at;

  byte[] write(Fill fill, BigDecimal gain, Position position, BigDecimal cash) {
    at = 0;
    text(fill.execId);
    text(fill.portfolio);
    text(fill.instrument);
    decimal(fill.quantity, 8, 12);
    decimal(gain, 10, 12);
    decimal(fill.fees, 10, 12);
    decimal(position.quantity, 8, 12);
    decimal(position.cost, 18, 16);
    decimal(position.realized, 18, 16);
    decimal(position.fees, 10, 12);
    decimal(cash, 10, 12);
    return Arrays.copyOf(buffer, at);
  }

  private void text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (at + bytes.length + 160 > buffer.length) {
      buffer = Arrays.copyOf(buffer, 2 * (buffer.length + bytes.length));
    }
    for (int length = bytes.length << 1; ; length >>>= 7) {
      if (length < 0x80) {
        buffer[at++] = (byte) length;
        break;
      }
      buffer[at++] = (byte) (length & 0x7f | 0x80);
    }
    System.arraycopy(bytes, 0, buffer, at, bytes.length);
    at += bytes.length;
  }

  private void decimal(BigDecimal value, int scale, int size) {
    Money.write(value, scale, buffer, at, size);
    at += size;
  }
}
