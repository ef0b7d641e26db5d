#!/usr/bin/env python3
"""Writes the inputs of the cases of performance and risk, of trading calendars and anomalies: `python3 tests/golden/lines/write.py` from the root.

    write.py [NAME …]

writes those that there are anew, or those that are named. Their outputs are what a replay makes of them (README.md).
Nothing here is random: a walk of prices has its seed.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lines import anomalies, bookings, calendars, details, exchanges, flows, risks, strategies, target_risks, trades  # noqa: E402


def main(wanted):
    everyday = flows.CASES + bookings.CASES + calendars.CASES + exchanges.CASES + anomalies.CASES
    for case in everyday + risks.CASES + target_risks.CASES + details.CASES + trades.CASES + strategies.CASES:
        name = case.__name__ if case.__name__.startswith(("calendar_", "anomaly_")) else f"performance_{case.__name__}"
        path = ROOT / "cases" / f"{name}.in.jsonl"
        if case.__name__ in wanted or not wanted and path.exists():
            path.write_text(case().text())


if __name__ == "__main__":
    main(sys.argv[1:])
