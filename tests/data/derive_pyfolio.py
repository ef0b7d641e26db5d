#!/usr/bin/env python3
"""Derives tests/data/pyfolio/ from the source distribution of pyfolio-reloaded: executions, positions and cash.

    derive_pyfolio.py            writes the files
    derive_pyfolio.py --check    compares them with the ones that are there, and writes nothing
    --package FILE               uses a source distribution that is here already

Numbers stay text or become exact fractions, never floats. The executions are replayed exactly, and the replay must
give the recorded positions exactly and the recorded cash within CASH_TOLERANCE, or nothing is written.
"""

import csv
import gzip
import io
import tarfile
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path

from source_package import Outcome, SourcePackage, read_arguments

PACKAGE = SourcePackage(
    "pyfolio-reloaded==0.10.1",
    "87eabcb045ef77c7e455f1882c662e1b8cb313b9ab51aa569478ff147b29644e",
    ["--no-binary", ":all:"])
INSIDE = "pyfolio_reloaded-0.10.1"
START_CASH = Fraction(100_000)
PRICE_DECIMALS = Decimal("1e-10")
MARK_DECIMALS = Decimal("1e-6")
CASH_TOLERANCE = Fraction(2, 100_000)


def main() -> None:
    """Reads, replays, verifies, writes or compares."""
    arguments = read_arguments(__doc__)

    with tarfile.open(fileobj=io.BytesIO(PACKAGE.content(arguments.package))) as archive:
        transactions = _rows(archive, "tests/test_data/test_txn.csv.gz")
        days = _rows(archive, "tests/test_data/test_pos.csv.gz")
        licence = archive.extractfile(f"{INSIDE}/LICENSE").read()

    executions = [_execution(row) for row in transactions]
    replay = Replay(executions)
    cash, positions = replay.days(days)
    replay.report()

    outcome = Outcome(Path(__file__).parent / "pyfolio", arguments.check)
    outcome.table("executions.csv", ["execution_id", "timestamp", "symbol", "quantity", "price"],
                  [[str(number), e["timestamp"], e["symbol"], str(e["quantity"]), _plain(e["price"])]
                   for number, e in enumerate(executions, start=1)])
    outcome.table("cash.csv", ["date", "cash_recorded", "cash_replayed"], cash)
    outcome.table("positions.csv", ["date", "symbol", "quantity", "price", "value_recorded"], positions)
    outcome.file("LICENSE", licence)
    outcome.finish()


def _rows(archive: tarfile.TarFile, name: str) -> list:
    packed = archive.extractfile(f"{INSIDE}/{name}").read()
    return list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode())))


def _execution(row: dict) -> dict:
    quantity = Decimal(row["amount"])
    if quantity != int(quantity) or quantity == 0:
        raise ValueError(f"a quantity of whole shares was expected: {row}")
    return {"timestamp": _timestamp(row[""]), "symbol": row["symbol"], "quantity": int(quantity),
            "price": Decimal(row["price"]).quantize(PRICE_DECIMALS, ROUND_HALF_EVEN),
            "price_recorded": Decimal(row["price"])}


def _timestamp(text: str) -> str:
    day, rest = text.split(" ")
    if rest != "00:00:00+00:00":
        raise ValueError(f"midnight UTC was expected, not {text}")
    return f"{day}T00:00:00Z"


class Replay:
    """Executions folded into quantities and cash, day by day, and compared with what was recorded."""

    def __init__(self, executions: list):
        self._by_day = defaultdict(list)
        for execution in executions:
            self._by_day[execution["timestamp"][:10]].append(execution)
        self._rounded = sum(e["price"] != e["price_recorded"] for e in executions)
        self._cash = START_CASH
        self._quantities = defaultdict(int)
        self._worst_cash = self._worst_day = self._worst_fill = Fraction(0)

    def days(self, recorded: list) -> tuple:
        """The rows of cash.csv and of positions.csv."""
        cash, positions = [], []
        before = START_CASH
        for row in recorded:
            date = _timestamp(row.pop("index"))[:10]
            cash_recorded = row.pop("cash")
            movement = self._apply(date)
            deviation = abs(self._cash - Fraction(cash_recorded))
            if deviation > CASH_TOLERANCE:
                raise ValueError(f"{date}: replayed cash is off by {float(deviation)}")
            self._worst_cash = max(self._worst_cash, deviation)
            self._worst_day = max(self._worst_day, abs(Fraction(cash_recorded) - before - movement))
            before = Fraction(cash_recorded)
            cash.append([date, cash_recorded, _plain(_exact(self._cash))])
            positions += [self._position(date, symbol, value) for symbol, value in row.items()]
        if self._by_day:
            raise ValueError(f"executions on days without positions: {sorted(self._by_day)}")
        return cash, positions

    def report(self) -> None:
        """Says how well the executions explain the record."""
        print(f"prices with more than ten decimals, rounded: {self._rounded}")
        print(f"largest |replayed - recorded cash| over all days:          {float(self._worst_cash):.3g}")
        print(f"largest |replayed - recorded change of cash| in one day:   {float(self._worst_day):.3g}")
        print("largest |quantity x price - recorded value| of a position: 0 (required)")
        print(f"largest |quantity x (execution price - day's price)|:      {float(self._worst_fill):.3g}")

    def _apply(self, date: str) -> Fraction:
        movement = Fraction(0)
        self._fill_prices = {}
        for execution in self._by_day.pop(date, []):
            self._quantities[execution["symbol"]] += execution["quantity"]
            self._fill_prices[execution["symbol"]] = Fraction(execution["price"])
            movement -= execution["quantity"] * Fraction(execution["price"])
        self._cash += movement
        return movement

    def _position(self, date: str, symbol: str, value: str) -> list:
        quantity = self._quantities[symbol]
        if quantity == 0:
            if Fraction(value) != 0:
                raise ValueError(f"{date} {symbol}: {value} recorded, nothing held")
            return [date, symbol, "0", "", value]
        price = _decimal(Fraction(value) / quantity).quantize(MARK_DECIMALS, ROUND_HALF_EVEN)
        if quantity * Fraction(price) != Fraction(value):
            raise ValueError(f"{date} {symbol}: {quantity} x {price} is not the recorded {value}")
        if symbol in self._fill_prices:
            self._worst_fill = max(self._worst_fill, abs(quantity * (self._fill_prices[symbol] - Fraction(price))))
        return [date, symbol, str(quantity), _plain(price), value]


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def _exact(value: Fraction) -> Decimal:
    decimal = _decimal(value)
    if Fraction(decimal) != value:
        raise ValueError(f"{value} has no exact decimal form")
    return decimal


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


if __name__ == "__main__":
    main()
