"""Records of performance and risk: which there must be, and what each must say.

Everything follows from the closes and the bookings, which the model has verified, and from prices of the input. While
a booking waits for the close that contains it, what is told of its day is in between: only its sums are checked.
"""

from collections import Counter, defaultdict
from datetime import date as Date
from datetime import timedelta
from decimal import Decimal

from . import profit, returns, statistics, strategies, trades
from .exact import micros, num
from .risk import Risk
from .series import Series

ZERO = num("0")
PERFORMANCE, RISK = "portfolio.performance.v1", "portfolio.risk.v1"
PERIODS = ("MTD", "YTD", "1Y", "ALL")
LATER, KEPT = "9999-12-31", 10


class Performance:
    """Follows the output of a case: closes and ledgers come in, records are held against them."""

    def __init__(self, case):
        self.case, self.risk = case, Risk(case)
        self.closes, self.stands, self.entries, self.deeds = defaultdict(dict), {}, defaultdict(list), defaultdict(list)
        self.last, self.due, self.told, self.dirty, self.stirred = {}, {}, set(), {}, set()
        self.trades = defaultdict(Counter)
        self.measured = any(r["topic"] in (PERFORMANCE, RISK) for r in case.output)
        places, self.inputs = defaultdict(int), {}
        for line in case.input:
            self.inputs[line["topic"], places[line["topic"]]] = line["value"]
            places[line["topic"]] += 1

    # What comes in.

    def close(self, value, at, world):
        portfolio, day = value["portfolio_id"], value["date"]
        self.settle()
        self.closes[portfolio][day] = value
        self.stands[portfolio, day] = profit.Stand(at)
        self.dirty[portfolio] = None
        self.stirred |= set(self.last)
        self.risk.close(value, world)
        self.due[portfolio, "DAY", day] = int(value["version"])
        newest = max(self.closes[portfolio])
        # Of the days of one step only the newest has periods and risk.
        self.due = {key: version for key, version in self.due.items() if key[0] != portfolio or key[1] == "DAY" or key[2] == newest}
        for period in PERIODS:
            self.due[portfolio, period, newest] = int(self.closes[portfolio][newest]["version"])
        if day == newest:
            self.due[portfolio, RISK, day] = int(value["version"])

    def booked(self, portfolio, entry, told, at):
        """An entry of the ledger, and what the model has booked for it."""
        trades.add(self.trades[portfolio], told.get("closed", {}), 1)
        cause = self.inputs.get((entry["cause"]["topic"], int(entry["cause"]["offset"]))) or {}
        day, fill = self.day_of(portfolio, entry), None
        if "exec_id" in cause and entry["kind"] != "RESTATE":
            fill = cause
        known = (entry, self.day_at(portfolio, at), cause.get("entry_id"), cause.get("reverses"))
        self.entries[portfolio].append(known)
        self.stirred |= set(self.last)
        name = entry["instrument_id"]
        market = self.case.states[-1].market
        hour = profit.hour_of(fill, market) if fill else None
        parts = told["parts"]
        self.deeds[portfolio].append(profit.Deed(day, name, parts, hour, entry["kind"] == "RESTATE" or "reverses" in cause))
        if self.closes[portfolio] and day <= max(self.closes[portfolio]):
            self.dirty[portfolio] = min(day, self.dirty.get(portfolio) or LATER)

    def day_at(self, portfolio, moment):
        known = sorted((cut, day) for day, (cut, _) in self.case.days.cut.get(portfolio, {}).items())
        return next((day for cut, day in known if moment < cut), LATER)

    def day_of(self, portfolio, entry):
        """The day that a booking belongs to: by trade or ex-date, by the venue's day of securities, else by its moment."""
        by_date = entry["trade_date"] if entry["kind"] != "CASH_DIVIDEND" else None
        if by_date is None and entry["kind"].startswith("TRANSFER") and entry["instrument_id"]:
            by_date = profit.splits.day_of(entry, self.case.states[-1].market)
        if by_date is None:
            return self.day_at(portfolio, micros(entry["effective_at"]))
        return next((day for day in sorted(self.case.days.cut.get(portfolio, {})) if day >= by_date), LATER)

    # What must be said.

    def series(self, portfolio):
        """Days with their returns, flows and profits, as they stand."""
        closes = self.closes[portfolio]
        flows = returns.standing(self.entries[portfolio], lambda entry: self.day_of(portfolio, entry))
        out, begin, before = Series(), ZERO, ZERO
        for day in sorted(closes):
            equity, net = num(closes[day]["equity"]), num(closes[day]["net_flows"])
            own = [flow for flow in flows if flow.day == day]
            found, rules = returns.of_day(begin, equity, own, net - before)
            out.add(day, found, rules, equity, net - before, closes[day])
            begin, before = equity, net
        return out

    def record(self, topic, value):
        portfolio = value["portfolio_id"]
        period = value["timeframe"] if topic == PERFORMANCE else RISK
        key = (portfolio, period, value["date"])
        case, close = self.case, self.closes[portfolio].get(value["date"])
        case.same("a close was told of its day", close is not None, True)
        if close is None:
            return
        case.same("close_version", int(value["close_version"]), int(close["version"]))
        case.same("as_of", micros(value["as_of"]), micros(close["cut_at"]))
        case.same("base_currency", value["base_currency"], close["base_currency"])
        case.same("something new is said, or was booked or closed", self.last.get(key) != value or key in self.stirred, True)
        self.last[key] = value
        self.stirred.discard(key)
        self.due.pop(key, None)
        self.words(value)
        if topic == PERFORMANCE:
            self.sums(value)
        if not self.between(portfolio, value["date"]):
            self.judge(topic, value)

    def between(self, portfolio, day):
        """Whether a booking of the day, or of an earlier one, waits for its close."""
        return self.dirty.get(portfolio) is not None and self.dirty[portfolio] <= day

    def words(self, value):
        for metric in value["metrics"]:
            self.case.same(f"{metric['id']} has a value or a reason", metric["value"] is not None or bool(metric["reason"]), True)

    def sums(self, value):
        """Every grouping adds up to the one total, to the last unit."""
        profits = [num(metric["value"]) for metric in value["metrics"] if metric["id"] == "profit"]
        # A year that begins after the first day has none once days of before it are summed up.
        cut = value["timeframe"] == "1Y" and value["from_date"] > min(self.closes[value["portfolio_id"]])
        known = [a["grouping"] for a in value["attribution"]]
        self.case.same("groupings", known, [] if cut and not known else list(profit.GROUPINGS))
        for group in value["attribution"]:
            rows = [profit.told(bucket) for bucket in group["buckets"]]
            for bucket, row in zip(group["buckets"], rows):
                self.case.same(f"{group['grouping']} {bucket['name']} total", row[4], row[0] - row[1] + row[2] + row[3])
            total = sum((row[4] for row in rows), ZERO) + num(group["residual"])
            self.case.same(f"{group['grouping']} adds up", total, num(group["total"]))
            self.case.same(f"{group['grouping']} is of the profit", [num(group["total"])], profits)

    def judge(self, topic, value):
        portfolio = value["portfolio_id"]
        series = self.series(portfolio)
        if topic == RISK:
            return self.risk.check(value, self.closes[portfolio][value["date"]], series)
        version = value["policy_version"] and int(value["policy_version"])
        own = self.closes[portfolio][value["date"]]["policy_version"]
        known = {self.risk.policy_version(portfolio)} | ({own and int(own)} if value["timeframe"] == "DAY" else set())
        self.case.same("policy_version is known", version in known, True)
        if value["timeframe"] == "DAY":
            self.day(value, series)
        else:
            self.period(value, series)

    def day(self, value, series):
        case, day = self.case, value["date"]
        at = series.days.index(day)
        equity, flow = series.equity[at], series.flows[at]
        found = {metric["id"]: metric for metric in value["metrics"]}
        begin = series.equity[at - 1] if at else ZERO
        case.same("from_date", value["from_date"], day)
        # A day that is not closed again any more lacks what is booked for it, and stays provisional.
        gone = at < len(series.days) - KEPT
        stands_on = series.provisional[max(at - 1, 0):at + 1]
        case.same("provisional", value["provisional"] and not gone, any(stands_on) and not gone)
        case.same("total_value", num(found["total_value"]["value"]), equity)
        close = self.closes[value["portfolio_id"]][day]
        cash = sum((num(c["cash_value"]) + num(c["receivables_value"]) for c in close["currencies"]), ZERO)
        case.same("cash_value", num(found["cash_value"]["value"]), cash)
        case.same("net_external_flow", num(found["net_external_flow"]["value"]), flow)
        case.same("profit", num(found["profit"]["value"]), equity - begin - flow)
        self.figure(found["time_weighted_return"], series.returns[at])
        rules = [returns.RULES[rule] for rule in series.rules[at]]
        case.same("rule of the return", found["time_weighted_return"]["method"] in rules, True)
        expected = {"time_weighted_return", "total_value", "cash_value", "net_external_flow", "profit"}
        portfolio = value["portfolio_id"]
        for id, name in (("benchmark_return", self.risk.benchmark(portfolio)), ("risk_free_return", self.risk.risk_free(portfolio))):
            if name:
                levels = self.risk.levels(portfolio, series, name)
                known = [n for n in range(at + 1) if levels[n] is not None]
                expected.add(id)
                has = at in known and len(known) > 1
                self.figure(found[id], levels[at] / levels[known[-2]] - 1 if has else "TOO_FEW_OBSERVATIONS")
        # What is told late of a day that is told no more is in the periods alone.
        closed = self.closed(portfolio, [day])
        if not gone and (closed or "trades" in found):
            own = trades.figures(closed)
            expected.update(trades.OF_A_DAY)
            for id in trades.OF_A_DAY:
                self.figure(found[id], own[id])
        elif gone:
            expected.update(id for id in trades.OF_A_DAY if id in found)
        case.same("figures of a day", set(found), expected)
        self.groups(value, [day])

    def period(self, value, series):
        case, portfolio, newest = self.case, value["portfolio_id"], value["date"]
        case.same("of the newest day", newest, series.days[-1])
        start = self.start(value["timeframe"], newest, series.days[0])
        case.same("from_date", value["from_date"], start)
        places = [at for at, day in enumerate(series.days) if day >= start]
        waits = self.dirty.get(portfolio) is not None
        case.same("provisional", value["provisional"], waits or any(series.provisional[max(places[0] - 1, 0):]))
        found = {metric["id"]: metric for metric in value["metrics"]}
        expected = self.figures(portfolio, series, places, start)
        case.same("figures of a period", set(found), set(expected))
        for name in sorted(set(found) & set(expected)):
            self.figure(found[name], expected[name])
        self.falls(value, series, places)
        self.groups(value, [series.days[at] for at in places])

    @staticmethod
    def start(timeframe, newest, first):
        day = Date.fromisoformat(newest)
        starts = {"MTD": day.replace(day=1), "YTD": day.replace(month=1, day=1), "1Y": day - timedelta(days=364), "ALL": Date.fromisoformat(first)}
        return max(starts[timeframe].isoformat(), first)

    def figures(self, portfolio, series, places, start):
        per_year, rate = self.risk.per_year(portfolio), self.risk.rate(portfolio)
        first, last = places[0], places[-1]
        begin, base = (series.equity[first - 1], series.days[first - 1]) if first else (ZERO, None)
        xs = series.good(places)
        since = Date.fromisoformat(base) if base else Date.fromisoformat(series.days[first]) - timedelta(days=1)
        span = (Date.fromisoformat(series.days[last]) - since).days
        benchmark, free = ([self.risk.levels(portfolio, series, name)] if name else [] for name in (self.risk.benchmark(portfolio), self.risk.risk_free(portfolio)))
        decimals = lambda rows: [[statistics.dec(one) for one in row] for row in rows]
        rated = decimals(series.joined(places, *free)[1]) if free else []
        out = statistics.alone(xs, per_year, rate, span, rated)
        if not xs and series.lost(places):
            out = dict.fromkeys(out, "TOTAL_LOSS")
        out.update(statistics.linking(xs, per_year, span))
        flow = sum((series.flows[at] for at in places), ZERO)
        out["net_external_flow"], out["profit"] = statistics.dec(flow), statistics.dec(series.equity[last] - begin - flow)
        out["time_weighted_return"] = statistics.linked(xs) - 1 if xs else "NO_CAPITAL"
        out.update(trades.figures(self.closed(portfolio, [series.days[at] for at in places])))
        out["modified_dietz"] = self.dietz(series, places, base, begin)
        out["money_weighted_return"] = self.money(series, places, base, begin)
        deepest = statistics.Falls(xs).deepest()
        out["max_drawdown_days"] = Decimal(self.fall(deepest, series.good_days(places), series, places)["days"]) if deepest else "NO_DRAWDOWN"
        if not xs and series.lost(places):
            out.update(dict.fromkeys(("time_weighted_return", "max_drawdown_days", *statistics.linking(xs, per_year, span)), "TOTAL_LOSS"))
        if benchmark:
            side = lambda rows, at: [row[at] for row in rows]
            days, rows = series.joined(places, *benchmark)
            rows = decimals(rows)
            out.update(statistics.beside(side(rows, 0), side(rows, 1), per_year, days))
            constant = [statistics.power(1 + rate, 1 / Decimal(per_year)) - 1] * len(rows)
            if rated:
                days, rows = series.joined(places, *benchmark, *free)
                rows = decimals(rows)
            out.update(statistics.above(side(rows, 0), side(rows, 1), side(rows, 2) if rated else constant, per_year, days))
        return out

    def closed(self, portfolio, days):
        """What the trades came to that were closed on these days."""
        counts = lambda date: next((day for day in sorted(self.case.days.cut.get(portfolio, {})) if day >= date), LATER)
        return [net for (date, net), times in self.trades[portfolio].items() for _ in range(times) if counts(date) in days]

    @staticmethod
    def dietz(series, places, base, begin):
        """Flows work from the start of their day; the period starts where the close before it stood."""
        last = Date.fromisoformat(series.days[places[-1]])
        whole = (last - Date.fromisoformat(base)).days if base else (last - Date.fromisoformat(series.days[places[0]])).days + 1
        worked = lambda at: num(str((last - Date.fromisoformat(series.days[at])).days + 1)) / whole
        capital = begin + sum((series.flows[at] * worked(at) for at in places), ZERO)
        gain = series.equity[places[-1]] - begin - sum((series.flows[at] for at in places), ZERO)
        return statistics.dec(gain / capital) if capital > 0 else "NO_CAPITAL"

    @staticmethod
    def money(series, places, base, begin):
        day = lambda at: Date.fromisoformat(series.days[at])
        since = Date.fromisoformat(base) if base else day(places[0]) - timedelta(days=1)
        if (day(places[-1]) - since).days < statistics.DAYS_OF_A_YEAR:
            return "UNDER_ONE_YEAR"
        flows = [(since, -statistics.dec(begin))] if begin else []
        flows += [(day(at), -statistics.dec(series.flows[at])) for at in places if series.flows[at]]
        return statistics.xirr(flows + [(day(places[-1]), statistics.dec(series.equity[places[-1]]))])

    def falls(self, value, series, places):
        xs, days = series.good(places), series.good_days(places)
        expected = [self.fall(fall, days, series, places) for fall in statistics.Falls(xs).told()]
        self.case.same("drawdowns", len(value["drawdowns"]), len(expected))
        for found, fall in zip(value["drawdowns"], expected):
            self.near("depth", found["depth"], fall.pop("depth"))
            self.case.same("drawdown", {name: found[name] if name != "days" else int(found[name]) for name in fall}, fall)

    @staticmethod
    def fall(fall, days, series, places):
        """Depth, and days by date; a fall from the start has its peak on the day before, of the first day on itself."""
        depth, peak, trough, recovery = fall
        earlier = series.days[places[0] - 1] if places[0] else series.days[0]
        top = days[peak] if peak >= 0 else earlier
        end = days[recovery] if recovery is not None else days[-1]
        length = (Date.fromisoformat(end) - Date.fromisoformat(top)).days
        return {"depth": depth, "peak": top, "trough": days[trough], "recovery": days[recovery] if recovery is not None else None, "days": length}

    def groups(self, value, days):
        portfolio, market = value["portfolio_id"], self.case.states[-1].market
        for group in value["attribution"]:
            total = defaultdict(lambda: [ZERO] * 4)
            for day in days:
                earlier = [other for other in self.closes[portfolio] if other < day]
                stands = (self.stands[portfolio, max(earlier)] if earlier else None, self.stands[portfolio, day])
                deeds = [deed for deed in self.deeds[portfolio] if deed.day == day]
                for name, row in profit.buckets(group["grouping"], stands, deeds, market).items():
                    total[name] = [a + b for a, b in zip(total[name], row)]
            found = {bucket["name"]: profit.told(bucket) for bucket in group["buckets"]}
            known = self.deeds[portfolio]
            whole = set(days) == set(self.closes[portfolio]) and all(deed.day in days for deed in known if deed.restates)
            unsure = set() if whole else profit.unsure(group["grouping"], known, market)
            for name in sorted(set(found) | set(total)):
                row, told = total.get(name, [ZERO] * 4), found.get(name, [ZERO] * 5)
                parts = ((0, "realized_gross"), (1, "fees"), (2, "income"), (4, "total"))
                for at, part in parts[: 3 if unsure is None or name in unsure else 4]:
                    self.money_near(f"{group['grouping']} {name} {part}", told[at], row[min(at, 3)], len(days))

    # Comparing.

    def money_near(self, what, found, expected, times):
        """Each part of each day is rounded once."""
        close = abs(found - expected) <= num("0.000000002") * times
        self.case.same(what, found if not close else expected, expected)

    def figure(self, metric, expected):
        if isinstance(expected, str):
            self.case.same(f"{metric['id']} has no value", metric["value"], None)
            code = (metric["reason"] or "").split(":")[0]
            self.case.same(f"{metric['id']} reason", code, expected)
        elif expected is not None:
            self.near(metric["id"], metric["value"], expected)

    def near(self, what, found, expected):
        self.case.near(what, found, statistics.dec(expected))

    # What is due.

    def settle(self):
        """Whatever was due of the closes before must have come before the next ones; those of one step come together."""
        if self.told:
            self.missing()
        self.told = set()

    def missing(self):
        if self.measured:
            for key in sorted(self.due):
                self.case.same(f"a record of {key}", "missing", "there")
        self.due = {}

    def end(self):
        """Nothing is due, and the newest records say what is known at the end."""
        self.missing()
        self.dirty = {}
        for (portfolio, period, day), value in sorted(self.last.items()):
            now = value["policy_version"] and int(value["policy_version"]) == self.risk.policy_version(portfolio)
            if now and (period == "DAY" or day == max(self.closes[portfolio])):
                self.case.where = f"the last {period} of {portfolio} on {day}"
                self.judge(RISK if period == RISK else PERFORMANCE, value)
