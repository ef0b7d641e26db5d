"""What orders are expected to cost, and what the drift that they take away is worth: from the documents of the
policy's `costs`. Amounts are in the base currency; what cannot be known is None."""

from fractions import Fraction
from math import isqrt

from .bands import setting
from .exact import half_even, num

ZERO, BP, STEP = Fraction(0), Fraction(1, 10_000), Fraction(1, 10**10)


def up(value):
    """The smallest amount of money that is not below."""
    return -(-value // STEP) * STEP


def root_up(square):
    """The smallest amount of money whose square is not below."""
    units = square / STEP**2
    whole = -(-units.numerator // units.denominator)
    return (isqrt(whole - 1) + 1) * STEP if whole else ZERO


class Costs:
    def __init__(self, policy):
        model = setting(policy, "orders", "costs", {})
        self.half_spread, self.impact, self.rate = (num(model.get(name)) for name in ("half_spread_bp", "impact_bp", "benefit_bp"))
        self.days = num(model.get("benefit_days"), Fraction(365))
        fees = setting(policy, "orders", "fees", {})
        self.fee_rate, self.fee_fixed = num(fees.get("rate"), ZERO), num(fees.get("fixed"), ZERO)

    def of(self, line, legs):
        """(fee, spread, impact) of each leg of an order of one line."""
        whole = sum((units for _, units in legs), ZERO)
        return {side: self.of_leg(line, units, whole) for side, units in legs}

    def of_leg(self, line, units, whole):
        notional = units * line.clean
        fee = half_even(notional * self.fee_rate + self.fee_fixed, 10)
        wide = None if line.quote is None else line.quote[1] - line.quote[0]
        spread = impact = None
        if wide is not None and wide <= line.price:
            spread = up(notional / line.price * wide / 2)
        elif self.half_spread is not None:
            spread = up(notional * self.half_spread * BP)
        if self.impact == 0:
            impact = ZERO
        elif self.impact is not None and line.volume:
            impact = root_up((notional * self.impact * BP) ** 2 * whole / line.volume)
        return fee, spread, impact

    def total(self, line, legs):
        """None where a part is not known."""
        parts = [part for leg in self.of(line, legs).values() for part in leg]
        return None if None in parts else sum(parts, ZERO)

    def benefit(self, removed):
        worth = max(removed, ZERO) * self.rate * BP * self.days / 365
        return worth // STEP * STEP
