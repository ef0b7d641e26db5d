"""Corporate actions: a book made anew from all that was booked and from the actions that are in effect.

An action stands before the first booking of its instrument that is dated on its ex-date or later, and behind all others
while there is none. What is dated before it and booked after that is turned into new units, and paid, by itself.
"""

import copy
import datetime
import zoneinfo
from collections import Counter, defaultdict
from fractions import Fraction

from . import strategies, trades
from .exact import half_even, num, toward_zero

ZERO, STEP = Fraction(0), Fraction(1, 10**8)
ZONES = {"XNAS": "America/New_York", "XNYS": "America/New_York", "XLON": "Europe/London", "XETR": "Europe/Berlin", "XTKS": "Asia/Tokyo"}


def start(day, venue):
    """Microseconds since 1970 at which a day begins at a venue."""
    zone = zoneinfo.ZoneInfo(ZONES.get(venue, "UTC"))
    return int(datetime.datetime.fromisoformat(day).replace(tzinfo=zone).timestamp()) * 1_000_000


def day_of(value, market):
    """The day of a transfer of securities, at the venue."""
    zone = zoneinfo.ZoneInfo(ZONES.get(market.facts[value["instrument_id"]].get("venue"), "UTC"))
    return datetime.datetime.fromisoformat(value["effective_at"].replace("Z", "+00:00")).astimezone(zone).date().isoformat()


def nothing():
    return {"quantity_change": ZERO, "cash": defaultdict(Fraction), "realized_gross": ZERO, "income": ZERO, "external_flow": ZERO, "parts": {}, "closed": Counter()}


class Symbol:
    """Another name from a day on."""

    rank = 2

    def __init__(self, value, frame):
        self.action, self.name, self.ex_date, self.symbol = value["action_id"], value["instrument_id"], value["ex_date"], value["new_symbol"]
        self.frame, self.start = frame, None

    def same(self, other):
        return isinstance(other, Symbol) and (self.ex_date, self.symbol) == (other.ex_date, other.symbol)

    def price(self, price):
        return price


class Dividend:
    """Income on what was traded before its ex-date: owed until it is paid. It comes before a split of the same day."""

    rank = 0

    def __init__(self, value, frame):
        self.action, self.name, self.ex_date = value["action_id"], value["instrument_id"], value["ex_date"]
        self.per_share, self.currency = num(value["amount_per_share"]), value.get("currency")
        self.pay_date, self.paid = value.get("pay_date") or value["ex_date"], False
        self.frame, self.start, self.rate, self.local_rate = frame, None, None, None

    def same(self, other):
        facts = lambda d: (d.ex_date, d.per_share, d.currency, d.pay_date)
        return isinstance(other, Dividend) and facts(self) == facts(other)

    def fix(self, book, market):
        own = market.currency(self.name)
        self.currency = self.currency or own
        self.rate = self.rate or market.rate(self.currency, book.base)
        self.local_rate = self.local_rate or market.rate(own, book.base)

    def units(self, quantity):
        return quantity

    def price(self, price):
        return price

    def apply(self, book, market):
        on_all = lambda book, _: self.pay(book, market, book.positions[self.name].quantity if self.name in book.positions else ZERO)
        return strategies.each(book, self.name, on_all)

    def late(self, book, market, quantity, strategy):
        return strategies.one(book, self.name, strategy, lambda book: self.pay(book, market, quantity))

    def pay(self, book, market, quantity):
        told, amount = nothing(), quantity * self.per_share
        if not amount:
            return told
        value, position = half_even(amount * self.rate, 18), book.positions[self.name]
        income = amount if self.rate == self.local_rate else half_even(value / self.local_rate, 18)
        if self.paid and not book.cash_policy:
            book.move(self.currency, amount, value)
            told["cash"][self.currency] += amount
        else:
            book.owed[self.currency] += amount
            book.book_owed += value
            earned = book.earned.setdefault(self.action, Counter())
            for key, more in ((self.currency, amount), ("base", value), ("local", income)):
                earned[key] += more
        book.sums["income"] += value
        position.income += income
        position.cycle["income"] += income
        position.net_base += value
        told["income"] = income
        return told


