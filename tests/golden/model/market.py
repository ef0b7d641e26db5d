"""Instruments, the prices chosen from ticks, and rates between currencies."""

from fractions import Fraction

from . import calendars
from .exact import half_even, micros, num
from .splits import order

FIELDS = ("bid", "ask", "last", "mark", "accrued")


def is_rate(exact):
    """Whether it is one, rounded: above nothing, of at most 28 digits with its 12 decimals."""
    return 0 < half_even(exact, 12) < 10**16


class Market:
    def __init__(self):
        self.facts, self.quotes, self.accepted, self.states, self.first = {}, {}, {}, {}, {}
        self.booked, self.now = set(), 0
        self.announced, self.splits, self.actions, self.first_as = {}, {}, {}, {}
        self.first_accrued = {}
        # What ticks have changed of each price, in order: the accepted one as quoted, accrued interest and when it was given.
        self.history = {}

    def describe(self, value):
        name, before = value["instrument_id"], self.source(value["instrument_id"])
        self.facts[name] = value
        quote = self.quotes.get(name)
        if not quote:
            return
        chosen, old = self.choose(name, self.source(name)), self.choose(name, before)
        if (chosen and chosen[2]) != (old and old[2]):
            # Chosen by another source: without a holding it is as if the old choice had never been.
            if name not in self.booked:
                self.accepted.pop(name, None)
                self.first.pop(name, None)
            if chosen:
                self.take(name, *chosen)

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
        """Takes a tick; whether it was not late."""
        name = value["instrument_id"]
        quote, time = self.quotes.setdefault(name, {}), micros(value["event_time"])
        number, known = num(value.get("sequence")), quote.get("sequence")
        if number < known if number is not None and known is not None else quote and time < quote["time"]:
            return False
        given = {field for field in FIELDS if value.get(field) is not None}
        quote.update({field: (num(value[field]), time) for field in given})
        quote["time"] = max(time, quote.get("time", time))
        quote["sequence"] = known if number is None else number
        chosen = self.choose(name, self.source(name))
        before = self.accepted.get(name, {}).get("as")
        # A tick that gives no field of the chosen price says nothing of it.
        if chosen and given & chosen[2]:
            self.take(name, *chosen)
        after = self.accepted.get(name, {}).get("as")
        self.history.setdefault(name, []).append((after if after != before else None, quote["accrued"] if "accrued" in given else None))
        return True

    def take(self, name, price, time, fields, quoted):
        if price > 0:
            self.accept(name, price, time, quoted)
        elif name in self.accepted:
            self.accepted[name].update(held=price, held_as=quoted)

    def choose(self, name, source):
        """Price in today's units, when it was made, the fields that it came from, and as it was quoted."""
        quote = self.quotes[name]

        def one(field):
            return (self.units(name, [quote[field]]), quote[field][1], {field}, [quote[field]]) if field in quote else None

        mid = None
        if "bid" in quote and "ask" in quote:
            both = [quote["bid"], quote["ask"]]
            mid = (self.units(name, both), min(time for _, time in both), {"bid", "ask"}, both)
        if source == "AUTO":
            return one("mark") or mid or one("last")
        return mid if source == "MID" else one(source.lower())

    def symbol(self, name):
        """The newest change in effect, else that of the reference data, else the id."""
        changes = [action for action in self.splits.get(name, []) if hasattr(action, "symbol")]
        changes.sort(key=order)
        return changes[-1].symbol if changes else self.facts.get(name, {}).get("symbol") or name

    def units(self, name, quoted):
        """What a price comes to after the splits that took effect since each part of it was made."""
        out = []
        for price, time in quoted:
            for split in sorted(self.splits.get(name, []), key=order):
                if time < split.start:
                    price = split.price(price)
            out.append(price)
        return sum(out) / len(out)

    def resplit(self, name):
        """Every kept price anew, from what was quoted."""
        known = self.accepted.get(name)
        if known:
            known["price"] = self.units(name, known["as"])
            known["held"] = self.units(name, known["held_as"]) if known["held"] is not None else None
        if name in self.first_as:
            self.first[name] = self.units(name, self.first_as[name])

    def accept(self, name, price, time, quoted):
        """A jump beyond max_jump_bp waits until the next price lies near it."""
        limit = num(self.facts.get(name, {}).get("max_jump_bp"))
        known = self.accepted.get(name)
        if limit is not None and known:
            near = lambda other: abs(price - other) <= other * limit / 10000
            if not near(known["price"]) and not (known["held"] and near(known["held"])):
                known.update(held=price, held_as=quoted)
                return
        self.accepted[name] = {"price": price, "time": time, "held": None, "as": quoted}
        if name not in self.first:
            self.first[name], self.first_as[name] = price, quoted
            self.first_accrued[name] = self.accrued(name)

    def price(self, name):
        known = self.accepted.get(name)
        return known["price"] if known else None

    def held_back(self, name):
        known = self.accepted.get(name)
        return bool(known and known["held"])

    def both_sides(self, name, policy):
        """Bid and ask in today's units, above zero and not crossed, none older than the price by more than a price may be."""
        quote, price = self.quotes.get(name, {}), self.accepted.get(name)
        if price is None or "bid" not in quote or "ask" not in quote:
            return None
        age = self.age(name, policy) * 1_000_000
        bid, ask = (self.units(name, [quote[side]]) for side in ("bid", "ask"))
        fresh = min(quote["bid"][1], quote["ask"][1]) >= price["time"] - age
        return (half_even(bid, 10), half_even(ask, 10)) if fresh and 0 < bid <= ask else None

    def age(self, name, policy):
        """The greatest age of a price in seconds."""
        age = num(self.facts.get(name, {}).get("max_price_age_seconds"))
        return num((policy.get("book") or {}).get("max_price_age_seconds"), Fraction(300)) if age is None else age

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
        calendar = self.calendar(name)
        if calendar and own != "UNSURE":
            said, since = calendar.said(self.now)
            return own if self.heard_since(name, since) else {"UNSURE": "CLOSED"}.get(said, said)
        if "UNSURE" in (own, venue):
            return "CLOSED"
        return venue if venue != "UNKNOWN" else own

    def calendar(self, name):
        """Its calendar, where its venue never said anything."""
        facts = self.facts.get(name, {})
        spoken = facts.get("venue") and self.states.get(("venue", facts["venue"]))
        return None if spoken else calendars.named(facts.get("calendar"))

    def heard_since(self, name, since):
        known = self.states.get(("instrument", name), {})
        return any(since <= at <= self.now and status in ("OPEN", "CLOSED", "AUCTION", "HALTED") for at, status in known.items())

    def reported(self, name):
        return self.state_of(("instrument", name)), self.state_of(("venue", self.facts.get(name, {}).get("venue")))

    def state_of(self, place):
        """UNSURE where a report says that it does not know."""
        past = [(at, status) for at, status in self.states.get(place, {}).items() if at <= self.now]
        if not past:
            return "UNKNOWN"
        return max(past)[1] if max(past)[1] in ("OPEN", "CLOSED", "AUCTION", "HALTED") else "UNSURE"

    def stale(self, name, now, policy):
        known = self.accepted.get(name)
        own, venue = self.reported(name)
        shut = own in ("CLOSED", "HALTED") or venue in ("CLOSED", "HALTED")
        if not known or shut:
            return False
        age = self.age(name, policy)
        calendar = self.calendar(name)
        made = known["time"]
        # Where the instrument was never reported itself, its calendar says when it traded.
        aged = calendar.open_micros(min(made, now), now) if calendar and ("instrument", name) not in self.states else now - made
        return aged > age * 1_000_000

    def leg(self, of, into):
        """One step, exact, and the pair that it comes from: the direct one where it makes a rate, else its inverse."""
        direct, inverse = self.price(f"{of}/{into}"), self.price(f"{into}/{of}")
        if direct is not None and is_rate(direct):
            return direct, f"{of}/{into}"
        return (1 / inverse, f"{into}/{of}") if inverse is not None and is_rate(1 / inverse) else None

    def way(self, of, into):
        """The pair, its inverse, or one cross that makes a rate: exact, and the pairs that it comes from."""
        if of == into:
            return Fraction(1), []
        found = self.leg(of, into)
        if found:
            return found[0], [found[1]]
        sides = {side for name in self.accepted if "/" in name for side in name.split("/")}
        for middle in sorted(sides - {of, into}):
            first, second = self.leg(of, middle), self.leg(middle, into)
            if first and second and is_rate(first[0] * second[0]):
                return first[0] * second[0], [first[1], second[1]]
        return None, []

    def pairs(self, of, into):
        """The pairs that a rate comes from."""
        return self.way(of, into)[1]

    def rate(self, of, into):
        """Rounded once, at scale 12; None where there is no way."""
        exact, _ = self.way(of, into)
        return None if exact is None else half_even(exact, 12)
