"""Figures of a series of returns, in decimals of fifty digits: each is a number, or the word for why there is none."""

from decimal import Decimal, getcontext
from fractions import Fraction

getcontext().prec = 50
ZERO, ONE = Decimal(0), Decimal(1)
DAYS_OF_A_YEAR = 365
SMALLEST = Decimal("1e-7")


def dec(value):
    """A rational as a decimal of fifty digits."""
    return Decimal(value.numerator) / Decimal(value.denominator) if isinstance(value, Fraction) else Decimal(value)


def power(base, exponent):
    return ZERO if base == 0 else (base.ln() * exponent).exp()


def mean(xs):
    return sum(xs, ZERO) / len(xs)


def around(xs, order):
    middle = mean(xs)
    return mean([(x - middle) ** order for x in xs])


def spread(xs):
    """Standard deviation with n - 1, or why there is none."""
    if len(xs) < 2:
        return "TOO_FEW_OBSERVATIONS"
    found = (around(xs, 2) * len(xs) / (len(xs) - 1)).sqrt()
    return "ZERO_VOLATILITY" if found <= Decimal("1e-15") * max(abs(x) for x in xs) else found


def covariance(xs, ys):
    a, b = mean(xs), mean(ys)
    return sum(((x - a) * (y - b) for x, y in zip(xs, ys)), ZERO) / (len(xs) - 1)


def quantile(xs, q):
    """Type 7: between the order statistics at (n - 1) q."""
    xs, at = sorted(xs), Decimal(q) * (len(xs) - 1)
    low = int(at)
    return xs[low] + (at - low) * (xs[min(low + 1, len(xs) - 1)] - xs[low])


def linked(xs):
    out = ONE
    for x in xs:
        out *= 1 + x
    return out


def over(numerator, denominator, times=ONE):
    """A ratio, or why one of its parts is none."""
    for part in (denominator, numerator):
        if isinstance(part, str):
            return part
    return numerator / denominator * times


class Falls:
    """Drawdowns of an index that starts at 1: depth, peak, trough, recovery, as places; -1 is the start."""

    def __init__(self, xs):
        self.all, self.depths, index, top, at = [], [], ONE, ONE, -1
        for place, x in enumerate(xs):
            index *= 1 + x
            if index >= top:
                if self.all and self.all[-1][3] is None:
                    self.all[-1][3] = place
                top, at = index, place
            elif not self.all or self.all[-1][3] is not None:
                self.all.append([index / top - 1, at, place, None])
            elif index / top - 1 < self.all[-1][0]:
                self.all[-1][0], self.all[-1][2] = index / top - 1, place
            self.depths.append(min(index / top - 1, ZERO))

    def deepest(self):
        return min(self.all, key=lambda fall: fall[0]) if self.all else None

    def told(self):
        """The deepest, and the one that it is in where that is another."""
        deepest = self.deepest()
        now = self.all[-1] if self.all and self.all[-1][3] is None else None
        return [fall for at, fall in enumerate((deepest, now)) if fall and (at == 0 or fall is not deepest)]


def few(xs, need, answer):
    return "TOO_FEW_OBSERVATIONS" if len(xs) < need else answer()


def annualised(xs, per_year, span):
    return few(xs, 1, lambda: "UNDER_ONE_YEAR" if span < DAYS_OF_A_YEAR else power(linked(xs), Decimal(per_year) / len(xs)) - 1)


def alone(xs, per_year, rate, span, rated=()):
    """Figures that need no benchmark; `rate` is risk-free, a year, `span` the calendar days covered. `rated` are pairs of
    returns and risk-free ones, where an instrument tells these."""
    root = Decimal(per_year).sqrt()
    free = power(1 + rate, ONE / per_year) - 1
    beyond = [x - r for x, r in rated] or [x - free for x in xs]
    below = lambda of: mean([min(x, ZERO) ** 2 for x in of]).sqrt()
    gains, losses = [x for x in xs if x > 0], [x for x in xs if x < 0]
    out = {"mean_return": few(xs, 1, lambda: mean(xs))}
    wide = spread(xs)
    # Nothing that varies is a spread of zero where it is the figure itself.
    out["volatility"] = ZERO if wide == "ZERO_VOLATILITY" else over(wide, ONE, root)
    out["downside_deviation"] = few(xs, 1, lambda: below(xs) * root)
    out["sharpe"] = over(few(beyond, 2, lambda: mean(beyond)), spread(beyond), root)
    down = few(beyond, 2, lambda: below([x for x, _ in rated] or xs) or "NO_DOWNSIDE")
    out["sortino"] = over(few(beyond, 2, lambda: mean(beyond)), down, root)
    out["omega"] = few(xs, 2, lambda: sum(gains, ZERO) / -sum(losses, ZERO) if losses else "NO_DOWNSIDE")
    flat = wide if isinstance(wide, str) else None
    out["skewness"] = flat or around(xs, 3) / power(around(xs, 2), Decimal("1.5"))
    out["kurtosis"] = flat or around(xs, 4) / around(xs, 2) ** 2 - 3
    out["tail_ratio"] = few(xs, 1, lambda: tails(xs))
    out["best_day"], out["worst_day"] = few(xs, 1, lambda: max(xs)), few(xs, 1, lambda: min(xs))
    moved = gains + losses
    out["win_rate_periods"] = few(xs, 1, lambda: Decimal(len(gains)) / len(moved) if moved else "ZERO_VOLATILITY")
    out["profit_factor_periods"] = few(xs, 1, lambda: sum(gains, ZERO) / -sum(losses, ZERO) if losses else "NO_LOSSES")
    out["average_win_periods"] = few(xs, 1, lambda: mean(gains) if gains else "NO_WINS")
    out["average_loss_periods"] = few(xs, 1, lambda: mean(losses) if losses else "NO_LOSSES")
    if any(0 < abs(x) < SMALLEST for x in xs):
        # What divides by returns as small as the noise of the service's floats is a number of noise.
        out.update(dict.fromkeys(("sortino", "omega", "tail_ratio", "profit_factor_periods", "downside_deviation")))
    return out


