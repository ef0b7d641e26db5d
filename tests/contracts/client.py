"""A foreign client of Ballast: confluent-kafka, fastavro, and the files of schemas/, nothing else.

    client.py open SERVERS PORTFOLIO      instrument, price and cash of a portfolio
    client.py adopt SERVERS PORTFOLIO     its policy
    client.py prices SERVERS              a price, now
    client.py read SERVERS TOPIC          the committed records of a topic so far, as JSON lines

It shares no code with the service. Fills are published by schemas/examples/publish_fill.py.
"""

import json
import sys
import uuid
from datetime import date, datetime, timezone
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import fingerprint, to_parsing_canonical_form

SCHEMAS = Path(__file__).resolve().parent.parent.parent / "schemas"
INSTRUMENT = "PYTH"
PRICE = Decimal("20")


class Contract:
    """One topic: its schema, and its framing on the wire."""

    def __init__(self, topic: str):
        text = json.loads((SCHEMAS / f"{topic}.avsc").read_text(encoding="utf-8"))
        self.topic = topic
        self.schema = parse_schema(text)
        self.head = b"\xc3\x01" + bytes.fromhex(fingerprint(to_parsing_canonical_form(text), "CRC-64-AVRO"))

    def encode(self, record: dict) -> bytes:
        """Single-object encoding; defaults that the record leaves out are the schema's."""
        out = BytesIO()
        schemaless_writer(out, self.schema, record)
        return self.head + out.getvalue()

    def decode(self, value: bytes) -> dict:
        """The record; refuses another framing, another schema and bytes left over."""
        if value[: len(self.head)] != self.head:
            raise ValueError(f"{self.topic}: the framing is {value[:10].hex()}, {self.head.hex()} was expected")
        body = BytesIO(value[len(self.head) :])
        record = schemaless_reader(body, self.schema)
        if body.read(1):
            raise ValueError(f"{self.topic}: bytes are left over behind the record")
        return record


class Publisher:
    """Sends records with the headers that the contract asks for."""

    def __init__(self, servers: str):
        # murmur2_random: the lane of a portfolio must be the same for every producer.
        self.producer = Producer({"bootstrap.servers": servers, "partitioner": "murmur2_random", "enable.idempotence": True})
        self.failures: list[str] = []

    def send(self, topic: str, key: str, record: dict) -> None:
        now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
        headers = [("ce_specversion", b"1.0"), ("ce_id", str(uuid.uuid4()).encode()), ("ce_type", topic.encode()),
                   ("ce_source", b"/contracts/client.py"), ("ce_time", now.encode())]
        told = lambda error, _: self.failures.append(str(error)) if error else None  # noqa: E731
        self.producer.produce(topic, key=key.encode(), value=Contract(topic).encode(record), headers=headers, on_delivery=told)

    def close(self) -> None:
        if self.producer.flush(30) or self.failures:
            raise SystemExit(f"not delivered: {self.failures or 'timed out'}")


def instrument() -> dict:
    """A share. fastavro cannot write the default of a decimal, so multiplier and lot are named."""
    return {"instrument_id": INSTRUMENT, "type": "EQUITY", "currency": "USD", "multiplier": Decimal(1), "lot_size": Decimal(1)}


def tick(now: datetime) -> dict:
    """A last price."""
    return {"instrument_id": INSTRUMENT, "last": PRICE, "event_time": now}


def deposit(portfolio: str, now: datetime) -> dict:
    """Cash paid in."""
    return {"source": "python", "entry_id": f"open-{portfolio}", "portfolio_id": portfolio, "kind": "DEPOSIT",
            "currency": "USD", "amount": Decimal("10000"), "effective_at": now}


def policy(portfolio: str) -> dict:
    """Half of the portfolio in the share, by itself; every decimal of every group is named."""
    return {
        "portfolio_id": portfolio,
        "policy_version": 1,
        "base_currency": "USD",
        "targets": [{"instrument_id": INSTRUMENT, "target_weight": Decimal("0.5")}],
        "band": {"absolute": Decimal("0.05"), "relative": Decimal("0.25"), "clear_ratio": Decimal("0.8")},
        "trigger": {"mode": "AUTOMATIC", "minimum_deviation": Decimal(1), "approval": {"price_tolerance_bp": Decimal(50)}},
        "orders": {"min_notional": Decimal(0), "cash_reserve": Decimal(0), "max_gross": Decimal(1), "limit_offset_bp": Decimal(0),
                   "fees": {"rate": Decimal(0), "fixed": Decimal(0)}, "risk": {"min_coverage": Decimal("0.9")}},
        "book": {"reconcile_tolerance": Decimal(0)},
        "limits": {"max_order_notional": Decimal(1_000_000), "max_daily_notional": Decimal(1_000_000),
                   "price_collar_bp": Decimal(1000)},
    }


def open_portfolio(servers: str, portfolio: str) -> None:
    """What a portfolio needs besides its policy; its records wait until that is there."""
    now, publisher = datetime.now(timezone.utc), Publisher(servers)
    publisher.send("reference.instruments.v1", INSTRUMENT, instrument())
    publisher.send("marketdata.ticks.v1", INSTRUMENT, tick(now))
    publisher.send("treasury.cash.v1", portfolio, deposit(portfolio, now))
    publisher.close()


def adopt(servers: str, portfolio: str) -> None:
    """The portfolio's policy."""
    publisher = Publisher(servers)
    publisher.send("portfolio.policies.v1", portfolio, policy(portfolio))
    publisher.close()


def prices(servers: str) -> None:
    """The share's price, now."""
    publisher = Publisher(servers)
    publisher.send("marketdata.ticks.v1", INSTRUMENT, tick(datetime.now(timezone.utc)))
    publisher.close()


def read(servers: str, topic: str) -> None:
    """Prints every committed record that the topic holds now."""
    contract = Contract(topic)
    consumer = Consumer({"bootstrap.servers": servers, "group.id": f"python-{uuid.uuid4()}", "isolation.level": "read_committed",
                         "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "error"})
    partitions = consumer.list_topics(topic, 30).topics[topic].partitions
    open_partitions = set(partitions)
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in partitions])
    while open_partitions:
        message = consumer.poll(30)
        if message is None:
            raise SystemExit(f"{topic}: nothing for 30 s")
        if message.error():
            if message.error().name() != "_PARTITION_EOF":
                raise SystemExit(str(message.error()))
            open_partitions.discard(message.partition())
            continue
        record = {"key": message.key().decode(), "partition": message.partition(),
                  "headers": {name: value.decode() for name, value in message.headers() or []},
                  "value": contract.decode(message.value())}
        print(json.dumps(record, default=text))
    consumer.close()


def text(value) -> str:
    """What JSON has no type for."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, (Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value)} in a record")


ACTS = {"open": open_portfolio, "adopt": adopt, "prices": prices, "read": read}

if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ACTS:
        sys.exit(__doc__)
    ACTS[sys.argv[1]](*sys.argv[2:])
