"""Publishes one fill: what a producer in another language does, whole.

    pip install confluent-kafka fastavro
    python publish_fill.py localhost:9092 growth ACME.US 100 12.50

Promises the three things that a producer must keep: Avro single-object encoding with the schema's
fingerprint, the portfolio as key under murmur2, decimals exactly at the scale of their field. The fill carries a
commission of 1.25 USD, made up here to show how fees are written; it is booked like any other.
"""

import json
import sys
import uuid
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from io import BytesIO
from pathlib import Path

from fastavro import parse_schema, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

TOPIC = "execution.fills.v1"
SCHEMAS = Path(__file__).resolve().parent.parent


def framing(schema: dict) -> bytes:
    """C3 01 and the CRC-64-AVRO of the canonical form; fastavro gives it as hex in wire order."""
    return b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))


def encoder(topic: str):
    """A function from a record, as a dict, to the bytes of the topic."""
    text = json.loads((SCHEMAS / f"{topic}.avsc").read_text(encoding="utf-8"))
    schema, head = parse_schema(text), framing(text)

    def encode(record: dict) -> bytes:
        out = BytesIO(head)
        out.seek(len(head))
        schemaless_writer(out, schema, record, strict_allow_default=True)
        return out.getvalue()

    return encode


def fill(portfolio: str, instrument: str, quantity: Decimal, price: Decimal, now: datetime) -> dict:
    """A buy. Fields that are left out take the defaults of the schema."""
    return {
        "source": "example",
        "exec_id": str(uuid.uuid4()),
        "trade_date": now.date(),
        "exec_type": "TRADE",
        "portfolio_id": portfolio,
        "instrument_id": instrument,
        "side": "BUY",
        "quantity": quantity,
        "price": price,
        "currency": "USD",
        "fees": [{"type": "commission", "amount": Decimal("1.25"), "currency": "USD"}],
        "transact_time": now,
    }


def positive(field: str, text: str, scale: int) -> Decimal:
    """An argument as a decimal of its field, or an error that names the field."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise SystemExit(f"{field} is {text!r}: write a number such as 12.50") from None
    if not value.is_finite() or value <= 0:
        raise SystemExit(f"{field} is {text!r}: it must be above 0 (a sale is another side, not a negative quantity)")
    if -value.as_tuple().exponent > scale:
        raise SystemExit(f"{field} is {text!r}: at most {scale} decimals")
    return value


def headers(record_id: str, now: datetime) -> list[tuple[str, bytes]]:
    """CloudEvents in binary mode; ce_time is the record's event time."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", record_id.encode()),
        ("ce_type", TOPIC.encode()),
        ("ce_source", b"/example/publish_fill.py"),
        ("ce_time", now.isoformat().replace("+00:00", "Z").encode()),
    ]


def main(arguments: list[str]) -> int:
    """Sends one fill and waits until the broker has it."""
    from confluent_kafka import Producer  # not needed to encode

    servers, portfolio, instrument, quantity, price = arguments
    now = datetime.now(timezone.utc)
    record = fill(portfolio, instrument, positive("QUANTITY", quantity, 8), positive("PRICE", price, 10), now)
    # murmur2_random: the lane of a portfolio must be the same for every producer.
    failures: list[str] = []
    producer = Producer(
        {
            "bootstrap.servers": servers,
            "partitioner": "murmur2_random",
            "enable.idempotence": True,
            "message.timeout.ms": 10_000,
            # One line at the end instead of one for every attempt to connect.
            "log_level": 0,
            "error_cb": lambda error: failures.append(error.str()),
        }
    )
    lost: list[str] = []
    producer.produce(
        TOPIC,
        key=portfolio.encode(),
        value=encoder(TOPIC)(record),
        headers=headers(record["exec_id"], now),
        on_delivery=lambda error, _: lost.append(error.str()) if error else None,
    )
    if producer.flush(15) or lost:
        why = (failures + lost + ["no answer in time"])[0]
        print(f"the fill was not delivered to {servers}: {why}; does a broker answer there?", file=sys.stderr)
        return 1
    print(f"sent to {TOPIC}: {portfolio} BUY {quantity} {instrument} at {price} USD, fee 1.25 USD, exec_id {record['exec_id']}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 6:
        print("usage: publish_fill.py SERVERS PORTFOLIO INSTRUMENT QUANTITY PRICE", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1:]))
