package peer;

import java.io.IOException;
import java.math.BigDecimal;
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
}
