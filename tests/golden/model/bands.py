"""Targets, bounds, breaches and clear levels of a policy, and the watch that speaks of them."""

from fractions import Fraction

from .exact import num, toward_zero

ZERO, ONE = Fraction(0), Fraction(1)


def setting(policy, group, name, default):
    value = (policy.get(group) or {}).get(name)
    return default if value is None else value


def rules(policy, shadow):
    """The policy itself, or what it would be with its shadow's groups in place of its own; the book is kept once."""
    if not shadow:
        return policy
    second = policy["shadow"]
    laid = {group: second.get(group) or {} for group in ("band", "trigger", "orders", "limits")}
    age = setting(second, "book", "max_price_age_seconds", "300")
    return {**policy, **laid, "targets": second.get("targets", []), "book": {**(policy.get("book") or {}), "max_price_age_seconds": age}}


def half_width(policy, target):
    band = policy.get("band") or {}
    kind = band.get("kind", "ABSOLUTE")
    absolute = num(band.get("absolute"), Fraction(5, 100))
    relative = num(band.get("relative"), Fraction(25, 100)) * abs(target)
    return {"ABSOLUTE": absolute, "RELATIVE": relative, "SMALLER_OF": min(absolute, relative), "LARGER_OF": max(absolute, relative)}[kind]


class Bound:
    """A line, a group or the cash: its weight times equity against its target and bounds."""

    def __init__(self, target, lower, upper, value, equity):
        self.target, self.exact, self.lower, self.upper = target, target, lower, upper
        self.value, self.equity = value, equity
        self.weight = value / equity
        self.drift = self.weight - target

    def side(self, inclusive):
        # Nothing held and nothing wanted has left no bound.
        if self.value == 0 and self.target == 0:
            return 0
        if self.weight > self.upper or (inclusive and self.weight == self.upper):
            return 1
        if self.weight < self.lower or (inclusive and self.weight == self.lower):
            return -1
        return 0

    def clear(self, ratio):
        return self.target - ratio * (self.target - self.lower) <= self.weight <= self.target + ratio * (self.upper - self.target)

    def trip(self):
        return self.upper - self.target if self.drift > 0 else self.target - self.lower


def bounds_of(policy, target, line):
    half = half_width(policy, target)
    low, high = num((line or {}).get("min_weight")), num((line or {}).get("max_weight"))
    return (target - half if low is None else low), (target + half if high is None else high)


