"""Writes the sessions of exchanges, one text each, as a kept library knows them.

    python3 -m venv .local/calendars && .local/calendars/bin/pip install -r requirements.txt
    .local/calendars/bin/python derive.py            writes *.txt and SHA256SUMS
    .local/calendars/bin/python derive.py --check    derives again and compares; writes nothing

Holidays that are announced from year to year are in the library once they are known: a new release of it is a new
version of these files. Each text is read back by the rules of README.md and must give the library's sessions again.
"""

import datetime
import hashlib
import sys
import warnings
from collections import Counter
from pathlib import Path

import exchange_calendars
import pandas as pd

warnings.filterwarnings("ignore")
HERE = Path(__file__).parent
FIRST, LAST = pd.Timestamp("2000-01-01"), pd.Timestamp("2035-12-31")
# How many of the next sessions are looked at to tell new hours from an exception, and how many of these must agree.
AHEAD, AGREE = 20, 11
# Markets by the code of an exchange whose days and hours they keep.
ALSO = {
    "XNYS": "XNAS XNCM XNGS XNMS ARCX BATS BATY EDGA EDGX IEXG MEMX XASE XBOS XCHI XPHL OOTC OTCM",
    "XTSE": "XTSX NEOE", "BVMF": "", "XMEX": "",
    "XLON": "AIMX", "XDUB": "", "XLIS": "", "XETR": "", "XFRA": "", "XPAR": "", "XAMS": "", "XBRU": "", "XSWX": "XVTX",
    "XWBO": "", "XMIL": "MTAA", "XMAD": "XMCE", "XSTO": "", "XCSE": "", "XOSL": "", "XHEL": "", "XWAR": "", "XPRA": "",
    "XBUD": "", "XIST": "", "XJSE": "", "XSAU": "", "XBOM": "XNSE", "XSES": "", "XHKG": "", "XSHG": "XSHE", "XTAI": "",
    "XKRX": "XKOS", "XTKS": "XJPX", "XASX": "", "XNZE": "", "XIDX": "", "XKLS": "", "XBKK": "",
    "CMES": "XCME XCBT XCEC XNYM", "XCBF": "", "IEPA": "IFUS", "XEUR": "",
}


def calendar(code):
    """The library's calendar, over as much of the span as it knows."""
    kind = exchange_calendars.calendar_utils._default_calendar_factories[code]
    first, last = max(FIRST, kind.bound_min() or FIRST), min(LAST, kind.bound_max() or LAST)
    return kind(first, last), first.date(), last.date()


def told(known):
    """Hours by session, as texts of local times; an opening on the day before is marked by `<`."""
    zone, out = known.tz, {}
    for day, row in known.schedule.iterrows():
        day = day.date()
        times = [row["open"], row["break_start"], row["break_end"], row["close"]]
        words = []
        for moment in times:
            if pd.isna(moment):
                continue
            local = moment.tz_convert(zone)
            before = (local.date() - day).days
            assert before in (-1, 0) and local.second == 0, (known.name, day, local)
            words.append(("<" if before else "") + local.strftime("%H:%M"))
        out[day] = "-".join(words[:2]) + (" " + "-".join(words[2:]) if len(words) == 4 else "")
    return out


def eras(hours):
    """The usual hours with the day from which they hold, and the sessions that have others."""
    days, usual, special = sorted(hours), [], {}
    for at, day in enumerate(days):
        if usual and hours[day] == usual[-1][1]:
            continue
        most, count = Counter(hours[ahead] for ahead in days[at : at + AHEAD]).most_common(1)[0]
        if not usual or (most == hours[day] and count >= AGREE):
            usual.append((day, most))
        if hours[day] != usual[-1][1]:
            special[day] = hours[day]
    return usual, special


def by_year(name, days):
    """One line a year: month and day of each."""
    out, years = [], {}
    for day in sorted(days):
        years.setdefault(day.year, []).append(day.strftime("%m%d"))
    return [f"{name} {year} {' '.join(found)}" for year, found in sorted(years.items())]


def text(code):
    known, first, last = calendar(code)
    hours = told(known)
    week = {number + 1 for number, counts in enumerate(known.weekmask) if counts == "1"}
    all_days = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
    usual, special = eras(hours)
    lines = [
        f"# {code} by exchange_calendars {exchange_calendars.__version__}; written by derive.py, read by README.md. Licence: NOTICE.",
        f"zone {known.tz.key}",
        f"span {first} {last}",
        f"week {''.join(str(day) for day in sorted(week))}",
    ]
    lines += [f"also {ALSO[code]}"] * bool(ALSO[code])
    lines += [f"hours {day} {times}" for day, times in usual]
    lines += by_year("closed", [day for day in all_days if day.isoweekday() in week and day not in hours])
    lines += by_year("extra", [day for day in hours if day.isoweekday() not in week])
    for times in sorted(set(special.values())):
        lines += [f"{line} {times}" for line in by_year("special", [day for day, found in special.items() if found == times])]
    written = "\n".join(lines) + "\n"
    assert read(written) == hours, code
    return written


def read(written):
    """What a text says, by the rules of README.md: hours by session."""
    zone, span, week, usual, closed, extra, special = None, None, None, [], set(), set(), {}
    for line in written.splitlines():
        word, *rest = line.split(" ")
        days = lambda: [datetime.date(int(rest[0]), int(d[:2]), int(d[2:])) for d in rest[1:] if len(d) == 4 and d.isdigit()]
        if word == "span":
            span = [datetime.date.fromisoformat(day) for day in rest]
        elif word == "week":
            week = {int(day) for day in rest[0]}
        elif word == "hours":
            usual.append((datetime.date.fromisoformat(rest[0]), " ".join(rest[1:])))
        elif word == "closed":
            closed.update(days())
        elif word == "extra":
            extra.update(days())
        elif word == "special":
            special.update({day: " ".join(r for r in rest[1:] if ":" in r) for day in days()})
    out, day = {}, span[0]
    while day <= span[1]:
        if (day.isoweekday() in week and day not in closed) or day in extra:
            out[day] = special.get(day) or [times for start, times in usual if start <= day][-1]
        day += datetime.timedelta(days=1)
    return out


def main():
    files = {f"{code}.txt": text(code) for code in ALSO}
    sums = "".join(f"{hashlib.sha256(found.encode()).hexdigest()}  {name}\n" for name, found in sorted(files.items()))
    files["SHA256SUMS"] = sums
    if "--check" in sys.argv:
        wrong = [name for name, found in files.items() if (HERE / name).read_text() != found]
        wrong += [path.name for path in HERE.glob("*.txt") if path.name not in files and path.name != "requirements.txt"]
        sys.exit(f"these differ from the library: {', '.join(wrong)}; run derive.py" if wrong else None)
    for name, found in files.items():
        (HERE / name).write_text(found)


main()
