"""Instruments, the prices chosen from ticks, and rates between currencies."""

from fractions import Fraction

from .exact import half_even, micros, num

FIELDS = ("bid", "ask", "last", "mark", "accrued")


class Market:
    def __init__(self):
        self.facts, self.quotes, self.accepted, self.states, self.first = {}, {}, {}, {}, {}

    def describe(self, value):
        self.facts[value["instrument_id"]] = value

    def report(self, value):
        name = ("venue", value["venue"]) if value.get("venue") else ("instrument", value["instrument_id"])
        self.states[name] = value["status"]

    def tick(self, value):
        name = value["instrument_id"]
        quote = self.quotes.setdefault(name, {})
        if quote and micros(value["event_time"]) < quote["time"]:
            return
        quote.update({field: num(value[field]) for field in FIELDS if value.get(field) is not None})
        quote["time"] = micros(value["event_time"])
        price = self.choose(name, quote)
        if price is not None and price > 0:
            self.accept(name, price, quote["time"])
        elif price is not None and name in self.accepted:
            self.accepted[name]["held"] = price

    def choose(self, name, quote):
        mid = (quote["bid"] + quote["ask"]) / 2 if quote.get("bid") and quote.get("ask") else None
        source = self.facts.get(name, {}).get("price_source", "AUTO")
        if source == "AUTO":
            for price in (quote.get("mark"), mid, quote.get("last")):
                if price is not None:
                    return price
            return None
        return mid if source == "MID" else quote.get(source.lower())

    def accept(self, name, price, time):
        """A jump beyond max_jump_bp waits until the next price lies near it."""
        limit = num(self.facts.get(name, {}).get("max_jump_bp"))
        known = self.accepted.get(name)
        if limit is not None and known:
            near = lambda other: abs(price - other) <= other * limit / 10000
            if not near(known["price"]) and not (known["held"] and near(known["held"])):
                known["held"] = price
                return
        self.accepted[name] = {"price": price, "time": time, "held": None}
        self.first.setdefault(name, price)

    def price(self, name):
        known = self.accepted.get(name)
        return known["price"] if known else None

    def held_back(self, name):
        known = self.accepted.get(name)
        return bool(known and known["held"])

    def accrued(self, name):
        return self.quotes.get(name, {}).get("accrued")

    def multiplier(self, name):
        return num(self.facts.get(name, {}).get("multiplier"), Fraction(1))

    def kind(self, name):
        return self.facts.get(name, {}).get("type", "OTHER")

    def currency(self, name):
        return self.facts[name]["currency"]

    def state(self, name):
        own = self.states.get(("instrument", name))
        venue = self.states.get(("venue", self.facts.get(name, {}).get("venue")))
        return own or venue or "UNKNOWN"

    def stale(self, name, now, policy):
        known = self.accepted.get(name)
        if not known or self.state(name) in ("CLOSED", "HALTED"):
            return False
        age = num(self.facts.get(name, {}).get("max_price_age_seconds"))
        if age is None:
            age = num(policy.get("book", {}).get("max_price_age_seconds"), Fraction(300))
        return now - known["time"] > age * 1_000_000

    def leg(self, of, into):
        direct, inverse = self.price(f"{of}/{into}"), self.price(f"{into}/{of}")
        if direct is not None:
            return half_even(direct, 12)
        return half_even(1 / inverse, 12) if inverse is not None else None

    def rate(self, of, into):
        """The pair, its inverse, or one cross; rounded at scale 12."""
        if of == into:
            return Fraction(1)
        found = self.leg(of, into)
        if found is not None:
            return found
        sides = {side for name in self.accepted if "/" in name for side in name.split("/")}
        for middle in sorted(sides - {of, into}):
            first, second = self.leg(of, middle), self.leg(middle, into)
            if first is not None and second is not None:
                return half_even(first * second, 12)
        return None
