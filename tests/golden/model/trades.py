"""Closed trades: what each execution that closes units comes to, and the figures of those of a timeframe.

A trade is a pair of its trade date and what it came to, in base and rounded as it is told; trades are counted.
"""

from collections import Counter, defaultdict

from . import statistics
from .exact import half_even, num

OF_A_DAY = ("trades", "winning_trades", "losing_trades", "gross_profit", "gross_loss")
COUNTS, SUMS = ("winning", "losing", "even"), ("gross_profit", "gross_loss")


def one(date, net):
    return Counter({(date, half_even(net, 10)): 1})


def add(into, trades, sign):
    for trade, times in trades.items():
        into[trade] += sign * times


def rows(trades):
    """By trade date: how many won, lost, did neither, and the two sums; dates on which nothing is left are not told."""
    out = defaultdict(lambda: [0, 0, 0, num("0"), num("0")])
    for (date, net), times in trades.items():
        at = 0 if net > 0 else 1 if net < 0 else 2
        out[date][at] += times
        if at < 2:
            out[date][3 + at] += times * net
    return {date: row for date, row in out.items() if any(row)}


def told(entry):
    return {t["trade_date"]: [int(t[n]) for n in COUNTS] + [num(t[n]) for n in SUMS] for t in entry.get("closed_trades", [])}


def figures(nets):
    """The figures of trades that came to these amounts."""
    won, lost = ([statistics.dec(net) for net in nets if sign * net > 0] for sign in (1, -1))
    gained, given = sum(won, statistics.ZERO), sum(lost, statistics.ZERO)
    out = {"trades": len(nets), "winning_trades": len(won), "losing_trades": len(lost), "gross_profit": gained, "gross_loss": given}
    out["win_rate"] = statistics.few(nets, 1, lambda: statistics.dec(len(won)) / len(nets))
    out["profit_factor"] = statistics.few(nets, 1, lambda: gained / -given if lost else "NO_LOSSES")
    out["average_win"] = statistics.few(nets, 1, lambda: gained / len(won) if won else "NO_WINS")
    out["average_loss"] = statistics.few(nets, 1, lambda: given / len(lost) if lost else "NO_LOSSES")
    return out
