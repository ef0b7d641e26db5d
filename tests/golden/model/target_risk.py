"""Risk against a policy's `target_risk`: which published figures count, what targets are scaled by, and what a plan says
of it. Written from the documents of `orders.risk`, of `risk` in drift events and in events of a rebalance."""

from datetime import date, timedelta
from fractions import Fraction

from . import calendars
from .bands import setting
from .closes import cuts
from .exact import half_even, num, toward_zero

ZERO, ONE, LAST = Fraction(0), Fraction(1), Fraction(1, 10**12)
DAY = 86_400_000_000


def newest(records, portfolio):
    """The record of the latest day and version of its close; of two alike the last."""
    found = None
    for value in records:
        if value["portfolio_id"] == portfolio and value["date"] is not None and value["close_version"] is not None:
            if found is None or (value["date"], int(value["close_version"])) >= (found["date"], int(found["close_version"])):
                found = value
    return found


def figure(record, name):
    """A fraction that is not below zero, and the observations behind it."""
    metric = next((m for m in record["metrics"] if m["id"] == name and m["unit"] == "FRACTION"), None)
    value = num(metric["value"]) if metric else None
    return None if value is None or value < 0 else value, int(metric["observations"]) if metric else 0


def age(record, policy, now):
    """Days of the portfolio that were cut since the day of a record."""
    ended = [day for _, day in cuts({**policy, "calendar": "24/7"}, now - 5 * DAY, now)]
    day, last, count = date.fromisoformat(record["date"]), date.fromisoformat(ended[-1]), 0
    while day < last:
        day += timedelta(days=1)
        count += calendars.counts(policy, day)
    return count


def gross_target(policy, valuation, market):
    """Σ |target|; that of a group counts where no instrument in the book has both a target of its own and the group."""
    own = {t["instrument_id"] for t in policy.get("targets", []) if t.get("instrument_id")}
    belongs = lambda name, group: group in (market.facts.get(name, {}).get("sector"), market.facts.get(name, {}).get("type"))
    counts = lambda t: t.get("instrument_id") or not any(n in own and belongs(n, t["group"]) for n in valuation.lines)
    return sum((abs(num(t["target_weight"])) for t in policy.get("targets", []) if counts(t)), ZERO)


class Standing:
    """How a portfolio's newest figures stand against the target of a policy, laid out as by its shadow where that is asked.
    `counted` is the record from which a scale could follow last."""

    def __init__(self, policy, record, counted, valuation, market, now):
        self.target = num(policy.get("target_risk"))
        self.record, self.realised, self.holdings, self.scale, self.by, self.silent = record, None, None, None, None, True
        self.suffices = False
        if self.target is None:
            return
        control = setting(policy, "orders", "risk", {})
        scales = str(control.get("scale_targets", False)).lower() == "true"
        if record is None:
            self.silent = False
            return
        least, covered = num(control.get("min_observations"), Fraction(60)), num(control.get("min_coverage"), Fraction(9, 10))
        fresh = age(record, policy, now) <= num(control.get("max_age_days"), Fraction(5))
        enough = lambda found: found[0] if found[0] is not None and found[1] >= least else None
        self.realised = enough(figure(record, "realised_risk")) if fresh else None
        holdings = enough(figure(record, "holdings_volatility"))
        coverage, gross = figure(record, "history_coverage")[0], figure(record, "gross_exposure")[0]
        # A scale may follow from figures that are too old to count as figures.
        self.suffices = holdings is not None and (coverage or ZERO) >= covered and bool(gross)
        self.holdings = holdings if self.suffices and fresh else None
        self.by = (record if self.suffices else counted) if scales else None
        if self.by is not None:
            would_be = figure(self.by, "holdings_volatility")[0] * gross_target(policy, valuation, market)
            bears = self.target * figure(self.by, "gross_exposure")[0] * figure(self.by, "history_coverage")[0]
            self.scale = ONE if bears >= would_be else max(toward_zero(bears / would_be, LAST), LAST)
        self.silent = self.realised is not None and not (scales and self.holdings is None)

    def laid(self, policy):
        """The policy with its targets and their bounds scaled, each cut toward zero."""
        if self.scale in (None, ONE):
            return policy
        cut = lambda weight: None if weight is None else toward_zero(num(weight) * self.scale, LAST)
        weights = ("target_weight", "min_weight", "max_weight")
        scaled = [{**t, **{name: cut(t.get(name)) for name in weights}} for t in policy.get("targets", [])]
        return {**policy, "targets": scaled}

    def check(self, case, told):
        """What a drift event carries."""
        case.same("risk is told where there is a target", told is not None, self.target is not None)
        if told is None or self.target is None:
            return
        found = {name: num(told[name]) for name in ("target", "realised", "holdings", "scale")}
        case.same("risk", found, {"target": self.target, "realised": self.realised, "holdings": self.holdings, "scale": self.scale})
        case.same("a notice where figures count as none", told["notice"] is None, self.silent)
        closed = lambda record: (record["date"], int(record["close_version"])) if record else (None, None)
        for name, record in (("", self.record), ("scale_", self.by)):
            version = told["close_version" if not name else "scale_version"]
            case.same(f"close of the {name or 'figures'}", (told[f"{name}date"], version and int(version)), closed(record))

    def check_plan(self, case, told, plan):
        """What a plan says: exposures of its legs, and whether it leads away from the target."""
        case.same("the plan tells risk", told is not None, self.target is not None)
        if told is None or self.target is None:
            return
        gross = lambda after: sum((abs((l.held + (plan.wishes[n].quantity if after else 0)) * l.unit) for n, l in plan.lines.items()), ZERO)
        before, later = gross(False), gross(True)
        case.same("gross before", num(told["gross_before"]), half_even(before / plan.equity, 12))
        case.same("gross after", num(told["gross_after"]), half_even(later / plan.equity, 12))
        case.same("realised and scale", (num(told["realised"]), num(told["scale"])), (self.realised, self.scale))
        away = self.realised is not None and (self.realised > self.target and later > before or self.realised < self.target and later < before)
        code = "RISK_AWAY_FROM_TARGET" if away else None if self.silent else "DATA_GAP"
        case.same("code of the risk", told["code"], code)
        case.same("words of the risk", told["text"] is None, code is None)
