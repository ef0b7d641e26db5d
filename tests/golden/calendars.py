"""Holds the compiled-in sessions of exchanges against their checksums, and against exchange_calendars itself.

    calendars.py sums        the texts are those that were derived; needs no library
    calendars.py sessions    lines `CODE DAY OPEN [PAUSE RESUME] CLOSE` in UTC on the standard input are the library's sessions
"""

import hashlib
import sys
from pathlib import Path

TEXTS = Path(__file__).parents[2] / "services" / "core" / "domain" / "calendars"


def sums():
    """Every text has its checksum, and there is no other text."""
    told = dict(reversed(line.split()) for line in (TEXTS / "SHA256SUMS").read_text().splitlines())
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in TEXTS.glob("*.txt") if path.name != "requirements.txt"}
    return [f"{name} was changed by hand, or not derived: run derive.py" for name in sorted(set(told) | set(found)) if told.get(name) != found.get(name)]


def sessions():
    import exchange_calendars
    import pandas

    told, wrong = {}, []
    for line in sys.stdin:
        code, day, *times = line.split()
        told.setdefault(code, {})[day] = times
    for code, days in sorted(told.items()):
        span = {line.split()[0]: line.split()[1:] for line in (TEXTS / f"{code}.txt").read_text().splitlines()}["span"]
        known = exchange_calendars.calendar_utils._default_calendar_factories[code](*span)
        shown = lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        columns = ("open", "break_start", "break_end", "close")
        expected = {str(day.date()): [shown(row[name]) for name in columns if not pandas.isna(row[name])] for day, row in known.schedule.iterrows()}
        wrong += [f"{code} {day}: {days.get(day)}, the library has {expected.get(day)}" for day in sorted(set(days) | set(expected)) if days.get(day) != expected.get(day)]
    if len(told) < 40:
        wrong.append(f"only {len(told)} calendars were compared")
    return wrong


if __name__ == "__main__":
    found = {"sums": sums, "sessions": sessions}[sys.argv[1]]()
    print("\n".join(found[:50]))
    sys.exit(bool(found))
