"""Instruments, the prices chosen from ticks, and rates between currencies."""

from fractions import Fraction

from .exact import half_even, micros, num

FIELDS = ("bid", "ask", "last", "mark", "accrued")


class Market:
    def __init__(self):
        self.facts, self.quotes, self.accepted, self.states, self.first = {}, {}, {}, {}, {}
        self.booked, self.now = set(), 0

    def describe(self, value):
        name, before = value["instrument_id"], self.source(value["instrument_id"])
        self.facts[name] = value
        quote = self.quotes.get(name)
        if not quote:
            return
        chosen, old = self.choose(quote, self.source(name)), self.choose(quote, before)
        if (chosen and chosen[2]) != (old and old[2]):
            # Chosen by another source: without a holding it is as if the old choice had never been.
            if name not in self.booked:
                self.accepted.pop(name, None)
                self.first.pop(name, None)
            if chosen:
                self.take(name, *chosen[:2])

    def source(self, name):
        return self.facts.get(name, {}).get("price_source", "AUTO")

    def report(self, value):
        name = ("venue", value["venue"]) if value.get("venue") else ("instrument", value["instrument_id"])
        at, line = micros(value["effective_at"]), self.states.setdefault(name, {})
        line[at] = value["status"]
        if value["status"] == "HALTED":
            # It lasts until a report that comes after it: openings announced before fall away.
            for ahead in [t for t in line if t > max(at, self.now) and line[t] != "CLOSED"]:
                del line[ahead]

    def tick(self, value):
        name = value["instrument_id"]
        quote, time = self.quotes.setdefault(name, {}), micros(value["event_time"])
        if quote and time < quote["time"]:
            return
        given = {field for field in FIELDS if value.get(field) is not None}
        quote.update({field: (num(value[field]), time) for field in given})
        quote["time"] = time
        chosen = self.choose(quote, self.source(name))
        # A tick that gives no field of the chosen price says nothing of it.
        if chosen and given & chosen[2]:
            self.take(name, *chosen[:2])

    def take(self, name, price, time):
        if price > 0:
            self.accept(name, price, time)
        elif name in self.accepted:
            self.accepted[name]["held"] = price

    @staticmethod
    def choose(quote, source):
        """Price, when it was made, and the fields that it came from."""
        one = lambda field: (*quote[field], {field}) if field in quote else None
        mid = None
        if "bid" in quote and "ask" in quote:
            (bid, bid_time), (ask, ask_time) = quote["bid"], quote["ask"]
            mid = ((bid + ask) / 2, min(bid_time, ask_time), {"bid", "ask"})
        if source == "AUTO":
            return one("mark") or mid or one("last")
        return mid if source == "MID" else one(source.lower())

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
        return self.quotes.get(name, {}).get("accrued", (None, None))[0]

    def multiplier(self, name):
        return num(self.facts.get(name, {}).get("multiplier"), Fraction(1))

    def kind(self, name):
        return self.facts.get(name, {}).get("type", "OTHER")

    def currency(self, name):
        return self.facts[name]["currency"]

    def state(self, name):
        own, venue = self.reported(name)
        if own in ("CLOSED", "HALTED"):
            return own
        if "UNSURE" in (own, venue):
            return "CLOSED"
        return venue if venue != "UNKNOWN" else own

    def reported(self, name):
        return self.state_of(("instrument", name)), self.state_of(("venue", self.facts.get(name, {}).get("venue")))

    def state_of(self, place):
        """UNSURE where a report says that it does not know."""
        past = [(at, status) for at, status in self.states.get(place, {}).items() if at <= self.now]
        if not past:
            return "UNKNOWN"
        return "UNSURE" if max(past)[1] == "UNKNOWN" else max(past)[1]

    def stale(self, name, now, policy):
        known = self.accepted.get(name)
        own, venue = self.reported(name)
        shut = own in ("CLOSED", "HALTED") or venue in ("CLOSED", "HALTED")
        if not known or shut:
            return False
        age = num(self.facts.get(name, {}).get("max_price_age_seconds"))
        if age is None:
            age = num(policy.get("book", {}).get("max_price_age_seconds"), Fraction(300))
        return now - known["time"] > age * 1_000_000

    def leg(self, of, into):
        """One step, exact: the pair where its rate is not zero at scale 12, else its inverse."""
        direct, inverse = self.price(f"{of}/{into}"), self.price(f"{into}/{of}")
        if direct is not None and half_even(direct, 12):
            return direct
        return 1 / inverse if inverse is not None and half_even(1 / inverse, 12) else None

    def rate(self, of, into):
        """The pair, its inverse, or one cross; rounded once, at scale 12."""
        if of == into:
            return Fraction(1)
        found = self.leg(of, into)
        if found is not None:
            return half_even(found, 12)
        sides = {side for name in self.accepted if "/" in name for side in name.split("/")}
        for middle in sorted(sides - {of, into}):
            first, second = self.leg(of, middle), self.leg(middle, into)
            if first is not None and second is not None:
                return half_even(first * second, 12)
        return None
