"""Closed days: which days a portfolio has, what it held on each, and at which prices that was closed.

A day's book is made anew from all that is booked by the time of the record, without what is dated after the day.
"""

import copy
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from . import calendars, splits
from .exact import half_even, micros, num
from .schedule import EPOCH, moment

ZERO = num("0")
KEPT = 10


def cuts(policy, after, until):
    """Moments at which the policy's days are cut, each with the day that it ends; days that do not count are left out."""
    zone = ZoneInfo(policy.get("time_zone") or "UTC")
    hour, minute = (int(part) for part in (policy.get("day_cut") or "00:00").split(":"))
    day, last = moment(after).date() - timedelta(days=2), moment(until).date() + timedelta(days=2)
    day = max(day, last - timedelta(days=44))
    found = {}
    while day <= last:
        local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=0)
        at = (local.astimezone(timezone.utc) - EPOCH) // timedelta(microseconds=1)
        ended = moment(at - 1).astimezone(zone).date()
        if after < at <= until and calendars.counts(policy, ended):
            found[at] = ended.isoformat()
        day += timedelta(days=1)
    return sorted(found.items())


def days_before(policy, at, days):
    """The cut of so many calendar days before a cut, as a moment."""
    zone = ZoneInfo(policy.get("time_zone") or "UTC")
    hour, minute = (int(part) for part in (policy.get("day_cut") or "00:00").split(":"))
    day = moment(at).astimezone(zone).date() - timedelta(days=days)
    before = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=0)
    return (before.astimezone(timezone.utc) - EPOCH) // timedelta(microseconds=1)


class Days:
    """The days of all portfolios of a case, in the order in which they are cut."""

    def __init__(self):
        self.cut, self.policies = {}, {}

    def pass_to(self, policies, before, now, market):
        """`market` is what was known when the lane first looked after the cuts."""
        for portfolio, policy in policies.items():
            known = self.cut.setdefault(portfolio, {})
            new = {day: at for at, day in cuts(policy, before, now) if not known or day > max(known)} if policy else {}
            for day in sorted(new)[-KEPT:]:
                known[day] = (new[day], market)
                self.policies[portfolio, day] = policy


