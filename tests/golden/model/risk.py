"""Records of risk: what is held at a close, by what its instruments did in the days before."""

from collections import defaultdict
from decimal import Decimal

from . import statistics
from .exact import micros, num
from .prices import Prices, line_of
from .statistics import dec

ZERO, NEEDED, MOST, LARGEST = Decimal(0), 60, 500, 10
# The normal distribution: quantiles and densities at 95 and 99 per cent, to thirty digits.
Z = {"0.95": Decimal("1.644853626951472714863848907992"), "0.99": Decimal("2.326347874040841100885606163347")}
PI = Decimal("3.14159265358979323846264338327950288419716939937511")


def density(z):
    return (-z * z / 2).exp() / (2 * PI).sqrt()


class Risk:
    """Benchmarks, rates and histories of a case, and the checks of its risk records."""

    def __init__(self, case):
        self.case, self.known, self._prices = case, {}, None

    @property
    def prices(self):
        self._prices = self._prices or Prices(self.case)
        return self._prices

    def close(self, value, world):
        self.known[value["portfolio_id"]] = (line_of(self.case, value["input_offsets"]), world)

    # Of the policy.

    def policy(self, portfolio):
        """The policy that holds; of a closed portfolio the last one."""
        line, world = self.known[portfolio]
        known = [state.policies[portfolio] for state in self.case.states[: line + 1] if state.policies.get(portfolio)]
        return world.policies.get(portfolio) or known[-1]

    def policy_version(self, portfolio):
        version = (self.known[portfolio][1].policies.get(portfolio) or {}).get("policy_version")
        return int(version) if version is not None else None

    def benchmark(self, portfolio):
        return self.policy(portfolio).get("benchmark")

    def per_year(self, portfolio):
        return 365 if self.policy(portfolio).get("calendar") == "24/7" else 252

    def rate(self, portfolio):
        return dec(num(self.policy(portfolio).get("risk_free_rate") or "0"))

    def risk_free(self, portfolio):
        return self.policy(portfolio).get("risk_free_instrument")

    def levels(self, portfolio, series, name):
        """An instrument's level on each day of a series, or none: what it returned, in the base currency."""
        if not name:
            return [None] * len(series.days)
        line, world = self.known[portfolio]
        base = world.books[portfolio].base
        of = lambda pair: self.prices.days(pair, series.days[-1], line, 1 << 62)
        days = self.prices.values(name, base, world.market.currency(name) if name in world.market.facts else base, of(name), of)
        wanted = [day for day in series.days if day in days]
        grown = self.prices.returns(name, days, wanted, lambda day: self.rate_on(world.market, name, base, of, day))
        levels, index = {}, num("1")
        for day in wanted:
            index *= 1 + grown.get(day, 0)
            levels[day] = index
        return [levels.get(day) for day in series.days]

    # The record.

    def check(self, value, close, series):
        case, portfolio = self.case, value["portfolio_id"]
        world = self.known[portfolio][1]
        equity = dec(num(close["equity"]))
        held = {p["instrument_id"]: self.exposed(p) for p in close["positions"] if p["price"] is not None and p["fx_rate"] is not None}
        case.same("timeframe", value["timeframe"], f"{MOST}D")
        case.same("provisional", value["provisional"], close["provisional"])
        found = {(m["id"], m["confidence"] and str(m["confidence"])): m for m in value["metrics"]}
        expected = self.whole(held, equity)
        matrix, beside, names, bench = self.histories(portfolio, close, held, world)
        expected.update(self.of_history(portfolio, (matrix, beside), names, held, equity, bench))
        expected.update(self.realised(portfolio, series))
        case.same("figures of risk", set(found), set(expected))
        for key in sorted(set(found) & set(expected), key=str):
            case.performance.figure(found[key], expected[key])
        self.components(value, held, equity, (matrix, beside), names, bench, portfolio)
        self.sectors(value, held, equity, world.market)

    def exposed(self, position):
        """A future counts with its notional."""
        value = num(position["value"])
        if position["type"] == "FUTURE":
            value = num(position["quantity"]) * num(position["price"]) * num(position["multiplier"]) * num(position["fx_rate"])
        return dec(value)

    @staticmethod
    def whole(held, equity):
        values = list(held.values())
        gross, long = sum((abs(v) for v in values), ZERO), sum((v for v in values if v > 0), ZERO)
        short = long - gross
        out, share = {}, lambda part: part / equity if equity > 0 else "NO_CAPITAL"
        for name, part in (("net_exposure", long + short), ("gross_exposure", gross), ("long_exposure", long), ("short_exposure", short)):
            out[name, None] = share(part)
        hhi = sum(((v / gross) ** 2 for v in values), ZERO) if gross else "NO_EXPOSURE"
        out["concentration_hhi", None] = hhi
        out["effective_number", None] = 1 / hhi if gross else hhi
        out["largest_share", None] = max(abs(v) for v in values) / gross if gross else hhi
        return out

    def histories(self, portfolio, close, held, world):
        """Returns on common days of the holdings with enough of them, and again on those that the benchmark has too."""
        line, cut_at = self.known[portfolio][0], micros(close["cut_at"])
        of = lambda name: self.prices.days(name, close["date"], line, cut_at)
        base = close["base_currency"]
        days, market = {}, world.market
        for name in held:
            own = self.prices.values(name, base, market.currency(name), of(name), of)
            if len(own) > NEEDED:
                days[name] = own
        rate = lambda name: lambda day: self.rate_on(market, name, base, of, day)

        def joined(days):
            common = sorted(set.intersection(*(set(own) for own in days.values())))[-MOST - 1:] if days else []
            rows = {name: self.prices.returns(name, own, common, rate(name)) for name, own in days.items()}
            return {name: [dec(row[day]) for day in common[1:]] for name, row in rows.items()}

        matrix, bench = joined(days), self.benchmark(portfolio)
        beside = joined({**days, bench: of(bench)}) if bench and len(of(bench)) > NEEDED else {}
        names = sorted(name for name in matrix if len(matrix[name]) >= NEEDED)
        return matrix, beside, names, bench if bench in beside and len(beside[bench]) >= NEEDED else None

    def rate_on(self, market, name, base, of, day):
        currency = market.currency(name) if name in market.facts else base
        return num("1") if currency == base else self.prices.at(of(f"{currency}/{base}"), day) or num("1")

    def of_history(self, portfolio, histories, names, held, equity, bench):
        matrix, beside = histories
        gross = sum((abs(v) for v in held.values()), ZERO)
        covered = sum((abs(held[name]) for name in names), ZERO)
        out = {("history_coverage", None): covered / gross if gross else "NO_EXPOSURE"}
        n = len(matrix[names[0]]) if names else 0
        few = "TOO_FEW_OBSERVATIONS"
        gains = [sum((held[name] * matrix[name][at] for name in names), ZERO) for at in range(n)]
        for level in ("0.95", "0.99"):
            out.update({(name, level): few if n < NEEDED else found for name, found in self.losses(gains, level).items()})
        root = Decimal(self.per_year(portfolio)).sqrt()
        share = lambda amount: few if n < NEEDED else "NO_CAPITAL" if equity <= 0 else amount() * root / equity
        out["holdings_volatility", None] = share(lambda: self.width(gains))
        out["ewma_volatility", None] = share(lambda: self.fading(gains))
        if self.benchmark(portfolio):
            pair = lambda found: few if n < NEEDED or not bench else found()
            gains = [sum((held[name] * beside[name][at] for name in names), ZERO) for at in range(len(beside[bench]))] if bench else []
            free = statistics.power(1 + self.rate(portfolio), 1 / Decimal(self.per_year(portfolio))) - 1
            out["holdings_beta", None] = pair(lambda: "NO_CAPITAL" if equity <= 0 else self.beta([g / equity - free for g in gains], beside[bench]))
            out["benchmark_correlation", None] = pair(lambda: self.correlation(gains, beside[bench]))
        return out

    @staticmethod
    def beta(xs, bs):
        still = isinstance(statistics.spread(bs), str)
        return "ZERO_BENCHMARK_VOLATILITY" if still else statistics.covariance(xs, bs) / statistics.covariance(bs, bs)

    @staticmethod
    def correlation(xs, ys):
        wide = [statistics.spread(series) for series in (xs, ys)]
        still = next((spread for spread in wide if isinstance(spread, str)), None)
        return still or statistics.covariance(xs, ys) / (wide[0] * wide[1])

    @staticmethod
    def width(xs):
        """A spread that is the figure itself: nothing that varies is zero."""
        wide = statistics.spread(xs)
        return ZERO if isinstance(wide, str) else wide

    @staticmethod
    def fading(gains):
        return Risk.fading_product(gains, gains).sqrt()

    @staticmethod
    def fading_product(xs, ys):
        weights = [Decimal("0.94") ** at for at in range(len(xs))][::-1]
        return sum((w * x * y for w, x, y in zip(weights, xs, ys)), ZERO) / sum(weights, ZERO)

    @staticmethod
    def losses(gains, level):
        if len(gains) < 2:
            return dict.fromkeys(("value_at_risk", "expected_shortfall", "parametric_value_at_risk", "parametric_expected_shortfall", "cornish_fisher_value_at_risk"))
        z, tail = -Z[level], 1 - Decimal(level)
        edge = statistics.quantile(gains, tail)
        middle, wide = statistics.mean(gains), Risk.width(gains)
        out = {
            "value_at_risk": -edge,
            "expected_shortfall": -statistics.mean([g for g in gains if g <= edge]),
            "parametric_value_at_risk": -(middle + z * wide),
            "parametric_expected_shortfall": -(middle - wide * density(z) / tail),
            "cornish_fisher_value_at_risk": "ZERO_VOLATILITY",
        }
        if not wide:
            return out
        skew = statistics.around(gains, 3) / statistics.power(statistics.around(gains, 2), Decimal("1.5"))
        fat = statistics.around(gains, 4) / statistics.around(gains, 2) ** 2 - 3
        if 1 + z * skew / 3 + (z * z - 1) * fat / 8 - (6 * z * z - 5) * skew * skew / 36 <= 0:
            return {**out, "cornish_fisher_value_at_risk": "OUTSIDE_EXPANSION"}
        bent = z + (z * z - 1) * skew / 6 + (z**3 - 3 * z) * fat / 24 - (2 * z**3 - 5 * z) * skew * skew / 36
        return {**out, "cornish_fisher_value_at_risk": -(middle + bent * wide)}

    def realised(self, portfolio, series):
        xs = [dec(found) for found in series.returns if not isinstance(found, str)][-MOST:]
        root, target = Decimal(self.per_year(portfolio)).sqrt(), self.policy(portfolio).get("target_risk")
        realised = statistics.spread(xs) * root if len(xs) >= NEEDED else "TOO_FEW_OBSERVATIONS"
        out = {("realised_risk", None): realised}
        if target is not None:
            goal = dec(num(target))
            out["target_risk", None] = goal
            out["risk_difference", None] = realised if isinstance(realised, str) else realised - goal
            out["risk_ratio", None] = realised if isinstance(realised, str) else realised / goal
        return out

    def components(self, value, held, equity, histories, names, bench, portfolio):
        matrix, beside = histories
        case, n = self.case, len(matrix[names[0]]) if names else 0
        gains = [sum((held[name] * matrix[name][at] for name in names), ZERO) for at in range(n)]
        case.same("components", sorted(c["instrument_id"] for c in value["components"]), sorted(held))
        root = Decimal(self.per_year(portfolio)).sqrt()
        for row in value["components"]:
            name = row["instrument_id"]
            known = name in names and n >= NEEDED
            case.near(f"{name} value", row["value"], held[name])
            case.near(f"{name} weight", row["weight"], held[name] / equity if equity > 0 else None)
            case.same(f"{name} observations", int(row["observations"]), n if known else 0)
            case.near(f"{name} volatility", row["volatility"], self.width(matrix[name]) * root if known else None)
            beta = self.beta(beside[name], beside[bench]) if known and bench else None
            case.near(f"{name} beta", row["beta"], None if isinstance(beta, str) else beta)
            part = None
            if known and self.width(gains):
                share = statistics.covariance([held[name] * x for x in matrix[name]], gains) / statistics.spread(gains)
                part = -(held[name] * statistics.mean(matrix[name]) - Z["0.95"] * share)
            case.near(f"{name} value at risk", row["value_at_risk"], part, "1e-10")
            worst, fading = None, None
            if known:
                edge = statistics.quantile(gains, Decimal("0.05"))
                worst = -held[name] * statistics.mean([x for x, gain in zip(matrix[name], gains) if gain <= edge])
                fading = self.fading(matrix[name]) * root
            case.near(f"{name} expected shortfall", row["expected_shortfall"], worst, "1e-10")
            case.near(f"{name} fading volatility", row["ewma_volatility"], fading)
        parts = [num(row["value_at_risk"]) for row in value["components"] if row["value_at_risk"] is not None]
        if parts:
            case.near("the parts of the whole", sum(parts), self.losses(gains, "0.95")["parametric_value_at_risk"], f"{len(parts)}e-10")
        beyond = [num(row["expected_shortfall"]) for row in value["components"] if row["expected_shortfall"] is not None]
        if beyond:
            case.near("the parts of the shortfall", sum(beyond), self.losses(gains, "0.95")["expected_shortfall"], f"{len(beyond)}e-10")
        largest = sorted(names, key=lambda name: -abs(held[name]))[:LARGEST]
        every = sorted({*largest, bench} - {None})
        pairs = [(a, b) for at, a in enumerate(every) for b in every[at + 1:]]
        case.same("correlations", sorted(tuple(sorted((c["instrument_id"], c["other_id"]))) for c in value["correlations"]), sorted(pairs) if n >= NEEDED else [])
        for row in value["correlations"]:
            of = matrix if {row["instrument_id"], row["other_id"]} <= set(names) else beside
            a, b = of.get(row["instrument_id"]), of.get(row["other_id"])
            if a and b:
                found = self.correlation(a, b)
                case.near(f"correlation of {row['instrument_id']} and {row['other_id']}", row["value"], None if isinstance(found, str) else found)
                case.near("fading covariance", row["ewma_covariance"], self.fading_product(a, b))
                case.same("observations", int(row["observations"]), len(a))

    def sectors(self, value, held, equity, market):
        total = defaultdict(lambda: ZERO)
        for name, amount in held.items():
            total[market.facts.get(name, {}).get("sector") or "NONE"] += amount
        self.case.same("sectors", [row["sector"] for row in value["sector_exposure"]], sorted(total))
        for row in value["sector_exposure"]:
            self.case.near(f"{row['sector']} value", row["value"], total[row["sector"]])
            self.case.near(f"{row['sector']} weight", row["weight"], total[row["sector"]] / equity if equity > 0 else None)
