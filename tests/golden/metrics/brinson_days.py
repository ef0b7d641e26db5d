#!/usr/bin/env python3
"""Writes `expected/brinson_days.json`: days of a portfolio and of its benchmark in money, and what Brinson, Fachler and
Carino make of them, in exact fractions and fifty digits; nothing of the service is used. `python3 brinson_days.py` from here.

A group's base is its value at the start of the day and what moved into it, where that is away from zero; what moved out
stays in. Cash is the rest of the capital and of the profit; the capital is the equity of the start and what flowed in.
"""

import json
import pathlib
import random
from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 50
NAMES = ("BANKS", "OIL", "TECH")


def day(chance, values, capital):
    """Values at the end, profits, moves, flow and cash of one side's day."""
    moves = {name: Fraction(chance.choice((0, 0, chance.randint(-values[name] // 2, 400)))) for name in NAMES}
    held = {name: values[name] + max(moves[name], 0) for name in NAMES}
    profits = {name: Fraction(round(held[name] * Fraction(chance.randint(-300, 300), 10_000))) for name in NAMES}
    ends = {name: values[name] + moves[name] + profits[name] for name in NAMES}
    flow, interest = chance.choice((0, 0, 500, -300)), Fraction(chance.randint(0, 3))
    whole = {"begin": capital, "flow": flow, "profit": sum(profits.values()) + interest}
    return ends, whole, [{"name": n, "begin": values[n], "end": ends[n], "profit": profits[n]} for n in NAMES]


def sides(whole, groups):
    base = Fraction(whole["begin"] + max(whole["flow"], 0))
    found, left, rest = {}, base, Fraction(whole["profit"])
    for group in groups:
        moved = group["end"] - group["begin"] - group["profit"]
        held = group["begin"] + max(moved, 0)
        found[group["name"]] = (held / base, Fraction(group["profit"]) / held)
        left, rest = left - held, rest - group["profit"]
    found["CASH"] = (left / base, rest / left)
    return found


def effects(own, other):
    bench = sum(weight * value for weight, value in other.values())
    return {
        name: ((own[name][0] - other[name][0]) * (other[name][1] - bench), other[name][0] * (own[name][1] - other[name][1]),
               (own[name][0] - other[name][0]) * (own[name][1] - other[name][1]))
        for name in own
    }


def decimal(value):
    return Decimal(value.numerator) / Decimal(value.denominator)


def slope(own, other):
    return 1 / (1 + other) if own == other else ((1 + own).ln() - (1 + other).ln()) / (own - other)


def main():
    chance = random.Random(65)
    books = [({"BANKS": 2000, "OIL": 3000, "TECH": 4000}, 10_000), ({"BANKS": 3000, "OIL": 2500, "TECH": 3500}, 10_000)]
    days, returns, totals = [], ([], []), []
    for _ in range(40):
        told = []
        for at, (values, capital) in enumerate(books):
            ends, whole, groups = day(chance, {name: int(value) for name, value in values.items()}, capital)
            books[at] = (ends, capital + whole["flow"] + whole["profit"])
            told.append((whole, groups))
        own, other = (sides(*side) for side in told)
        for at, side in enumerate((own, other)):
            returns[at].append(decimal(sum(weight * value for weight, value in side.values())))
        totals.append({name: [decimal(part) for part in parts] for name, parts in effects(own, other).items()})
        days.append([{"whole": {k: str(v) for k, v in whole.items()}, "groups": [{k: str(v) for k, v in g.items()} for g in groups]} for whole, groups in told])
    grown = []
    for series in returns:
        product = Decimal(1)
        for value in series:
            product *= 1 + value
        grown.append(product - 1)
    scale = slope(*grown)
    linked = {name: [Decimal(0)] * 3 for name in totals[0]}
    for own, other, parts in zip(*returns, totals):
        factor = slope(own, other) / scale
        for name, of_day in parts.items():
            linked[name] = [known + factor * part for known, part in zip(linked[name], of_day)]
    assert abs(sum(sum(parts) for parts in linked.values()) - (grown[0] - grown[1])) < Decimal("1e-40")
    expected = {
        "days": days, "portfolio_return": str(grown[0]), "benchmark_return": str(grown[1]),
        "linked": {name: [str(part) for part in parts] for name, parts in sorted(linked.items())},
    }
    path = pathlib.Path(__file__).parent / "expected" / "brinson_days.json"
    path.write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
