"""A portfolio valued at one moment: lines, equity, and the profit in its parts."""

from fractions import Fraction

from .bands import setting
from .exact import day_of, num

ZERO = Fraction(0)
# What a sum of values may hold.
LARGEST = 10**18


class Line:
    """A held or targeted instrument; `notional` is what weights and orders use, `worth` what equity counts."""

    def __init__(self, name, market, book, now, policy):
        position = book.positions.get(name)
        self.name = name
        self.position = position
        self.held = position.quantity if position else ZERO
        self.price = market.price(name)
        self.price_time = market.accepted[name]["time"] if self.price is not None else None
        self.rate = market.rate(market.currency(name), book.base) if name in market.facts else None
        self.multiplier = market.multiplier(name)
        self.lot = num(market.facts.get(name, {}).get("lot_size"), Fraction(1))
        self.average = position.cost / self.held / self.multiplier if position and self.held else None
        self.stale = market.stale(name, now, policy)
        self.held_back = market.held_back(name)
        self.kind = market.kind(name)
        self.quote = market.both_sides(name, policy)
        self.volume = num(market.facts.get(name, {}).get("average_daily_volume"))
        self.venue = market.facts.get(name, {}).get("venue")
        accrued = market.accrued(name) or ZERO
        priced = self.price is not None and self.rate is not None
        self.priced = priced
        clean = self.price * self.multiplier * self.rate if priced else ZERO
        self.clean = clean
        self.unit = clean + accrued * self.multiplier * self.rate if priced and self.kind == "BOND" else clean
        self.notional = self.held * self.unit
        gain = (self.price - self.average) * self.multiplier * self.rate * self.held if priced and self.held else ZERO
        self.worth = gain if self.kind == "FUTURE" else self.notional

    def leave_out(self):
        """Its value is more than a sum may hold: it counts nothing, as if it had no price."""
        self.priced, self.notional, self.worth = False, ZERO, ZERO


class Valuation:
    def __init__(self, book, market, policy, now):
        targeted = {t["instrument_id"] for t in policy.get("targets", []) if t.get("instrument_id")}
        held = {name for name, position in book.positions.items() if position.quantity}
        self.lines = {name: Line(name, market, book, now, policy) for name in sorted(targeted | held)}
        most = Fraction(LARGEST, 4 * (len(self.lines) + len(book.cash) + len(book.owed) + 1))
        beyond = [line for line in self.lines.values() if max(abs(line.notional), abs(line.worth)) > most]
        for line in beyond:
            line.leave_out()
        self.rates = {currency: market.rate(currency, book.base) for currency in book.cash}
        self.cash = sum((amount * (self.rates[currency] or 0) for currency, amount in book.cash.items()), ZERO)
        self.settled = book.settled(day_of(now))
        free = sum((amount * (self.rates[currency] or 0) for currency, amount in self.settled.items()), ZERO)
        self.spendable = min(free, self.cash) if setting(policy, "orders", "cash_basis", "TRADE_DATE") == "SETTLED" else self.cash
        self.owed = sum((amount * (market.rate(currency, book.base) or 0) for currency, amount in book.owed.items()), ZERO)
        self.equity = self.cash + self.owed + sum((line.worth for line in self.lines.values()), ZERO)
        self.unpriced = sorted(name for name, line in self.lines.items() if line.price is None or line in beyond)
        self.stale = sorted(name for name, line in self.lines.items() if line.stale)
        self.rates.update({currency: market.rate(currency, book.base) for currency, amount in book.owed.items() if amount})
        rates = list(self.rates.values()) + [line.rate for line in self.lines.values()]
        self.pairs_fit = all(rate is not None for rate in rates)
        self.fit = not self.unpriced and not self.stale and self.pairs_fit

    def unrealized(self, line, book):
        if not line.position or not line.held:
            return ZERO
        return line.worth if line.kind == "FUTURE" else line.worth - line.position.book_cost
