"""Where profit was made: of each line and strategy from the books as they were at each cut, realised parts from what was
booked. What no bucket holds is the residual."""

import datetime
import zoneinfo
from collections import defaultdict
from fractions import Fraction

from . import splits, strategies
from .exact import num

ZERO, NONE, CASH = Fraction(0), "NONE", "CASH"
GROUPINGS = ("STRATEGY", "SECTOR", "INSTRUMENT_TYPE", "TIME_OF_DAY")


def transferred(at, name, nameless=False):
    """What securities that crossed the boundary were worth beyond their cost, of one line; or before its first strategy."""
    log = [kept for kept in at.book.log if kept[0].get("instrument_id") == name]
    first = next((place for place, kept in enumerate(log) if kept[0].get("strategy")), len(log))
    log = log[:first] if nameless else log
    if not any(str(value.get("kind", "")).startswith("TRANSFER") for value, *_ in log):
        return ZERO
    own, _, _ = splits.fold(at.book, log, [split for split in at.book.splits if split.name == name])
    return own.sums["transferred"]


class Stand:
    """What each line, and each strategy of it, has earned in all by a close."""

    def __init__(self, at):
        worth = {name: value or ZERO for name, (_, _, _, value, _) in at.positions().items()}
        self.lines, self.strategies = {}, {}
        for name, position in at.book.positions.items():
            future = at.market.kind(name) == "FUTURE"
            self.lines[name] = position.net_base + worth.get(name, ZERO) - (ZERO if future else position.book_cost) - transferred(at, name)
            self.strategies[name] = self.by_strategy(at, name, position)

    def by_strategy(self, at, name, position):
        """Each strategy's own book at the line's price; a line without any is its bookings' of no strategy."""
        subs, beside = at.book.subs.get(name), at.book.besides.get(name, {})
        if subs is None:
            beyond = sum((income - fees for who, (fees, income) in beside.items() if who is not None), ZERO)
            out = {None: self.lines[name] - beyond}
            out.update({who: income - fees for who, (fees, income) in beside.items() if who is not None})
            return out
        price, rate = at.prices.price(name), at.rate(at.market.currency(name))
        out, crossed = {None: ZERO}, transferred(at, name, nameless=True)
        for who in set(subs) | set(beside):
            fees, income = beside.get(who, (ZERO, ZERO))
            out[who] = income - fees
            if who in subs:
                sub, held = subs[who], subs[who].positions[name]
                out[who] -= sub.sums["transferred"]
                net = sub.sums["realized_gross"] - sub.sums["fees"] + sub.sums["income"]
                out[who] += net + self.gain(at, name, held, price, rate)
        out[None] -= crossed
        return out

    @staticmethod
    def gain(at, name, held, price, rate):
        if price is None or rate is None:
            return -held.book_cost
        full = price + (at.accrued[name] or ZERO) if at.market.kind(name) == "BOND" else price
        value = held.quantity * full * at.market.multiplier(name)
        if at.market.kind(name) == "FUTURE":
            return (value - held.cost) * rate
        return value * rate - held.book_cost


class Deed:
    """Something booked: its line, whose it is, its realised parts in base, and the hour of the fill that caused it.

    What is restated is told on the day of that, and concerns earlier days as well: residuals hold the difference.
    """

    def __init__(self, day, name, parts, hour, restates):
        self.day, self.name, self.parts, self.hour, self.restates = day, name, parts, hour, restates


def hour_of(fill, market):
    """The hour of a fill at its venue."""
    venue = fill.get("venue") or market.facts.get(fill["instrument_id"], {}).get("venue")
    zone = zoneinfo.ZoneInfo(splits.ZONES.get(venue, "UTC"))
    at = datetime.datetime.fromisoformat(fill["transact_time"].replace("Z", "+00:00")).astimezone(zone)
    return f"{at.hour:02}:00-{at.hour + 1:02}:00"


def buckets(grouping, stands, deeds, market):
    """Expected totals by bucket, with realised parts: name to [realized, fees, income, total]."""
    out = defaultdict(lambda: [ZERO] * 4)
    before, after = stands
    if grouping == "TIME_OF_DAY":
        for deed in deeds:
            if deed.hour:
                booked(out[deed.hour], deed.parts)
                out[deed.hour][3] = out[deed.hour][0] - out[deed.hour][1] + out[deed.hour][2]
        return dict(out)
    for name in set(after.lines) | set(before.lines if before else ()):
        if grouping == "STRATEGY":
            for sign, stand in ((1, after), (-1, before)):
                for who, earned in (stand.strategies.get(name, {}) if stand else {}).items():
                    out[who or NONE][3] += sign * earned
        else:
            earned = after.lines.get(name, ZERO) - (before.lines.get(name, ZERO) if before else ZERO)
            out[of_line(grouping, name, market)][3] += earned
    for deed in deeds:
        for who, part in deed.parts.items():
            if grouping == "STRATEGY":
                if who != strategies.RESIDUAL:
                    booked(out[who or NONE], {who: part})
                    out[who or NONE][3] += ZERO if deed.name in after.lines else part[1] - part[2] + part[3]
            else:
                bucket = out[of_line(grouping, deed.name, market)]
                booked(bucket, {who: part})
                bucket[3] += ZERO if deed.name in after.lines else part[1] - part[2] + part[3]
    return dict(out)


def unsure(grouping, deeds, market):
    """Buckets of lines that were restated: what belongs to which day is not told, only what it comes to in all."""
    lines = {deed.name for deed in deeds if deed.restates}
    if grouping == "STRATEGY" and lines:
        return None
    return {of_line(grouping, name, market) for name in lines} if grouping != "TIME_OF_DAY" else set()


def of_line(grouping, name, market):
    facts = market.facts.get(name, {}) if name else {}
    if name is None:
        return CASH
    return (facts.get("sector") or NONE) if grouping == "SECTOR" else facts.get("type", NONE)


def booked(bucket, parts):
    for part in parts.values():
        for at in range(3):
            bucket[at] += part[at + 1]


def told(bucket):
    return [num(bucket[name]) for name in ("realized_gross", "fees", "income", "unrealized", "total")]
