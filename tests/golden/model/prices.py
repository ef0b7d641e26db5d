"""A price for each day of an instrument: its official close, else its last accepted price of that day at its venue; and
what each day has returned, adjusted for splits and dividends, in the base currency."""

import datetime
import zoneinfo
from collections import defaultdict
from fractions import Fraction

from . import calendars, splits
from .exact import num

OFFICIAL = "marketdata.closes.v1"


class Prices:
    """What the lines of a case tell of the days of its instruments."""

    def __init__(self, case):
        self.case, self.official, self.ticked, self.actions = case, defaultdict(list), defaultdict(list), defaultdict(dict)
        for at, (line, world) in enumerate(zip(case.input, case.states)):
            value = line["value"]
            if line["topic"] == OFFICIAL:
                self.official[value["instrument_id"]].append((at, value["date"], num(value["close"])))
            elif line["topic"] == "marketdata.ticks.v1" and value["instrument_id"] in world.market.accepted:
                self.tick(at, value, world.market)
            elif line["topic"] == "reference.corporate-actions.v1":
                self.actions[value["instrument_id"]][value["action_id"]] = value

    def tick(self, at, value, market):
        name = value["instrument_id"]
        known = market.accepted[name]
        quoted, made = sum(price for price, _ in known["as"]) / len(known["as"]), max(time for _, time in known["as"])
        venue = market.facts.get(name, {}).get("venue")
        zone = zoneinfo.ZoneInfo(splits.ZONES.get(venue, "UTC"))
        moment = datetime.datetime.fromtimestamp(made / 1_000_000, zone)
        self.ticked[name].append((at, moment.date().isoformat(), made, quoted))

    def days(self, name, last, line, cut_at):
        """Prices by day as quoted, up to a day, as they were known at a line; ticks of before the cut only."""
        out = {}
        for at, day, made, price in self.ticked[name]:
            if at <= line and day <= last and made < cut_at and self.counts(name, day, line):
                out[day] = price
        for at, day, price in self.official[name]:
            if at <= line and day <= last:
                out[day] = price
        return dict(sorted(out.items()))

    def counts(self, name, day, line):
        """What is quoted outside the sessions of its calendar is no day of its own."""
        calendar = calendars.named(self.case.states[line].market.facts.get(name, {}).get("calendar"))
        return not calendar or calendar.has(datetime.date.fromisoformat(day)) is not False

    def values(self, name, base, currency, days, of):
        """Prices in the base currency on the days that have a rate too; `of` gives a pair's days."""
        if currency == base:
            return days
        pair, inverse = of(f"{currency}/{base}"), of(f"{base}/{currency}")
        out = {}
        for day, price in days.items():
            rate = self.at(pair, day) or (1 / self.at(inverse, day) if self.at(inverse, day) else None)
            if rate:
                out[day] = price * rate
        return out

    @staticmethod
    def at(days, day):
        known = [other for other in days if other <= day]
        return days[max(known)] if known else None

    def returns(self, name, days, wanted, rate):
        """Returns between the days that are wanted: splits undone, dividends added on their ex-date."""
        actions = [a for a in self.actions[name].values() if a["status"] == "NEW"]
        out = {}
        for before, after in zip(wanted, wanted[1:]):
            held, paid = Fraction(1), Fraction(0)
            due = sorted((a for a in actions if before < a["ex_date"] <= after), key=lambda a: (a["ex_date"], a["kind"]))
            for action in due:
                if action["kind"] == "SPLIT":
                    held *= num(action["ratio_new"]) / num(action["ratio_old"])
                elif action["kind"] == "CASH_DIVIDEND":
                    paid += held * num(action["amount_per_share"]) * rate(after)
            out[after] = (days[after] * held + paid) / days[before] - 1
        return out


def line_of(case, offsets):
    """The last input line that a record contains."""
    state = case.state(offsets)
    return next(at for at, known in enumerate(case.states) if known is state)

