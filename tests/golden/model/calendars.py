"""Trading calendars: the sessions of an exchange from the texts beside the service's own, read here by itself; and the
days of a portfolio. `tests/golden/calendars.py` holds the texts to the library that they are from."""

from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

TEXTS = Path(__file__).parents[3] / "services" / "core" / "domain" / "calendars"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICRO = timedelta(microseconds=1)


class Exchange:
    """Sessions by day, each a list of stretches in which is traded, in microseconds since 1970."""

    def __init__(self, text):
        self.closed, self.extra, self.special, self.usual, self.also = set(), set(), {}, [], []
        for line in text.splitlines():
            if not line.startswith("#"):
                self.take(*line.split(" "))

    def take(self, word, *rest):
        days = [date(int(rest[0]), int(d[:2]), int(d[2:])) for d in rest[1:] if ":" not in d] if word in ("closed", "extra", "special") else []
        if word == "zone":
            self.zone = ZoneInfo(rest[0])
        elif word == "span":
            self.first, self.last = (date.fromisoformat(day) for day in rest)
        elif word == "week":
            self.week = {int(number) for number in rest[0]}
        elif word == "also":
            self.also = list(rest)
        elif word == "hours":
            self.usual.append((date.fromisoformat(rest[0]), rest[1:]))
        elif word == "special":
            self.special.update(dict.fromkeys(days, [part for part in rest if ":" in part]))
        else:
            getattr(self, word).update(days)

    def has(self, day):
        """Whether a day has a session; None where the text does not reach."""
        if not self.first <= day <= self.last:
            return None
        return day in self.extra or (day.isoweekday() in self.week and day not in self.closed)

    def at(self, day, text):
        before = text.startswith("<")
        hour, minute = (int(part) for part in text.lstrip("<").split(":"))
        local = datetime.combine(day - timedelta(days=before), datetime.min.time().replace(hour=hour, minute=minute), self.zone)
        return (local.astimezone(timezone.utc) - EPOCH) // MICRO

    def stretches(self, day):
        if not self.has(day):
            return []
        hours = self.special.get(day) or [times for start, times in self.usual if start <= day][-1]
        return [tuple(self.at(day, text) for text in part.split("-")) for part in hours]

    def near(self, at, days=20):
        """Stretches around a moment, in order."""
        today = (EPOCH + at * MICRO).astimezone(self.zone).date()
        return [found for n in range(-days, days + 1) for found in self.stretches(today + timedelta(days=n))]

    def said(self, at):
        """OPEN, CLOSED or UNSURE, and since when."""
        today = (EPOCH + at * MICRO).astimezone(self.zone).date()
        if self.has(today) is None:
            return "UNSURE", self.at(self.last + timedelta(days=1), "00:00") if today > self.last else -(1 << 63)
        for opens, closes in self.near(at):
            if opens <= at < closes:
                return "OPEN", opens
        return "CLOSED", max(closes for _, closes in self.near(at) if closes <= at)

    def open_micros(self, since, until):
        """How much of a time was in a session; of before the last thirty days all counts."""
        counted = max(since, until - 30 * 86_400_000_000)
        overlap = lambda opens, closes: max(0, min(closes, until) - max(opens, counted))
        return counted - since + sum(overlap(*stretch) for stretch in self.near(until, days=32))


class Weekdays(Exchange):
    """A market that closes at weekends: each session ends where the next day begins."""

    def stretches(self, day):
        return [(opens, opens + 86_400_000_000) for opens, _ in super().stretches(day)]


class Always:
    """A market that never closes."""

    def has(self, day):
        return True

    def said(self, at):
        return "OPEN", -(1 << 63)

    def open_micros(self, since, until):
        return until - since


@lru_cache(maxsize=None)
def named(name):
    """The calendar of a name; None where there is none."""
    if name is None:
        return None
    if name == "24/7":
        return Always()
    if name == "24/5":
        return Weekdays("zone UTC\nspan 0001-02-01 9998-01-01\nweek 12345\nhours 0001-01-01 00:00-00:00")
    path = TEXTS / f"{name}.txt"
    if path.exists():
        return Exchange(path.read_text())
    for path in sorted(TEXTS.glob("*.txt")):
        if f" {name} " in next((line + " " for line in path.read_text().splitlines() if line.startswith("also ")), ""):
            return Exchange(path.read_text())
    return None


def counts(policy, day):
    """Whether a day is one of a portfolio: a session of its calendar; without one, and beyond its years, a weekday."""
    calendar = named(policy.get("calendar"))
    said = calendar.has(day) if calendar else None
    return day.isoweekday() <= 5 if said is None else said


def unsure(policy, day):
    """Whether the calendar of a portfolio does not reach to a day."""
    calendar = named(policy.get("calendar"))
    return bool(calendar) and calendar.has(day) is None