class Split:
    rank = 1

    def __init__(self, value, frame):
        self.action, self.name, self.ex_date = value["action_id"], value["instrument_id"], value["ex_date"]
        self.ratio = num(value["ratio_new"]) / num(value["ratio_old"])
        self.lieu, self.frame, self.start, self.rate = num(value.get("cash_in_lieu_price")), frame, None, None

    def fix(self, book, market):
        """Takes the rate of the moment at which it takes effect."""
        self.rate = self.rate or market.rate(market.currency(self.name), book.base)

    def late(self, book, market, quantity, strategy):
        return nothing()

    def same(self, other):
        return isinstance(other, Split) and (self.ex_date, self.ratio, self.lieu) == (other.ex_date, other.ratio, other.lieu)

    def units(self, quantity):
        return toward_zero(quantity * self.ratio, STEP)

    def price(self, price):
        return half_even(price / self.ratio, 10)

    def apply(self, book, market):
        """What it does to a book: units, cash, realized; each strategy's units are truncated by themselves."""
        position = book.positions.get(self.name)
        whole = self.units(position.quantity) if position else ZERO
        odd = whole - toward_zero(whole, self.lot(market)) if self.lieu is not None else ZERO
        held = {who: self.units(sub.positions[self.name].quantity) for who, sub in book.subs.get(self.name, {}).items()}
        sold = strategies.sold(held, odd, self.lot(market))
        return strategies.each(book, self.name, lambda own, who: self.divided(own, market, odd if who is strategies.LINE else sold[who]))

    def lot(self, market):
        return num(market.facts.get(self.name, {}).get("lot_size"), Fraction(1))

    def divided(self, book, market, odd):
        position = book.positions.get(self.name)
        told = nothing()
        if position is None or not position.quantity:
            return told
        before, gross = position.quantity, position.realized
        self.divide(position)
        position.quantity = self.units(before)
        told["quantity_change"] = position.quantity - before
        if not position.quantity:
            self.lose(book, position)
        elif odd:
            told["quantity_change"] -= odd
            for currency, amount in self.sell(book, position, odd, market).items():
                told["cash"][currency] += amount
        told["realized_gross"] = position.realized - gross
        return told

    def divide(self, position):
        """Each lot ends where its share of the whole ends; one of which nothing is left gives its cost to the next."""
        reached, given, kept, orphan = ZERO, ZERO, [], [ZERO, ZERO]
        for lot in position.lots:
            reached += lot.quantity
            lot.quantity, given = self.units(reached) - given, self.units(reached)
            lot.price /= self.ratio
            lot.cost, lot.book_cost = lot.cost + orphan[0], lot.book_cost + orphan[1]
            orphan = [ZERO, ZERO] if lot.quantity else [lot.cost, lot.book_cost]
            if lot.quantity:
                kept.append(lot)
        if kept:
            kept[-1].cost, kept[-1].book_cost = kept[-1].cost + orphan[0], kept[-1].book_cost + orphan[1]
        position.lots = kept

    @staticmethod
    def lose(book, position):
        position.realized -= position.cost
        position.cycle["realized"] -= position.cost
        position.net_base -= position.book_cost
        book.sums["realized_gross"] -= position.book_cost
        position.cost = position.book_cost = ZERO

    def sell(self, book, position, odd, market):
        currency, before = market.currency(self.name), dict(book.cash)
        fill = {"exec_id": "", "trade_date": self.ex_date, "instrument_id": self.name, "currency": currency, "price": str(self.lieu)}
        gross = abs(odd) * self.lieu * market.multiplier(self.name)
        book.trade(fill, -odd, gross, self.rate, market)
        return {c: book.cash[c] - before.get(c, ZERO) for c in book.cash if book.cash[c] != before.get(c, ZERO)}


def order(action):
    """The place of an action among those of its instrument."""
    return action.ex_date, action.rank, action.action


KINDS = {"SPLIT": Split, "CASH_DIVIDEND": Dividend, "SYMBOL_CHANGE": Symbol}


def fold(book, log, splits):
    """A book made of what was booked and of its splits, what each entry has done, and what each split has done."""
    right = type(book)(book.base, book.method)
    right.positions = {name: type(position)(book.method) for name, position in book.positions.items()}
    by_name, newest = defaultdict(list), {}
    by_entries = lambda split: isinstance(split, Dividend) and book.pays_by_entries(split.action)
    splits = [split for split in splits if not isinstance(split, Symbol) and not by_entries(split)]
    for split in splits:
        split.fix(book, book.market)
    for split in sorted(splits, key=order):
        by_name[split.name].append(split)
    right.market, right.by_entries, right.cash_policy = book.market, book.by_entries, book.cash_policy
    entries, done, latest = [], defaultdict(nothing), None
    for value, market, names, _ in log:
        latest, name, late = market, value.get("instrument_id"), []
        if "exec_id" in value and by_name.get(name):
            day, known = value["trade_date"], newest.get(name, "")
            for split in by_name[name]:
                if known < split.ex_date <= day:
                    done[split.action] = split.apply(right, market)
            newest[name] = max(day, known)
            quantity = num(value["quantity"])
            gross = num(value.get("gross_amount"), quantity * num(value["price"]) * market.multiplier(name))
            buys = value["side"] == "BUY"
            fees = {at: num(fee["amount"]) for at, fee in enumerate(value.get("fees", [])) if right.holding_pays(fee, name, market)}
            for split in by_name[name]:
                if day < split.ex_date <= newest[name]:
                    # What is left after each fee becomes new units, and a fee is what lies between two of them.
                    left = quantity if buys else -quantity
                    for at, fee in fees.items():
                        fees[at] = split.units(left) - split.units(left - fee)
                        left -= fee
                    quantity = split.units(quantity)
                    # A dividend pays on what is held of it, once its fees are paid.
                    late.append((split, (quantity if buys else -quantity) - sum(fees.values())))
            if not quantity:
                entries.append(strategies.booked(right, value, market, lost))
                continue
            value = {**value, "quantity": quantity, "gross_amount": gross, "units of fees": fees}
        elif name and by_name.get(name) and value["kind"].startswith("TRANSFER"):
            day, known = day_of(value, market), newest.get(name, "")
            for split in by_name[name]:
                if known < split.ex_date <= day:
                    done[split.action] = split.apply(right, market)
            newest[name] = max(day, known)
        told = right.entry(value, market) if "entry_id" in value else right.fill(value, market)
        entries.append(told)
        for split, quantity in late:
            done[split.action] = total([(1, done[split.action]), (1, split.late(right, market, quantity, value.get("strategy")))])
    for name, own in by_name.items():
        for split in own:
            if newest.get(name, "") < split.ex_date and latest is not None:
                done[split.action] = split.apply(right, latest)
    right.log = [(*kept[:3], told) for kept, told in zip(log, entries)]
    right.splits = list(splits)
    return right, entries, done


