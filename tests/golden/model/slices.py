"""What of a rebalance leaves when: orders that are large for their instrument leave in parts, a part an instrument at a
time, and the buys wait for the last part of the sells where the policy says so."""

from .exact import num


def size(plan, name, quantity):
    """Units of each part of an order, None where it leaves whole."""
    slicing = None if plan.parts else plan.order("slicing", None)
    volume = num(plan.market.facts.get(name, {}).get("average_daily_volume"), 0)
    units, lot = abs(quantity), plan.lot(plan.lines[name])
    if not slicing or volume <= 0 or units <= num(slicing["above_volume"]) * volume:
        return None
    if slicing.get("waves") is not None:
        lots = -(-units / int(slicing["waves"]) // lot)
    else:
        lots = max(num(slicing["participation"]) * volume // lot, 1)
    return lots * lot if lots * lot < units else None


def count(units, part):
    return 1 if part is None else -(-units // part)


class Slices:
    """The rests of one rebalance, in the order in which they were planned."""

    def __init__(self):
        self.rests, self.due = [], None

    def begin(self, orders, sizes):
        """The first parts of these orders; what is left of them waits."""
        leaving = []
        for name, side, units in orders:
            part = sizes.get(name)
            if part is None:
                leaving.append((name, side, units))
                continue
            first = min(units, part) if all(other != name for other, _, _ in leaving) else 0
            if first:
                leaving.append((name, side, first))
            if units > first:
                self.rests.append([name, side, units - first, part])
        return leaving

    def next(self):
        """The parts that are due: signed quantities, one an instrument."""
        parts = {}
        for name, side, units, part in self.rests:
            parts.setdefault(name, min(units, part) * (1 if side == "BUY" else -1))
        return parts

    def take(self, parts, plan):
        """Takes the parts off; of which nothing leaves, all that is left goes with it."""
        for name, asked in parts.items():
            if not plan.wishes[name].quantity:
                self.drop(name)
            else:
                rest = next(rest for rest in self.rests if rest[0] == name)
                rest[2] -= abs(asked)
        self.rests = [rest for rest in self.rests if rest[2] > 0]

    def drop(self, name):
        self.rests = [rest for rest in self.rests if rest[0] != name]
