"""An outside book held against ours: what differs by more than the policy bears."""

from fractions import Fraction

from .bands import setting
from .exact import half_even, num

ZERO = Fraction(0)


def unit(name, market, base):
    """What one unit is worth in base, or nothing where that is not known."""
    price = market.price(name)
    rate = market.rate(market.currency(name), base) if name in market.facts else None
    if price is None or rate is None:
        return None
    accrued = (market.accrued(name) or ZERO) if market.kind(name) == "BOND" else ZERO
    return (price + accrued) * market.multiplier(name) * rate


def differs(ours, theirs, worth, tolerance):
    if ours == theirs:
        return False
    return not tolerance or worth is None or abs(ours - theirs) * worth > tolerance


def compare(command, book, market, policy, before):
    """Breaks after a statement, by kind: a list that is left out leaves what was found before."""
    tolerance = num(setting(policy or {}, "book", "reconcile_tolerance", "0"))
    found = dict(before)
    if command.get("positions"):
        theirs = {p["instrument_id"]: num(p["quantity"]) for p in command["positions"]}
        ours = {name: position.quantity for name, position in book.positions.items()}
        names = sorted(set(ours) | set(theirs))
        pairs = [(n, ours.get(n, ZERO), theirs.get(n, ZERO)) for n in names]
        found["positions"] = [p for p in pairs if differs(p[1], p[2], unit(p[0], market, book.base), tolerance)][:50]
    if command.get("cash"):
        theirs = {c["currency"]: num(c["amount"]) for c in command["cash"]}
        ours = {currency: half_even(amount, 10) for currency, amount in book.cash.items()}
        names = sorted(set(ours) | set(theirs))
        pairs = [(n, ours.get(n, ZERO), theirs.get(n, ZERO)) for n in names]
        found["cash"] = [p for p in pairs if differs(p[1], p[2], market.rate(p[0], book.base), tolerance)][:50]
    return found
