"""Figures beyond a policy's bounds: the return of the day and the moves of weights, both since the last cut of a day."""

import copy

from .closes import cuts
from .exact import half_even, num
from .value import Valuation

ZERO = num("0")


class Vigil:
    """What one portfolio's figures are measured from, and what of them somebody has accepted."""

    def __init__(self):
        self.base, self.quoted, self.accepted, self.held = None, {}, {}, False

    def cut(self, world, portfolio, policy, at):
        """A day ends: its equity and flows, and the prices of then as they were quoted."""
        value = Valuation(world.books[portfolio], world.market, policy, at)
        whole = not value.unpriced and value.pairs_fit
        self.base = (value.equity, world.books[portfolio].sums["net_flows"]) if whole else None
        self.quoted = {name: known["as"] for name, known in world.market.accepted.items()}
        self.accepted = {}

    def out(self, world, portfolio, policy):
        """Every figure beyond its bound that was not accepted: by kind and line."""
        book, bounds = world.books[portfolio], policy.get("book") or {}
        daily, jump = num(bounds.get("max_daily_return")), num(bounds.get("max_weight_jump"))
        found = {}
        if daily is None and jump is None:
            return found
        at = Valuation(book, world.market, policy, world.now)
        if at.unpriced or not at.pairs_fit:
            return found
        if daily is not None and self.base:
            equity, flows = self.base
            flow = book.sums["net_flows"] - flows
            whole = equity + max(flow, ZERO)
            if whole > 0 and abs(at.equity - equity - flow) > daily * whole:
                found["DAILY_RETURN", None] = ((at.equity - equity - flow) / whole, daily)
        if jump is not None and at.equity > 0:
            then = self.then(world, book, policy)
            if then and then.equity > 0:
                for name, line in at.lines.items():
                    before, now = then.lines[name].notional / then.equity, line.notional / at.equity
                    if abs(now - before) > jump:
                        found["WEIGHT_JUMP", name] = (half_even(now, 12) - half_even(before, 12), jump)
        return {key: (half_even(value, 12), bound) for key, (value, bound) in found.items() if not self.bears(key, half_even(value, 12), bound)}

    def bears(self, key, value, bound):
        return key in self.accepted and abs(value - self.accepted[key]) <= bound

    def then(self, world, book, policy):
        """Today's book at the prices of the cut; before the first one at each instrument's first price."""
        market = copy.copy(world.market)
        market.accepted = {}
        for name, known in world.market.accepted.items():
            quoted = self.quoted.get(name)
            price = world.market.units(name, quoted) if quoted else world.market.first[name]
            market.accepted[name] = {**known, "price": price, "held": None}
        value = Valuation(book, market, policy, world.now)
        return value if value.pairs_fit and not value.unpriced else None

    def accept(self, world, portfolio, policy):
        self.accepted.update({key: value for key, (value, _) in self.out(world, portfolio, policy).items()})


class Vigils:
    """Of all portfolios of a case."""

    @staticmethod
    def pass_to(world, before, now):
        """The cuts of a time that has passed: the book of before is what each day ended with."""
        for portfolio, policy in world.policies.items():
            if not policy:
                world.vigils[portfolio] = Vigil()
                continue
            for at, _ in cuts(policy, before, now)[-1:]:
                world.vigils[portfolio].cut(world, portfolio, policy, at)

    @staticmethod
    def look(world, watches):
        """Where no figure is out any more, a breach that stands is said again."""
        for portfolio, policy in world.policies.items():
            if policy and portfolio in world.books:
                vigil = world.vigils[portfolio]
                held = bool(vigil.out(world, portfolio, policy))
                if vigil.held and not held and watches[portfolio, False].open is not None:
                    watches[portfolio, False].rearmed = True
                vigil.held = held

    @staticmethod
    def told(world, portfolio, policy):
        found = world.vigils[portfolio].out(world, portfolio, policy) if policy else {}
        return sorted((kind, name or "", value, bound) for (kind, name), (value, bound) in found.items())
