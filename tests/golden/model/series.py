"""The days of a portfolio in order: returns, flows, equity; and what they come to over a period."""

from datetime import date
from fractions import Fraction

from . import statistics

ONE = Fraction(1)


class Series:
    """Lists side by side, one entry a day. A return that is a word is none."""

    def __init__(self):
        self.days, self.returns, self.rules, self.equity, self.flows, self.provisional = [], [], [], [], [], []

    def add(self, day, found, rules, equity, flow, close):
        self.days.append(day)
        self.returns.append(found)
        self.rules.append(rules)
        self.equity.append(equity)
        self.flows.append(flow)
        self.provisional.append(close["provisional"])

    def lost(self, places):
        return [at for at in places if self.returns[at] == "TOTAL_LOSS"]

    def linked(self, places):
        """Days whose returns are linked: what was lost wholly is flagged, and linking starts again behind it."""
        lost = self.lost(places)
        behind = [at for at in places if not lost or at > max(lost)]
        return [at for at in behind if not isinstance(self.returns[at], str)]

    def good(self, places):
        return [statistics.dec(self.returns[at]) for at in self.linked(places)]

    def good_days(self, places):
        return [self.days[at] for at in self.linked(places)]

    def joined(self, places, *others):
        """Own returns and those of others on days that all have: levels first, returns taken afterwards. The calendar days
        that they cover, and the rows."""
        out, before, grown, ends = [], None, ONE, []
        for at in range(places[-1] + 1):
            own = self.returns[at]
            grown *= ONE if isinstance(own, str) else 1 + own
            if any(levels[at] is None for levels in others):
                continue
            if before is not None and at >= places[0]:
                out.append((grown - 1, *(levels[at] / levels[before] - 1 for levels in others)))
                ends += [self.days[before], self.days[at]]
            before, grown = at, ONE
        return (date.fromisoformat(ends[-1]) - date.fromisoformat(ends[0])).days if ends else 0, out