class Bands:
    def __init__(self, policy, valuation, market):
        self.policy, equity = policy, valuation.equity
        self.inclusive = setting(policy, "band", "inclusive", False) in (True, "true")
        own = {t["instrument_id"]: t for t in policy.get("targets", []) if t.get("instrument_id")}
        groups = {t["group"]: t for t in policy.get("targets", []) if t.get("group")}
        self.lines, self.groups, self.shared = {}, {}, set()
        for name, line in valuation.lines.items():
            target = num(own[name]["target_weight"]) if name in own else ZERO
            low, high = bounds_of(policy, target, own.get(name))
            self.lines[name] = Bound(target, low, high, line.notional, equity)
        for group, given in groups.items():
            facts = lambda name: market.facts.get(name, {})
            members = [n for n in valuation.lines if group in (facts(n).get("sector"), facts(n).get("type"))]
            target, total = num(given["target_weight"]), sum((valuation.lines[n].notional for n in members), ZERO)
            low, high = bounds_of(policy, target, given)
            self.groups[group] = (Bound(target, low, high, total, equity), members)
            if members and not any(n in own for n in members) and total:
                for n in members:
                    part = valuation.lines[n].notional / total
                    cut = toward_zero(target * part, Fraction(1, 10**12))
                    ends = sorted((low * part, high * part))
                    self.lines[n] = Bound(cut, *ends, valuation.lines[n].notional, equity)
                    self.lines[n].exact = target * part
                    self.shared.add(n)
        self.cash = None
        self.cash_target = ONE - sum((num(t["target_weight"]) for t in own.values()), ZERO)
        self.cash_target -= sum((b.target for b, members in self.groups.values() if not any(n in own for n in members)), ZERO)
        band = num(setting(policy, "trigger", "cash_band", None))
        if band is not None:
            self.cash = Bound(self.cash_target, self.cash_target - band, self.cash_target + band, valuation.cash, equity)

    def named(self):
        """What breaches by itself, by name; members that share a group's target breach with the group alone."""
        found = {("line", name): bound for name, bound in self.lines.items() if name not in self.shared}
        found.update({("group", name): bound for name, (bound, _) in self.groups.items()})
        return {**found, **({("cash",): self.cash} if self.cash else {})}

    def watched(self):
        return list(self.named().values())

    def outside(self):
        """What is out by itself, with its bound, and what is not inside its clear level, each with the side."""
        ratio = num(setting(self.policy, "band", "clear_ratio", "0.8"))
        sides = {name: (bound, bound.drift > 0) for name, bound in self.named().items()}
        out = {(name, over): bound for name, (bound, over) in sides.items() if bound.side(self.inclusive)}
        return out, {(name, over) for name, (bound, over) in sides.items() if not bound.clear(ratio)}

    def out(self, name):
        """Whether a line is out of its own bounds, or its group is out of the group's."""
        own = name not in self.shared and self.lines[name].side(self.inclusive)
        return bool(own or any(bound.side(self.inclusive) for bound, members in self.groups.values() if name in members))

    def breached(self):
        return any(bound.side(self.inclusive) for bound in self.watched())

    def all_clear(self):
        ratio = num(setting(self.policy, "band", "clear_ratio", "0.8"))
        return all(bound.clear(ratio) for bound in self.watched())

    def extent(self):
        """Largest |drift| of a line."""
        return max((abs(bound.drift) for bound in self.lines.values()), default=ZERO)


# The least step that is said anew, of equity.
LEAST_STEP = Fraction(1, 1000)


class Watch:
    """OPEN, WORSE (another that is out, or a quarter of its trip level more), REARM, CLEAR, and UNPRICED once a gap."""

    def __init__(self):
        self.episode, self.open, self.unpriced, self.said_at = 0, None, False, None
        # What was out when something was said, and has not come back inside its clear level since, with its |drift| then.
        self.told = {}
        self.outlived = self.rearmed = False

    def follow(self):
        """Another policy: the next look ends the open episode."""
        self.outlived, self.said_at, self.told = self.open is not None, None, {}

    def close(self):
        """There are no such rules any more; episodes count on."""
        self.open, self.said_at, self.told = None, None, {}
        self.unpriced = self.outlived = False

    def look(self, bands, fit, equity, now, rearm):
        if not fit:
            news, self.unpriced = not self.unpriced, True
            return "UNPRICED" if news else None
        self.unpriced = False
        if equity <= 0:
            return None
        due = self.said_at is not None and now >= self.said_at + rearm * 1_000_000 or self.rearmed
        self.rearmed = False
        out, unclear = bands.outside()
        self.told = {edge: drift for edge, drift in self.told.items() if edge in unclear or edge in out}
        outlived, self.outlived = self.outlived, False
        if bands.breached() and (self.open is None or outlived):
            self.episode += 1
            event = "OPEN"
        elif self.open is None:
            return None
        elif outlived or bands.all_clear():
            self.open = self.said_at = None
            return "CLEAR"
        elif any(edge not in self.told or self.gone_on(bound, self.told[edge]) for edge, bound in out.items()):
            event = "WORSE"
        else:
            if due:
                self.said_at = now
            return "REARM" if due and bands.breached() else None
        self.open, self.said_at = True, now
        self.told = {**self.told, **{edge: abs(bound.drift) for edge, bound in out.items()}}
        return event

    @staticmethod
    def gone_on(bound, last):
        """Whether |drift| has grown by a quarter of the trip level, and by a thousandth of equity at least."""
        return abs(bound.drift) >= last + max(bound.trip() / 4, LEAST_STEP)