class AsOf:
    """What a portfolio held when a day was cut, valued at the prices of the cut."""

    def __init__(self, world, portfolio, day, cut_at, then, cut_by):
        self.market, book = world.market, world.books[portfolio]
        self.base, self.began = book.base, days_before(cut_by, cut_at, 1)
        bound = ((world.policies.get(portfolio) or {}).get("book") or {}).get("max_close_age_days")
        self.oldest = None if bound is None else days_before(cut_by, cut_at, 1 + int(bound))
        self.day, self.cut_at, self.then = day, cut_at, then
        log = [kept for kept in book.log if self.counts(kept[0])]
        stood = [self.known(split) for split in book.splits if split.ex_date <= day]
        self.book, _, _ = splits.fold(book, log, stood)
        self.prices = copy.copy(world.market)
        names = set(world.market.accepted) | set(then.accepted if then else {})
        quoted = {name: self.quoted(name) for name in names}
        self.made = {name: min(made for _, made in found[0]) for name, found in quoted.items() if found}
        self.accrued = {name: found[1] for name, found in quoted.items() if found}
        self.prices.accepted = {name: {"price": self.in_units(name, found[0])} for name, found in quoted.items() if found}
        self.rate = lambda currency: self.prices.rate(currency, book.base)

    def counts(self, value):
        if "exec_id" in value:
            return value["trade_date"] <= self.day
        if value.get("instrument_id") and value["kind"].startswith("TRANSFER"):
            return splits.day_of(value, self.market) <= self.day
        return micros(value["effective_at"]) < self.cut_at

    def known(self, split):
        """A dividend that is paid later is owed."""
        split = copy.copy(split)
        if isinstance(split, splits.Dividend):
            split.paid = split.paid and split.pay_date <= self.day
        return split

    def quoted(self, name):
        """The last accepted price of before the cut, whenever it came, else the first one after it; with its accrued interest."""
        history = self.market.history.get(name, [])
        known = self.then.accepted.get(name) if self.then else None
        before = lambda quoted: all(made < self.cut_at for _, made in quoted)
        # What was dated ahead of the clock was not before the cut, though it came before it: one of those before it was.
        price = known["as"] if known and before(known["as"]) else None
        seen = len(self.then.history.get(name, [])) if price is not None else 0
        for accepted, _ in history[seen:]:
            price = accepted if accepted and before(accepted) else price
        accrued = next((given[0] for _, given in reversed(history) if given and given[1] < self.cut_at), None)
        if price is not None:
            return price, accrued
        if name in self.market.first_as:
            return self.market.first_as[name], self.market.first_accrued[name]
        return None

    def in_units(self, name, quoted):
        """Of each part of a price: splits up to the day that came after it was made; none of those after the day."""
        total = ZERO
        for price, made in quoted:
            for split in sorted((s for s in self.market.splits.get(name, []) if hasattr(s, "ratio")), key=splits.order):
                if made < split.start and split.ex_date <= self.day:
                    price = half_even(price / split.ratio, 10)
                elif made >= split.start and split.ex_date > self.day:
                    price = half_even(price * split.ratio, 10)
            total += price
        return total / len(quoted)

    def positions(self):
        """By instrument: units, price, rate, value and cost; what cannot be valued counts nothing."""
        out = {}
        for name, position in sorted(self.book.positions.items()):
            if not position.quantity:
                continue
            price, rate = self.prices.price(name), self.rate(self.market.currency(name))
            out[name] = (position.quantity, price, rate, self.worth(name, position.quantity, position.cost), position.cost)
        return out

    def worth(self, name, quantity, cost):
        """What units have come to that cost so much; None without a price or a rate."""
        price, rate = self.prices.price(name), self.rate(self.market.currency(name))
        if price is None or rate is None:
            return None
        full = price + (self.accrued[name] or ZERO) if self.market.kind(name) == "BOND" else price
        value = quantity * full * self.market.multiplier(name)
        return (value - cost if self.market.kind(name) == "FUTURE" else value) * rate

    def strategies(self):
        """What each strategy held, by instrument, and what all of them leave of it: units, cost and value as published."""
        rounded, rows = lambda value: None if value is None else half_even(value, 10), {}
        whole = {name: (quantity, rounded(cost), rounded(value)) for name, (quantity, _, _, value, cost) in self.positions().items()}
        for name, subs in self.book.subs.items():
            held = {who: own.positions[name] for who, own in subs.items() if own.positions[name].quantity}
            parts = {(False, who): (own.quantity, rounded(own.cost), rounded(self.worth(name, own.quantity, own.cost))) for who, own in held.items()}
            valued = all(value is not None for _, _, value in parts.values())
            left = list(whole.get(name, (ZERO, ZERO, ZERO)))
            for part in parts.values():
                left = [a - (b or ZERO) for a, b in zip((of or ZERO for of in left), part)]
            if left[0] or left[1] or (valued and left[2]):
                parts[True, None] = (left[0], left[1], left[2] if valued else None)
            rows.update({(name, *who): part for who, part in parts.items()})
        return rows

    def currencies(self):
        """By currency: cash, receivables and the rate."""
        names = {c for c, a in self.book.cash.items() if a} | {c for c, a in self.book.owed.items() if a}
        return {c: (self.book.cash.get(c, ZERO), self.book.owed.get(c, ZERO), self.rate(c)) for c in sorted(names)}

    def sources(self, name=None, currency=None):
        """What a value is made of: the instrument, and the pairs of its rate."""
        pairs = self.prices.pairs(currency or self.market.currency(name), self.base)
        return [name] + pairs if name and self.prices.price(name) is not None else pairs

    def stale(self, **of):
        return any(self.made[source] < self.began for source in self.sources(**of))

    def too_old(self):
        """Whether something that the day stands on is older than the policy lets it be."""
        flat = {name for name, residual, _ in self.strategies() if not residual}
        used = [{"name": name} for name in flat | set(self.positions())] + [{"currency": currency} for currency in self.currencies()]
        made = [self.made[source] for of in used for source in self.sources(**of)]
        return self.oldest is not None and any(at < self.oldest for at in made)

    def lacks(self):
        prices = any(found[3] is None for found in self.positions().values()) or any(value is None for _, _, value in self.strategies().values())
        return prices or self.too_old() or any(rate is None for _, _, rate in self.currencies().values())

    def flows(self):
        return half_even(self.book.sums["net_flows"], 10)

    def parts(self):
        """Each part of equity as published: rounded once."""
        of_positions = {name: half_even(found[3] or ZERO, 10) for name, found in self.positions().items()}
        worth = lambda amount, rate: half_even(amount * (rate or ZERO), 10)
        of_cash = {c: (worth(cash, rate), worth(owed, rate)) for c, (cash, owed, rate) in self.currencies().items()}
        return of_positions, of_cash

    def equity(self):
        of_positions, of_cash = self.parts()
        return sum(of_positions.values(), ZERO) + sum((a + b for a, b in of_cash.values()), ZERO)