def linking(xs, per_year, span):
    """Figures of the index that the returns link to."""
    falls, year = Falls(xs), annualised(xs, per_year, span)
    deepest = falls.deepest()
    return {
        "annualised_return": year,
        "max_drawdown": few(xs, 1, lambda: deepest[0] if deepest else ZERO),
        "current_drawdown": few(xs, 1, lambda: falls.depths[-1]),
        "calmar": few(xs, 1, lambda: over(year, abs(deepest[0])) if deepest else "NO_DRAWDOWN"),
        "ulcer_index": few(xs, 1, lambda: mean([d * d for d in falls.depths]).sqrt()),
    }


def tails(xs):
    low = abs(quantile(xs, "0.05"))
    return abs(quantile(xs, "0.95")) / low if low else "ZERO_DENOMINATOR"


def above(xs, bs, free, per_year, span):
    """Figures of returns above the risk-free ones, beside the benchmark's of the same days."""
    mine, theirs = [x - f for x, f in zip(xs, free)], [b - f for b, f in zip(bs, free)]
    other = spread(theirs if len(set(free)) > 1 else bs)
    other = "ZERO_BENCHMARK_VOLATILITY" if other == "ZERO_VOLATILITY" else other
    beta = other if isinstance(other, str) else covariance(mine, theirs) / covariance(theirs, theirs)
    left = beta if isinstance(beta, str) else 1 + mean([m - beta * t for m, t in zip(mine, theirs)])
    short = "UNDER_ONE_YEAR" if span < DAYS_OF_A_YEAR else None
    none = left if isinstance(left, str) else "TOTAL_LOSS" if left <= 0 else short
    return {"beta": beta, "alpha": none or power(left, Decimal(per_year)) - 1}


def beside(xs, bs, per_year, span):
    """Figures of returns beside the benchmark's of the same days."""
    root = Decimal(per_year).sqrt()
    active = [x - b for x, b in zip(xs, bs)]
    wide, other = spread(xs), spread(bs)
    other = "ZERO_BENCHMARK_VOLATILITY" if other == "ZERO_VOLATILITY" else other
    out = {"benchmark_return": few(xs, 1, lambda: linked(bs) - 1)}
    out["correlation"] = next((w for w in (wide, other) if isinstance(w, str)), None) or covariance(xs, bs) / (wide * other)
    apart = spread(active)
    out["tracking_error"] = ZERO if apart == "ZERO_VOLATILITY" else over(apart, ONE, root)
    out["information_ratio"] = over(few(xs, 2, lambda: mean(active)), apart, root)
    short = "UNDER_ONE_YEAR" if span < DAYS_OF_A_YEAR else None
    year = lambda series: annualised(series, per_year, span)
    out["active_return"] = few(xs, 1, lambda: short or year(xs) - year(bs))
    for name, sign, none in (("up_capture", 1, "NO_UPSIDE"), ("down_capture", -1, "NO_DOWNSIDE")):
        picked = [(x, b) for x, b in zip(xs, bs) if b * sign > 0]
        part = lambda at: [pair[at] for pair in picked]
        out[name] = (short or over(year(part(0)), year(part(1)))) if picked else none
    return out


def xirr(flows):
    """The yearly rate that brings dated flows to zero; days count from the earliest one."""
    first = min(day for day, _ in flows)
    worth = lambda rate: sum((amount * power(1 + rate, -Decimal((day - first).days) / 365) for day, amount in flows), ZERO)
    if not (any(a > 0 for _, a in flows) and any(a < 0 for _, a in flows)):
        return "NO_SIGN_CHANGE"
    grid = [Decimal("-0.99") + Decimal(n) / 50 for n in range(0, 200)]
    signs = [(low, high) for low, high in zip(grid, grid[1:]) if worth(low) * worth(high) <= 0]
    if len(signs) != 1:
        return None
    low, high = signs[0]
    for _ in range(120):
        middle = (low + high) / 2
        low, high = (low, middle) if worth(low) * worth(middle) <= 0 else (middle, high)
    return low
