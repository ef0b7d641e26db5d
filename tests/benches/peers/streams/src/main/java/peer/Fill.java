package peer;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/**
 * A fill in the order of its schema's fields, read as the classes that Avro generates read theirs: field by field, without a
 * generic record. It reads trades; a correction or a cancel is not part of the benches' job and is refused.
 */
final class Fill {
  /** C3 01 and the fingerprint of execution.fills.v1. */
  private static final int HEADER = 10;

  private static final int TRADE = 1;
  private static final int BUY = 1;

  String execId;
  String portfolio;
  String instrument;
  /** Signed units, of eight decimals. */
  BigDecimal quantity;
  /** Of ten decimals. */
  BigDecimal price;
  BigDecimal fees;

  private BinaryDecoder decoder;
  private final byte[] fixed = new byte[12];

  /** Reads over what was read before. */
  void read(byte[] value) throws IOException {
    decoder = DecoderFactory.get().binaryDecoder(value, HEADER, value.length - HEADER, decoder);
    decoder.skipString();
    execId = decoder.readString();
    decoder.readInt();
    if (decoder.readEnum() != TRADE) {
      throw new IOException("a fill that is no trade: " + execId);
    }
    skipOptionalString();
    portfolio = decoder.readString();
    instrument = decoder.readString();
    skipOptionalString();
    boolean buy = decoder.readEnum() == BUY;
    BigDecimal size = decimal(8);
    quantity = buy ? size : size.negate();
    price = decimal(10);
    decoder.skipString();
    readFees();
    // The remaining fields are not part of the job.
  }

  private void readFees() throws IOException {
    fees = BigDecimal.ZERO;
    for (long left = decoder.readArrayStart(); left != 0; left = decoder.arrayNext()) {
      for (long n = 0; n < left; n++) {
        decoder.skipString();
        fees = fees.add(decimal(10));
        decoder.skipString();
      }
    }
  }

  private void skipOptionalString() throws IOException {
    if (decoder.readIndex() == 1) {
      decoder.skipString();
    }
  }

  private BigDecimal decimal(int scale) throws IOException {
    decoder.readFixed(fixed, 0, 12);
    return Money.read(fixed, scale);
  }

  /** Decimals as the records hold them: big-endian two's complement. */
  static final class Money {
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
      byte[] digits = value.setScale(scale, java.math.RoundingMode.HALF_EVEN).unscaledValue().toByteArray();
      java.util.Arrays.fill(into, at, at + size - digits.length, (byte) (digits[0] < 0 ? -1 : 0));
      System.arraycopy(digits, 0, into, at + size - digits.length, digits.length);
    }
  }
}
