"""What each strategy holds of an instrument and has earned: a small book of its own at average cost, in which only the
bookings of that strategy stand. What all of them leave of the line is the residual.

Parts say whose something is: strategy, or None, or RESIDUAL, to [units, realized, fees, income, proceeds], all but the first in
base. Proceeds are what was earned less what the book cost has grown by and what crossed the boundary beyond that.
"""

import copy
from fractions import Fraction

from .exact import half_even, num, toward_zero

ZERO, RESIDUAL, LINE, MOST = Fraction(0), "the residual", object(), 64


def add(into, parts, sign):
    for who, figures in parts.items():
        into[who] = [a + sign * b for a, b in zip(into.get(who, [ZERO] * 5), figures)]


def with_units(own, later):
    """Parts with the units of others, which lose them."""
    moved = {who: [figures[0], ZERO, ZERO, ZERO, ZERO] for who, figures in later.items()}
    out = copy.deepcopy(own)
    add(out, moved, 1)
    add(later, moved, -1)
    return out


def stand(book, name):
    """What a book has earned and put into a line."""
    held = book.positions.get(name)
    return {**book.sums, "cost": held.book_cost if held else ZERO}


def figures(book, name, before, units):
    now = stand(book, name)
    realized, fees, income, cost, crossed = (now[of] - before[of] for of in ("realized_gross", "fees", "income", "cost", "transferred"))
    return [units, realized, fees, income, realized - fees + income - cost - crossed]


def did(book, name, deed, *of):
    """What something does to a book, and whose it is all together."""
    before, held = stand(book, name), book.positions[name].quantity if name in book.positions else ZERO
    told = deed(book, *of)
    now = book.positions[name].quantity if name in book.positions else ZERO
    return told, figures(book, name, before, now - held)


def with_residual(parts, whole):
    left = list(whole)
    for own in parts.values():
        left = [a - b for a, b in zip(left, own)]
    return {**parts, RESIDUAL: left}


def began(book, name, was, rate):
    """A line before its first strategy, and its fees and income in base: all that it was is of none."""
    part = type(book)(book.base, "AVERAGE")
    fees = half_even((was.fees_local - was.beside[0]) * rate, 18) if was else ZERO
    income = half_even((was.income - was.beside[1]) * rate, 18) if was else ZERO
    if was is None or not any([was.quantity, was.cost, was.realized, fees, income, was.net_base - was.beside[2]]):
        return {}, [fees, income]
    position = copy.deepcopy(was)
    position.method, position.lots = "AVERAGE", []
    part.positions[name] = position
    part.sums.update(fees=fees, income=income, realized_gross=was.net_base - was.beside[2] + fees - income)
    return {None: part}, [fees, income]


def bucket(names, strategy):
    """Where something counts that names a strategy: what is one too many counts as none."""
    named = [who for who in names if who is not None]
    return strategy if strategy in names or len(named) < MOST else None


def booked(book, value, market, whole):
    """A booking of a line, told with whose it is; `whole` books it into a book without regard to strategies."""
    name, strategy = value["instrument_id"], value.get("strategy")
    was = copy.deepcopy(book.positions.get(name))
    told, total = did(book, name, whole, value, market)
    if told is None:
        return None
    told = {**told, "strategy": strategy}
    if market.kind(name) == "FX":
        return {**told, "parts": {strategy: total}}
    if strategy is not None and name not in book.subs:
        book.subs[name], book.charged[name] = began(book, name, was, told["fx_rate"])
    return {**told, "parts": apart(book, name, strategy, total, lambda own: whole(own, value, market))}


def apart(book, name, strategy, total, deed):
    if name not in book.subs:
        return {None: total}
    subs = book.subs[name]
    who = bucket(subs, strategy)
    if who not in subs:
        subs[who] = type(book)(book.base, "AVERAGE")
        subs[who].positions[name] = subs[who].nothing_held()
    book.charged[name] = [a + b for a, b in zip(book.charged[name], total[2:4])]
    return with_residual({who: did(subs[who], name, deed)[1]}, total)


def one(book, name, strategy, deed):
    """Something that concerns a line and one of its strategies."""
    told, total = did(book, name, deed)
    total[0] = told["quantity_change"]
    return {**told, "parts": apart(book, name, strategy, total, deed)}


def each(book, name, deed):
    """Something that concerns a line and each of its strategies by itself; `deed` is told whose book it is."""
    told, total = did(book, name, deed, LINE)
    if name not in book.subs:
        return {**told, "parts": {None: total}}
    book.charged[name] = [a + b for a, b in zip(book.charged[name], total[2:4])]
    parts = {who: did(sub, name, deed, who)[1] for who, sub in book.subs[name].items()}
    return {**told, "parts": with_residual(parts, total)}


def in_order(names):
    return sorted(names, key=lambda who: (who is not None, who))