class Closes:
    """Holds each close against the model, and at the end the newest of each day against all that came."""

    def __init__(self, case):
        self.case, self.newest = case, {}

    def check(self, value):
        case, portfolio, day = self.case, value["portfolio_id"], value["date"]
        known = case.days.cut.get(portfolio, {})
        case.same(f"{day} is a day of {portfolio}", day in known, True)
        if day not in known:
            return
        cut_at, then = known[day]
        world = case.state(value["input_offsets"])
        at = AsOf(world, portfolio, day, cut_at, then, case.days.policies[portfolio, day])
        case.same("cut_at", micros(value["cut_at"]), cut_at)
        self.version(value)
        self.figures(value, at)
        waits = bool(world.waiting[portfolio]) or bool(world.named[portfolio])
        case.same("complete", value["complete"], not (at.lacks() or waits))
        unsure = self.unsure(world, portfolio, day)
        case.same("provisional", value["provisional"], at.lacks() or waits or portfolio in world.quarantined or unsure)
        case.same("a reason is given", value["incomplete_reason"] is not None, value["provisional"])
        case.performance.close(value, at, world)
        self.newest[portfolio, day] = value

    @staticmethod
    def unsure(world, portfolio, day):
        return calendars.unsure(world.policies.get(portfolio) or {}, datetime.fromisoformat(day).date())

    def version(self, value):
        """Versions of a day rise by one, and none repeats the one before."""
        before = self.newest.get((value["portfolio_id"], value["date"]))
        self.case.same("version", int(value["version"]), int(before["version"]) + 1 if before else 1)
        self.case.same("restates", value["restates"] and int(value["restates"]), int(before["version"]) if before else None)
        if before:
            circumstances = ("version", "restates", "as_of", "input_offsets", "policy_version")
            figures = lambda record: {name: told for name, told in record.items() if name not in circumstances}
            self.case.same("something new is said", figures(value) != figures(before), True)

    def figures(self, value, at):
        case = self.case
        found = {p["instrument_id"]: p for p in value["positions"]}
        expected, (of_positions, of_cash) = at.positions(), at.parts()
        case.same("instruments", list(found), list(expected))
        for name, (quantity, price, rate, _, cost) in expected.items():
            told = found.get(name, dict.fromkeys(("quantity", "price", "fx_rate", "value", "cost", "price_time", "stale")))
            case.decimal(f"{name} quantity", told["quantity"], quantity, 8)
            case.decimal(f"{name} price", told["price"], price)
            case.decimal(f"{name} fx_rate", told["fx_rate"], rate, 12)
            case.decimal(f"{name} cost", told["cost"], cost)
            case.same(f"{name} value", num(told["value"]), of_positions[name])
            case.same(f"{name} price_time", told["price_time"] and micros(told["price_time"]), at.made[name] if price is not None else None)
            case.same(f"{name} stale", told["stale"], at.stale(name=name))
        apart = {(row["instrument_id"], row["residual"], row["strategy"]): [num(row[of]) if row[of] is not None else None for of in ("quantity", "cost", "value")] for row in value.get("strategies", [])}
        case.same("strategies", apart, {who: list(part) for who, part in at.strategies().items()})
        amounts = lambda field: {a["currency"]: num(a["amount"]) for a in value[field]}
        held = at.currencies()
        case.same("cash", amounts("cash"), {c: half_even(cash, 10) for c, (cash, _, _) in held.items() if cash})
        case.same("receivables", amounts("receivables"), {c: half_even(owed, 10) for c, (_, owed, _) in held.items() if owed})
        worth = {c["currency"]: (num(c["cash_value"]), num(c["receivables_value"])) for c in value["currencies"]}
        case.same("what cash is worth", worth, of_cash)
        rates = {c["currency"]: num(c["fx_rate"]) for c in value["currencies"]}
        case.same("rates", rates, {c: rate for c, (_, _, rate) in held.items()})
        case.same("stale rates", {c["currency"]: c["stale"] for c in value["currencies"]}, {c: at.stale(currency=c) for c in held})
        case.same("equity", num(value["equity"]), at.equity())
        case.same("net_flows", num(value["net_flows"]), at.flows())
        case.same("net_external_flow", num(value["net_external_flow"]), at.flows() - self.flows_before(value))

    def flows_before(self, value):
        days = [day for portfolio, day in self.newest if portfolio == value["portfolio_id"] and day < value["date"]]
        return num(self.newest[value["portfolio_id"], max(days)]["net_flows"]) if days else ZERO

    def end(self):
        """Every day was closed, and the newest days say what is known at the end."""
        case, final = self.case, self.case.states[-1] if self.case.states else None
        for portfolio, known in case.days.cut.items():
            closed = sorted(day for owner, day in self.newest if owner == portfolio)
            case.same(f"closed days of {portfolio}", closed, sorted(known))
            flows = sum((num(self.newest[portfolio, day]["net_external_flow"]) for day in closed), ZERO)
            for day in closed[-KEPT:]:
                at = AsOf(final, portfolio, day, *known[day], case.days.policies[portfolio, day])
                case.where = f"the last close of {portfolio} on {day}"
                case.same("equity", num(self.newest[portfolio, day]["equity"]), at.equity())
                case.same("net_flows", num(self.newest[portfolio, day]["net_flows"]), at.flows())
                lacks = at.lacks() or bool(final.waiting[portfolio]) or bool(final.named[portfolio]) or portfolio in final.quarantined or self.unsure(final, portfolio, day)
                if not lacks:
                    case.same("final", self.newest[portfolio, day]["provisional"], False)
            if closed:
                case.same("flows of all days", flows, num(self.newest[portfolio, closed[-1]]["net_flows"]))