def lost(book, value, market):
    """A fill of less than the smallest step in today's units: it is paid for, and nothing is held of it."""
    name = value["instrument_id"]
    held = book.positions.setdefault(name, book.nothing_held())
    book.positions[name] = type(held)("AVERAGE")
    told = book.fill_whole(value, market)
    alone = book.positions[name]
    Split.lose(book, alone)
    for figure in ("realized", "income", "fees_local", "net_base"):
        setattr(held, figure, getattr(held, figure) + getattr(alone, figure))
    for figure, amount in alone.cycle.items():
        held.cycle[figure] += amount
    for currency, amount in alone.fees.items():
        held.fees[currency] += amount
    book.positions[name] = held
    return {**told, "quantity_change": ZERO, "realized_gross": alone.realized}


def total(effects):
    """The sum of signed effects."""
    out = nothing()
    for sign, effect in effects:
        for name in ("quantity_change", "realized_gross", "external_flow", "income"):
            out[name] += sign * effect.get(name, ZERO)
        for currency, amount in effect["cash"].items():
            out["cash"][currency] += sign * amount
        strategies.add(out["parts"], effect.get("parts", {}), sign)
        trades.add(out["closed"], effect.get("closed", {}), sign)
    return out


def difference(now, before):
    return total([(1, effect) for effect in now] + [(-1, effect) for effect in before])


def told_of(kind, own, later, rate=None):
    entry = {"kind": kind, "fx_rate": rate, **own}
    entry["restate"] = {"kind": "RESTATE", "fx_rate": None, **later}
    return entry


def booked(book, value, market, names):
    """A fill of an instrument with actions: what it does, and what these do more than before."""
    book.market = market
    _, before, then = fold(book, book.log, book.splits)
    log = book.log + [(value, copy.deepcopy(market), set(names) or {value.get("exec_id")}, None)]
    right, entries, done = fold(book, log, book.splits)
    later = difference(list(done.values()), list(then.values()))
    own = dict(entries[-1])
    own["quantity_change"] += later.pop("quantity_change")
    later["quantity_change"] = ZERO
    own["parts"] = strategies.with_units(own["parts"], later["parts"])
    told = {**own, "restate": told_of("", {}, later)["restate"]}
    book.__dict__.update(right.__dict__)
    return told


def resplit(book, splits, split, kind, market):
    """A book whose splits are now these, for what is said of one of them; None where it changes nothing."""
    if isinstance(split, Symbol) or not any(value.get("instrument_id") == split.name for value, *_ in book.log):
        book.splits = list(splits)
        return None
    book.market = market
    _, before, then = fold(book, book.log, book.splits)
    right, entries, done = fold(book, book.log, splits)
    own = difference([e for a, e in done.items() if a == split.action], [e for a, e in then.items() if a == split.action])
    others = [e for a, e in done.items() if a != split.action], [e for a, e in then.items() if a != split.action]
    later = difference(entries + others[0], before + others[1])
    book.__dict__.update(right.__dict__)
    return told_of(kind, own, later)


def amended(book, place, value, changed, rate):
    """What stands at a place now; `changed` is None after a cancel."""
    _, before, then = fold(book, book.log, book.splits)
    names = book.log[place][2] | {value.get("exec_id")}
    log = [(changed if at == place else kept[0], kept[1], names if at == place else kept[2], None) for at, kept in enumerate(book.log)]
    standing = [kept for kept in log if kept[0] is not None]
    right, entries, done = fold(book, standing, book.splits)
    own = difference(entries[place:place + 1] if changed else [], before[place:place + 1])
    later = difference(entries[place + 1:] if changed else entries[place:], before[place + 1:])
    later = total([(1, later), (1, difference(list(done.values()), list(then.values())))])
    strategy = (changed or book.log[place][0]).get("strategy")
    book.__dict__.update(right.__dict__)
    return {**told_of(value.get("exec_type", "CANCEL"), own, later, rate), "strategy": strategy}