def sold(held, odd, lot):
    """Who sells the part below one lot: who has one on the line's side, then who has whole ones, both times in order."""
    sign = -1 if odd < 0 else 1
    out, rest = dict.fromkeys(held, ZERO), abs(odd)
    mine = {who: max(units * sign, ZERO) for who, units in held.items()}
    for has in (lambda who: mine[who] - toward_zero(mine[who], lot), lambda who: mine[who] - out[who]):
        for who in in_order(held):
            gives = min(has(who), rest)
            out[who] += gives
            rest -= gives
    return {who: sign * units for who, units in out.items()}


def paid(book, value, market):
    """A cash entry; one that names an instrument is its strategy's of that instrument."""
    strategy, named = value.get("strategy"), value.get("instrument_id") or market.actions.get(value.get("action_id"))
    held = book.positions.get(named)
    before = (held.fees_local, held.income, held.net_base) if held else (ZERO, ZERO, ZERO)
    sums = stand(book, named)
    told = book.entry_whole(value, market)
    if told is None:
        return None
    total = figures(book, named, sums, ZERO)
    position = book.positions.get(named)
    who = strategy
    if position is not None and value["kind"] in ("FEE", "INTEREST", "DIVIDEND"):
        after = (position.fees_local, position.income, position.net_base)
        position.beside = [a + b - c for a, b, c in zip(position.beside, after, before)]
        of = book.besides.setdefault(named, {})
        who = bucket(of, strategy)
        of[who] = [a + b for a, b in zip(of.get(who, [ZERO, ZERO]), total[2:4])]
    return {**told, "parts": {who: total}, "strategy": strategy}


# What a snapshot shows.


def rounded(value, book_cost, net, fees, income):
    """Cost, value, gross, fees, income as published: value, gain and net are rounded, the others follow."""
    value, gain, net = half_even(value, 10), half_even(value - book_cost, 10), half_even(net, 10)
    fees, income = half_even(fees, 10), half_even(income, 10)
    return [value - gain, value, net + fees - income, fees, income]


class Rows:
    """The rows of a snapshot, by (instrument, who): units, average, figures."""

    def __init__(self, book, at, market):
        self.rows, together = {}, {}
        for name in sorted(set(book.subs) | {n for n, of in book.besides.items() if any(who is not None for who in of)}):
            own = self.of_line(book, at, market, name)
            if name in at.lines or any(units for units, *_ in own.values()):
                self.rows.update({(name, who): row for who, row in own.items()})
            else:
                for who, (_, _, shown) in own.items():
                    together[who] = [a + b for a, b in zip(together.get(who, [ZERO] * 5), shown)]
        last = [who for who in (*in_order(set(together) - {RESIDUAL}), RESIDUAL) if any(together.get(who, []))]
        self.rows.update({(None, who): (ZERO, None, together[who]) for who in last})

    def of_line(self, book, at, market, name):
        position, line, rate = book.positions[name], at.lines.get(name), market.rate(market.currency(name), book.base)
        beside = book.besides.get(name, {})
        subs, charged = book.subs.get(name), book.charged.get(name)
        if subs is None:
            subs, charged = began(book, name, position, rate or Fraction(1))
            nobody = type(book)(book.base, "AVERAGE")
            nobody.positions[name] = nobody.nothing_held()
            subs = subs or {None: nobody}
        own = {}
        for who in in_order(set(subs) | {who for who, both in beside.items() if who is not None or any(both)}):
            fees, income = beside.get(who, [ZERO, ZERO])
            sub = subs.get(who)
            held = sub.positions[name] if sub else None
            units, book_cost = (held.quantity, held.book_cost) if held else (ZERO, ZERO)
            sums = sub.sums if sub else {"realized_gross": ZERO, "fees": ZERO, "income": ZERO}
            net = sums["realized_gross"] - sums["fees"] + sums["income"] + income - fees
            shown = rounded(self.worth(market, name, held, rate), book_cost, net, sums["fees"] + fees, sums["income"] + income)
            own[who] = (units, held.cost / units / market.multiplier(name) if units else None, shown)
        worth = line.worth if line and line.priced else ZERO
        every = [sum((both[at] for both in beside.values()), ZERO) for at in (0, 1)]
        left = rounded(worth, position.book_cost, position.net_base, charged[0] + every[0], charged[1] + every[1])
        units = position.quantity
        for held, _, shown in own.values():
            units, left = units - held, [a - b for a, b in zip(left, shown)]
        if units or any(left):
            own[RESIDUAL] = (units, None, left)
        return own

    @staticmethod
    def worth(market, name, held, rate):
        price = market.price(name)
        if held is None or price is None or rate is None:
            return ZERO
        accrued = market.accrued(name) if market.kind(name) == "BOND" else None
        notional = held.quantity * (price + (accrued or ZERO)) * market.multiplier(name)
        return (notional - held.cost if market.kind(name) == "FUTURE" else notional) * rate


def told(row):
    """A row as it is published."""
    shown = [num(row[name]) for name in ("cost", "value", "realized_gross", "fees", "income")]
    average = num(row["average_price"]) if row["average_price"] is not None else None
    return num(row["quantity"]), average, shown
