"""A portfolio's story as input lines: each call is one line, at the moment that stands."""

import json
import random
from datetime import date, datetime, timedelta, timezone


class Story:
    """Lines in order. `at` moves the clock; everything that has no moment of its own happens then."""

    def __init__(self, start, portfolio="P", **policy):
        self.lines, self.entries, self.portfolio, self.version = [], 0, portfolio, 0
        self.at(start)
        self.opening = policy

    def at(self, moment):
        self.now = moment if moment.endswith("Z") else moment + "Z"
        return self

    def line(self, topic, value, **more):
        self.lines.append({"topic": topic, "timestamp": self.now, **more, "value": value})
        return self

    def policy(self, portfolio=None, base="USD", **fields):
        self.version += 1
        value = {"portfolio_id": portfolio or self.portfolio, "policy_version": self.version, "base_currency": base}
        return self.line("portfolio.policies.v1", {**value, **fields})

    def closed(self, portfolio=None):
        return self.line("portfolio.policies.v1", None, key=portfolio or self.portfolio)

    def instrument(self, name, kind="EQUITY", currency="USD", **facts):
        value = {"instrument_id": name, "type": kind, "currency": currency, "max_price_age_seconds": 86400000}
        return self.line("reference.instruments.v1", {**value, **facts})

    def tick(self, name, price, **fields):
        fields = fields if price is None else {"last": str(price), **fields}
        return self.line("marketdata.ticks.v1", {"instrument_id": name, **fields, "event_time": self.now})

    def cash(self, kind, amount, effective=None, portfolio=None, currency="USD", **fields):
        self.entries += 1
        value = {"source": "BANK", "entry_id": f"c{self.entries}", "portfolio_id": portfolio or self.portfolio, "kind": kind}
        value.update(currency=currency, amount=str(amount), effective_at=(effective or self.now))
        return self.line("treasury.cash.v1", {**value, **fields})

    def deposit(self, amount, **fields):
        return self.cash("DEPOSIT", amount, **fields)

    def withdraw(self, amount, **fields):
        return self.cash("WITHDRAWAL", amount, **fields)

    def fill(self, number, side, name, quantity, price, day=None, portfolio=None, currency="USD", **fields):
        value = {"source": "OMS", "exec_id": str(number), "trade_date": day or self.now[:10], "exec_type": "TRADE"}
        value.update(portfolio_id=portfolio or self.portfolio, instrument_id=name, side=side, quantity=str(quantity))
        value.update(price=str(price), currency=currency, transact_time=self.now)
        return self.line("execution.fills.v1", {**value, **fields})

    def buy(self, number, name, quantity, price, **fields):
        return self.fill(number, "BUY", name, quantity, price, **fields)

    def sell(self, number, name, quantity, price, **fields):
        return self.fill(number, "SELL", name, quantity, price, **fields)

    def action(self, kind, action, name, ex_date, **fields):
        value = {"action_id": action, "instrument_id": name, "status": "NEW", "kind": kind, "ex_date": ex_date}
        return self.line("reference.corporate-actions.v1", {**value, **fields})

    def official(self, name, day, price, currency="USD"):
        value = {"instrument_id": name, "date": day, "close": str(price), "currency": currency, "source": "EXCHANGE"}
        return self.line("marketdata.closes.v1", value)

    def text(self):
        return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in self.lines)


def weekdays(first, count):
    """Days from Monday to Friday, as text."""
    day, found = date.fromisoformat(first), []
    while len(found) < count:
        if day.isoweekday() <= 5:
            found.append(day.isoformat())
        day += timedelta(days=1)
    return found


def walk(seed, start, count, wild=0.02):
    """Prices that wander, with two decimals; a seed means the same for ever."""
    chance, price, found = random.Random(seed), float(start), []
    for _ in range(count):
        price *= 1 + chance.uniform(-wild, wild)
        found.append(f"{price:.2f}")
    return found


def after(moment, **more):
    """A moment later, as text."""
    when = datetime.fromisoformat(moment.replace("Z", "+00:00")) + timedelta(**more)
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
