"""One portfolio's book: positions at average cost or in lots, cash by currency, and the parts of its profit.

What is converted or split is rounded half-even at scale 18 when it is booked; all else is exact.
"""

import copy
from collections import Counter, defaultdict
from fractions import Fraction

from . import splits, strategies, trades
from .exact import half_even, num

ZERO = Fraction(0)


def booked(value):
    return half_even(value, 18)


class Lot:
    """What is left of what one execution opened; `price` is what a unit of it was worth then."""

    def __init__(self, opener, price):
        self.opener, self.price = opener, price
        self.quantity = self.cost = self.book_cost = ZERO

    def add(self, quantity, cost, book_cost):
        self.quantity += quantity
        self.cost += cost
        self.book_cost += book_cost

    def take(self, units):
        """Takes units out: all that is left of the cost where none remain, else their share of it."""
        held = abs(self.quantity)
        out = [cost if units == held else booked(cost * units / held) for cost in (self.cost, self.book_cost)]
        self.add(units if self.quantity < 0 else -units, -out[0], -out[1])
        return out


# Lots in the order in which a method closes them; sorting keeps the older first among equals.
ORDER = {
    "FIFO": lambda lots: list(lots),
    "LIFO": lambda lots: list(reversed(lots)),
    "HIFO": lambda lots: sorted(lots, key=lambda lot: -lot.price),
}


class Position:
    def __init__(self, method="AVERAGE"):
        self.method, self.lots = method, []
        self.quantity = self.cost = self.book_cost = ZERO
        self.realized = self.income = self.fees_local = ZERO
        self.net_base = ZERO
        self.fees = defaultdict(Fraction)
        self.cycle = {"realized": ZERO, "fees": ZERO, "income": ZERO}
        # What entries beside it brought of fees and income, both local, and of net in base.
        self.beside = [ZERO, ZERO, ZERO]

    def release(self, units):
        """The cost, also in base, that goes with closed units: their share of the pool, or that of their lots."""
        if self.method == "AVERAGE":
            held = abs(self.quantity)
            return [cost if units == held else booked(cost * units / held) for cost in (self.cost, self.book_cost)]
        out = [ZERO, ZERO]
        for lot in ORDER[self.method](self.lots):
            part = min(units, abs(lot.quantity))
            if part:
                out = [a + b for a, b in zip(out, lot.take(part))]
                units -= part
        self.lots = [lot for lot in self.lots if lot.quantity]
        return out

    def keep(self, opener, quantity, cost, book_cost, price):
        """An execution opens one lot at most."""
        if self.method == "AVERAGE":
            return
        if not self.lots or self.lots[-1].opener is not opener:
            self.lots.append(Lot(opener, price))
        self.lots[-1].add(quantity, cost, book_cost)

    def trade(self, quantity, gross, book_gross, opener):
        """Books a signed quantity for a gross amount; returns realized, realized in base, what was
        closed, and whether the position flipped."""
        price = gross / abs(quantity)
        value, book = (gross, book_gross) if quantity > 0 else (-gross, -book_gross)
        held = self.quantity
        closed = min(abs(quantity), abs(held)) if held * quantity < 0 else ZERO
        if not closed:
            if not held:
                self.cycle = {"realized": ZERO, "fees": ZERO, "income": ZERO}
            self.quantity += quantity
            self.cost += value
            self.book_cost += book
            self.keep(opener, quantity, value, book, price)
            return ZERO, ZERO, ZERO, False
        part = closed / abs(quantity)
        value_closed, book_closed = (value, book) if part == 1 else (booked(value * part), booked(book * part))
        whole = closed == abs(held)
        cost_out, book_out = self.release(closed)
        realized, realized_base = -value_closed - cost_out, -book_closed - book_out
        self.quantity += quantity
        self.cost += value - value_closed - cost_out
        self.book_cost += book - book_closed - book_out
        self.realized += realized
        flipped = whole and part != 1
        if flipped:
            self.keep(opener, self.quantity, self.cost, self.book_cost, price)
        self.cycle["realized"] = ZERO if flipped else self.cycle["realized"] + realized
        return realized, realized_base, closed, flipped


    def move(self, quantity, cost, book_cost, opener):
        """Units come or go and nothing is realized: what closes gives up its cost, what opens costs its part."""
        held = self.quantity
        closed = min(abs(quantity), abs(held)) if held * quantity < 0 else ZERO
        opened, sign = abs(quantity) - closed, 1 if quantity > 0 else -1
        if closed:
            out = self.release(closed)
            self.cost -= out[0]
            self.book_cost -= out[1]
            self.quantity += sign * closed
        if not opened:
            return
        if not self.quantity:
            self.cycle = {"realized": ZERO, "fees": ZERO, "income": ZERO}
        if closed:
            cost, book_cost = cost - booked(cost * closed / abs(quantity)), book_cost - booked(book_cost * closed / abs(quantity))
        self.quantity += sign * opened
        self.cost += sign * cost
        self.book_cost += sign * book_cost
        self.keep(opener, sign * opened, sign * cost, sign * book_cost, cost / opened)


class Book:
    def __init__(self, base, method):
        self.base, self.method = base, method
        self.cash, self.book_cash = defaultdict(Fraction), ZERO
        self.positions = {}
        self.sums = {"realized_gross": ZERO, "fees": ZERO, "income": ZERO, "net_flows": ZERO, "transferred": ZERO}
        self.executed = defaultdict(Fraction)
        self.unsettled = []
        self.dropped = set()
        self.log, self.splits = [], []
        self.owed, self.book_owed = defaultdict(Fraction), ZERO
        self.market, self.by_entries, self.cash_policy = None, {}, False
        self.earned = {}
        # By instrument: sub-positions by strategy, fees and income of the line in base, and what entries brought.
        self.subs, self.charged, self.besides = {}, {}, {}

    def nothing_held(self):
        return Position(self.method)

    def settled(self, day):
        """Cash by currency without what fills of a later settlement date moved; `day` as YYYY-MM-DD."""
        cash = dict(self.cash)
        for date, currency, amount in self.unsettled:
            if date > day:
                cash[currency] -= amount
        return cash

    def move(self, currency, amount, book):
        self.cash[currency] += amount
        self.book_cash += book

    def book(self, value, market, names=()):
        """Books a fill or a cash entry and keeps it, with the rates of now; None when something is missing."""
        self.market = market
        if "exec_id" in value and any(split.name == value["instrument_id"] for split in self.splits):
            return splits.booked(self, value, market, names)
        told = self.entry(value, market) if "entry_id" in value else self.fill(value, market)
        if told is not None:
            self.log.append((value, copy.deepcopy(market), set(names) or {value.get("exec_id") or value["entry_id"]}, told))
        return told

    def pays_by_entries(self, action):
        """Whether entries said what a dividend comes to before it was known."""
        return action in self.by_entries

    def owed_of(self, action):
        """What is owed of a dividend that entries pay: by currency, in base, in the instrument's currency."""
        return self.earned.get(action, Counter())

    def knows(self, value):
        """The place of the execution or the entry that a record names; None while it has not come."""
        named = value.get("exec_ref_id") or value["reverses"]
        found = []
        for place, (booked_value, _, names, _) in enumerate(self.log):
            alike = ("entry_id" in booked_value) == ("entry_id" in value)
            if alike and named in names and booked_value.get("source") == value["source"]:
                found.append((place, booked_value, names))
        if "entry_id" in value:
            return found[0][0] if found else None
        # Ids are unique within a trade date: of an earlier one it may be another that is named.
        own = [place for place, booked, _ in found if booked["trade_date"] == value["trade_date"]]
        earlier = [(booked["trade_date"], place) for place, booked, names in found if self.may_mean(value, booked, names)]
        return own[0] if own else max(earlier)[1] if earlier else None

    @staticmethod
    def may_mean(value, booked, names):
        side = lambda fill: fill["side"] == "BUY"
        same = all(booked[k] == value[k] for k in ("instrument_id", "currency")) and side(booked) == side(value)
        # Of what was corrected the first quantity is not kept here.
        counts = value["exec_type"] == "CANCEL" and num(value["quantity"]) and len(names) == 1
        return booked["trade_date"] < value["trade_date"] and same and (not counts or num(booked["quantity"]) == num(value["quantity"]))

    def amend(self, value, place, today):
        """This book as if what was booked at a place had never been, or been right: all is booked anew. `today` is the market as it
        is now, in which a fee is valued that the execution did not have before."""
        right, (was, then, _, _) = Book(self.base, self.method), self.log[place]
        right.dropped, right.by_entries, right.cash_policy = self.dropped, self.by_entries, self.cash_policy
        corrected = self.corrected(value, was)
        if corrected:
            corrected["fee_rates"] = self.fee_rates(corrected, was, then, today)
        if self.splits:
            return splits.amended(self, place, value, corrected, self.log[place][3]["fx_rate"])
        right.positions = {name: Position(self.method) for name in self.positions}
        told = {"kind": value.get("exec_type", "CANCEL"), "cash": defaultdict(Fraction), "external_flow": ZERO, "realized_gross": ZERO, "quantity_change": ZERO, "parts": {}, "closed": Counter()}
        later = dict(told, kind="RESTATE", cash=defaultdict(Fraction), parts={}, closed=Counter())
        told["strategy"] = (corrected or was).get("strategy")
        for at, (now, market, names, before) in enumerate(self.log):
            if at == place:
                names = names | {value.get("exec_id")}
                now = corrected
            after = right.book(now, market, names) if now else {"cash": {}}
            sums = told if at == place else later
            for sign, effect in ((1, after), (-1, before)):
                for currency, amount in effect["cash"].items():
                    sums["cash"][currency] += sign * amount
                for name in ("realized_gross", "quantity_change", "external_flow"):
                    sums[name] += sign * effect.get(name, ZERO)
                strategies.add(sums["parts"], effect.get("parts", {}), sign)
                trades.add(sums["closed"], effect.get("closed", {}), sign)
            if at == place:
                told["fx_rate"] = before["fx_rate"]
        told["restate"] = dict(later, fx_rate=None)
        self.__dict__.update(right.__dict__)
        return told

    @staticmethod
    def corrected(value, was):
        """What an execution is after its correction; None after a cancel."""
        if value.get("exec_type") != "CORRECT":
            return None
        changed = {k: value.get(k) for k in ("quantity", "price", "gross_amount", "accrued_interest") if k in value}
        # One that names no strategy says nothing of it.
        changed.update({"strategy": value["strategy"]} if value.get("strategy") else {})
        return {**{k: v for k, v in was.items() if k not in ("gross_amount", "accrued_interest")}, **changed, "fees": value.get("fees", [])}

    def fee_rates(self, corrected, was, then, today):
        """By currency, at which rate fees of a correction are valued: that of the same fee before it, else that of today."""
        had = {fee["currency"] for fee in was.get("fees", []) if num(fee["amount"])}
        rate = lambda currency: was.get("fee_rates", {}).get(currency) or then.rate(currency, self.base)
        return {fee["currency"]: rate(fee["currency"]) if fee["currency"] in had else today.rate(fee["currency"], self.base) for fee in corrected["fees"]}

    def entry(self, value, market):
        """A cash entry, with whose it is; None when a rate or a price is missing, else what the ledger says of it."""
        if value["kind"].startswith("TRANSFER") and value.get("instrument_id"):
            return strategies.booked(self, value, market, Book.entry_whole)
        return strategies.paid(self, value, market)

    def fill(self, value, market):
        """A fill, with whose it is; None when a rate is missing, else what the ledger says of it."""
        return strategies.booked(self, value, market, Book.fill_whole)

    def entry_whole(self, value, market):
        rate = market.rate(value["currency"], self.base)
        if rate is None:
            return None
        if value["kind"].startswith("TRANSFER") and value.get("instrument_id"):
            return self.transfer(value, rate, market)
        amount = num(value["amount"])
        book = booked(amount * rate)
        kind, sign = value["kind"], -1 if value["kind"] in ("WITHDRAWAL", "FEE", "TRANSFER_OUT") else 1
        self.move(value["currency"], sign * amount, sign * book)
        name = {"FEE": "fees", "INTEREST": "income", "DIVIDEND": "income"}.get(kind, "net_flows")
        self.sums[name] += sign * book if name == "net_flows" else book
        flow = sign * book if name == "net_flows" else ZERO
        shown = kind if kind.startswith("TRANSFER") else "CASH_" + kind
        told = {"kind": shown, "cash": {value["currency"]: sign * amount}, "external_flow": flow, "fx_rate": rate}
        instrument = value.get("instrument_id") or market.actions.get(value.get("action_id"))
        if name != "net_flows" and instrument and market.kind(instrument) != "FX":
            told["income"] = self.beside(instrument, name, amount, book, value["currency"], market)
        if value.get("settles"):
            told["income"] -= self.settle(value["action_id"], value["settles"], instrument)
            if value["currency"] in value["settles"]:
                # What was owed comes in at its book value.
                kept = value["settles"]["base"] - booked(value["settles"][value["currency"]] * rate)
                self.book_cash += kept
                self.sums["income"] += kept
                self.positions[instrument].net_base += kept
        return told

    def settle(self, action, owed, instrument):
        """What was owed of a dividend is owed no longer; its income, earned at the ex-date."""
        self.earned[action] = Counter({key: self.owed_of(action)[key] - amount for key, amount in owed.items()})
        for currency, amount in owed.items():
            if currency not in ("base", "local"):
                self.owed[currency] -= amount
        self.book_owed -= owed["base"]
        self.sums["income"] -= owed["base"]
        self.positions[instrument].income -= owed["local"]
        self.positions[instrument].net_base -= owed["base"]
        return owed["local"]

    def beside(self, instrument, name, amount, book, currency, market):
        """Fees and income that an entry names an instrument for are that one's, and no cycle's; the income."""
        own = market.currency(instrument)
        local = amount if currency == own else booked(book / market.rate(own, self.base))
        position = self.positions.setdefault(instrument, Position(self.method))
        market.booked.add(instrument)
        if name == "fees":
            position.fees[currency] += amount
            position.fees_local += local
            position.net_base -= book
            return ZERO
        position.income += local
        position.net_base += book
        return local

    def transfer(self, value, rate, market):
        """Securities cross the boundary at their worth; what that differs from their cost stands apart."""
        name = value["instrument_id"]
        price, accrued = market.price(name), market.accrued(name) if market.kind(name) == "BOND" else None
        if price is None:
            return None
        quantity = num(value["quantity"])
        given = value.get("total_cost")
        cost = num(given) if given is not None else num(value["amount"])
        if value["kind"] == "TRANSFER_OUT":
            quantity, cost = -quantity, None
        future = market.kind(name) == "FUTURE"
        position = self.positions.setdefault(name, Position(self.method))
        market.booked.add(name)
        worth = abs(quantity) * (price + (accrued or 0)) * market.multiplier(name)
        cost = worth if cost is None else cost
        before = (position.quantity, position.cost, position.book_cost)
        opener = (value["entry_id"], value["effective_at"][:10])
        position.move(quantity, cost, ZERO if future else booked(cost * rate), opener)
        crossed = worth if quantity > 0 else -worth
        if future:
            crossed -= position.cost - before[1]
        flow = booked(crossed * rate)
        self.sums["net_flows"] += flow
        self.sums["transferred"] += flow - (position.book_cost - before[2])
        return {"kind": value["kind"], "cash": {}, "external_flow": flow, "quantity_change": position.quantity - before[0], "fx_rate": rate, "price": price}

    def fill_whole(self, value, market):
        name, currency = value["instrument_id"], value["currency"]
        given = num(value.get("fx_rate")) if currency != self.base else None
        rate = given if given is not None else market.rate(currency, self.base)
        if rate is None:
            return None
        for fee in value.get("fees", []):
            known = value.get("fee_rates", {}).get(fee["currency"]) or market.rate(fee["currency"], self.base)
            if fee["currency"] != market.facts[name].get("base_asset") and known is None:
                return None
        quantity, price = num(value["quantity"]), num(value["price"])
        signed = quantity if value["side"] == "BUY" else -quantity
        gross = num(value.get("gross_amount"))
        gross = quantity * price * market.multiplier(name) if gross is None else gross
        if value.get("order_id"):
            self.executed[value["order_id"]] += quantity
        before = dict(self.cash)
        if market.kind(name) == "FX":
            realized, change, closed = self.exchange(name, signed, gross, rate, currency, market), ZERO, Counter()
            self.pay_fees(value, None, rate, currency, market, None)
        else:
            realized, change, closed = self.trade(value, signed, gross, rate, market)
        moved = {c: self.cash[c] - before.get(c, ZERO) for c in self.cash if self.cash[c] != before.get(c, ZERO)}
        if value.get("settle_date"):
            self.unsettled += [(value["settle_date"], currency, amount) for currency, amount in moved.items()]
        return {"kind": "TRADE", "cash": moved, "external_flow": ZERO, "realized_gross": realized, "quantity_change": change, "fx_rate": rate, "closed": closed}

    def exchange(self, name, signed, gross, rate, currency, market):
        received = market.facts[name].get("base_asset") or name.split("/")[0]
        sign = 1 if signed > 0 else -1
        book = booked(gross * rate)
        self.move(currency, -sign * gross, -sign * book)
        self.move(received, signed, sign * book)
        return ZERO

    def trade(self, value, signed, gross, rate, market):
        name, currency = value["instrument_id"], value["currency"]
        future = market.kind(name) == "FUTURE"
        position = self.positions.setdefault(name, Position(self.method))
        opener = (value["exec_id"], value["trade_date"])
        market.booked.add(name)
        book_gross = ZERO if future else booked(gross * rate)
        before = position.quantity
        net_before, sums = self.net(), dict(self.sums)
        realized, realized_base, closed, flipped = position.trade(signed, gross, book_gross, opener)
        if future:
            realized_base = booked(realized * rate)
            self.move(currency, realized, realized_base)
        else:
            sign = 1 if signed > 0 else -1
            self.move(currency, -sign * gross, -sign * book_gross)
        self.sums["realized_gross"] += realized_base
        income = num(value.get("accrued_interest"), ZERO) * (-1 if signed > 0 else 1)
        if income:
            self.move(currency, income, booked(income * rate))
            self.sums["income"] += booked(income * rate)
        fees, extra = self.pay_fees(value, position, rate, currency, market, opener)
        share = (1 - closed / abs(signed)) if flipped else 1
        position.income += income
        position.fees_local += fees
        cycle = {"fees": ZERO, "income": ZERO, "realized": position.cycle["realized"]} if flipped else position.cycle
        cycle["fees"] += booked(fees * share)
        cycle["income"] += booked(income * share)
        position.cycle = cycle
        position.net_base += self.net() - net_before
        # Of the fee of a flip the trade that it closes bears its part.
        charged = self.sums["fees"] - sums["fees"]
        charged -= booked(charged * share) if flipped else ZERO
        came_to = self.sums["realized_gross"] - sums["realized_gross"] - charged
        return realized + extra, position.quantity - before, trades.one(value["trade_date"], came_to) if closed else Counter()

    def net(self):
        return self.sums["realized_gross"] - self.sums["fees"] + self.sums["income"]

    @staticmethod
    def holding_pays(fee, name, market):
        return fee["currency"] == market.facts[name].get("base_asset") and market.kind(name) != "FUTURE"

    def pay_fees(self, value, position, rate, currency, market, opener):
        """Fees in cash, or out of the holding where they are charged in the base asset; returns them in
        the fill's currency, and what a fee out of the holding realized."""
        local_sum = realized_sum = ZERO
        name = value["instrument_id"]
        for at, fee in enumerate(value.get("fees", [])):
            amount = num(fee["amount"])
            if position is not None and self.holding_pays(fee, name, market):
                local = abs(amount) * num(value["price"]) * market.multiplier(name)
                book = booked(local * rate)
                units = value.get("units of fees", {}).get(at, amount)
                realized, realized_base, _, _ = position.trade(-units, local, book, opener)
                self.sums["realized_gross"] += realized_base
                realized_sum += realized
                local, book = (local, book) if amount > 0 else (-local, -book)
            else:
                of_its_own = lambda: value.get("fee_rates", {}).get(fee["currency"]) or market.rate(fee["currency"], self.base)
                fee_rate = rate if fee["currency"] == currency else of_its_own()
                book = booked(amount * fee_rate)
                local = amount if fee["currency"] == currency else booked(book / rate)
                self.move(fee["currency"], -amount, -book)
            self.sums["fees"] += book
            local_sum += local
            if position is not None:
                position.fees[fee["currency"]] += amount
        return local_sum, realized_sum
