"""One case: its input is followed line by line through the model, and each line of its output is held
against the state that the model had when the service wrote it."""

import copy
import uuid
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from .anomalies import Vigil, Vigils
from .bands import Bands, Watch, rules, setting
from .book import Book
from .closes import Closes, Days
from .cooldown import Cooldowns
from .costs import Costs
from .exact import half_even, micros, num, read, uuid5
from . import strategies, trades
from .market import Market
from .outside import compare
from .execution import Order as Executed
from .execution import check as check_execution
from .performance import PERFORMANCE, RISK, Performance
from .plan import Plan
from .preset import figures, resolved
from .schedule import Schedule, Turns
from .slices import Slices, count
from .splits import KINDS, Dividend, order, resplit, start
from .target_risk import Standing, newest
from .value import Valuation

ZERO = Fraction(0)
SOURCES = ("marketdata.ticks.v1", "reference.instruments.v1", "marketdata.status.v1", "reference.corporate-actions.v1", "marketdata.closes.v1")
FILLS, CASH, POLICIES = "execution.fills.v1", "treasury.cash.v1", "portfolio.policies.v1"
COMMANDS = "portfolio.commands.v1"
ACTIONS = "reference.corporate-actions.v1"


class World:
    """All that the model knows after some lines."""

    def __init__(self):
        self.market, self.books, self.policies, self.waiting = Market(), {}, {}, defaultdict(list)
        self.seen, self.now = {}, 0
        self.booked, self.commands = [], {}
        self.named = defaultdict(list)
        self.breaks = defaultdict(dict)
        self.quarantined = set()
        self.vigils = defaultdict(Vigil)
        # Records of risk that were read.
        self.heard = 0
        self.counted = {}


class Case:
    def __init__(self, folder, name):
        self.wrong, self.checks = [], 0
        self.input = [read(line) for line in (folder / f"{name}.in.jsonl").read_text().splitlines() if line.strip()]
        self.output = [read(line) for line in (folder / f"{name}.out.jsonl").read_text().splitlines()]
        self.where = ""

    def same(self, what, found, expected):
        self.checks += 1
        if found != expected:
            shown = expected if not isinstance(expected, Fraction) else float(expected)
            self.wrong.append(f"{self.where}: {what} is {found if not isinstance(found, Fraction) else float(found)}, the model has {shown}")

    def decimal(self, what, found, expected, scale=10):
        self.same(what, num(found), None if expected is None else half_even(expected, scale))

    def near(self, what, found, expected, least="1e-12"):
        """A figure of statistics: within 1e-9 of itself, and what its last decimals round off."""
        self.checks += 1
        if found is None or expected is None:
            fits = found is None and expected is None
        else:
            fits = abs(Decimal(str(found) if isinstance(found, str) else float(found)) - expected) <= abs(expected) * Decimal("1e-9") + Decimal(least)
        if not fits:
            self.wrong.append(f"{self.where}: {what} is {found}, the model has {expected if expected is None else float(expected)}")

    def check(self):
        self.follow()
        self.performance = Performance(self)
        self.last, self.started = {}, set()
        self.proposals, self.priced, self.orders, self.cycles = {}, {}, defaultdict(dict), Counter()
        self.latched, self.proposed, self.sent, self.triggers, self.costs = {}, defaultdict(dict), {}, {}, {}
        self.over = set()
        self.approved, self.sizes, self.pieces, self.slices, self.executed = set(), {}, {}, defaultdict(Slices), defaultdict(list)
        versions, ledgers, closes, cooldowns = Counter(), Counter(), Closes(self), Cooldowns(self)
        for number, record in enumerate(self.output, 1):
            topic, value = record["topic"], record["value"]
            self.where = f"output line {number} ({topic})"
            self.at = micros(record["timestamp"]) if record.get("timestamp") else 0
            if topic == "portfolio.snapshots.v1":
                versions[value["portfolio_id"]] += 1
                self.same("version", int(value["version"]), versions[value["portfolio_id"]])
                self.snapshot(value)
            elif topic == "portfolio.drift.v1":
                self.drift(value)
            elif topic == "portfolio.ledger.v1":
                ledgers[value["portfolio_id"]] += 1
                self.same("version", int(value["version"]), ledgers[value["portfolio_id"]])
                self.ledger(value)
            elif topic == "portfolio.closes.v1":
                closes.check(value)
            elif topic in (PERFORMANCE, RISK):
                self.performance.told.add(topic)
                self.performance.record(topic, value)
            elif topic == "rebalance.events.v1":
                self.rebalance(value)
                cooldowns.check(value)
            elif topic == "rebalance.orders.v1":
                self.wave(value)
            elif not topic.endswith(".dlq") and topic != "ballast.refresh.v1":
                self.wrong.append(f"{self.where}: the model knows no such topic")
        self.where = "the whole output"
        self.spoken()
        self.balance()
        closes.end()
        self.performance.end()
        cooldowns.end()

    # Following the input.

    def follow(self):
        self.refused = {(r["value"]["topic"], int(r["value"]["offset"])) for r in self.output if r["topic"].endswith(".dlq") and "offset" in r["value"] and r["value"]["code"] != "DISCARDED"}
        unread = {int(r["value"]["line"]) for r in self.output if r["topic"].endswith(".dlq") and "offset" not in r["value"]}
        world, self.places, self.states = World(), defaultdict(list), []
        self.risks = [(micros(r["timestamp"]), r["value"]) for r in self.output if r["topic"] == RISK]
        self.watches, self.said = defaultdict(Watch), defaultdict(list)
        self.turns, self.days = defaultdict(Turns), Days()
        for index, record in enumerate(self.input):
            if record.get("timestamp"):
                before, world.now = world.now, max(world.now, micros(record["timestamp"]))
                world.market.now = world.now
                Vigils.pass_to(world, before, world.now)
                self.days.pass_to(world.policies, before, world.now, self.states[-1].market if self.states else None)
                self.begin(world)
            for turns in self.turns.values():
                turns.pass_to(world.now)
            if index + 1 not in unread:
                counted = self.take(world, record)
                topic = "frames" if record["topic"] in SOURCES else record["topic"]
                if counted is not False:
                    # A late tick makes no frame.
                    self.places[topic].append(index)
            Vigils.look(world, self.watches)
            self.look(world)
            # What a close has come to is read at once, and bands lie around other targets then.
            heard, world.heard = world.heard, sum(at <= world.now for at, _ in self.risks)
            if heard != world.heard:
                self.look(world)
            self.states.append(copy.deepcopy(world))

    def take(self, world, record):
        topic, value = record["topic"], record["value"]
        offset = sum(1 for other in self.places["all"] if other == topic)
        self.places["all"].append(topic)
        if (topic, offset) in self.refused:
            if topic in (FILLS, CASH) and isinstance(value, dict):
                world.quarantined.add(value.get("portfolio_id"))
            if topic in (FILLS, CASH) and not (isinstance(value, dict) and value.get("portfolio_id") in world.policies):
                world.waiting[None].append((topic, offset))
            return
        if topic == "marketdata.ticks.v1":
            if not world.market.tick(value):
                return False
        elif topic == "reference.instruments.v1":
            world.market.describe(value)
        elif topic == "marketdata.status.v1":
            world.market.report(value)
        elif topic == ACTIONS:
            self.action(world, value, len(self.places["frames"]))
        elif topic == POLICIES:
            self.policy(world, record)
        elif topic in (FILLS, CASH):
            self.bookable(world, topic, offset, value)
        elif topic == COMMANDS and value["kind"] == "DISCARD":
            self.discard(world, value)
        elif topic == COMMANDS and value["kind"] == "RECONCILE" and not value.get("orders") and value["portfolio_id"] in world.books:
            portfolio = value["portfolio_id"]
            book, policy = world.books[portfolio], world.policies[portfolio]
            world.breaks[portfolio] = compare(value, book, world.market, policy, world.breaks[portfolio])
        elif topic == COMMANDS and value["kind"] == "RELEASE":
            self.release(world, value["portfolio_id"])
        for portfolio in list(world.waiting):
            queue, world.waiting[portfolio] = world.waiting[portfolio], []
            for waiting in queue:
                self.attempt(world, portfolio, waiting)

    @staticmethod
    def release(world, portfolio):
        """A quarantine, else breaks, else figures beyond their bounds."""
        if portfolio in world.quarantined:
            world.quarantined.discard(portfolio)
        elif any(world.breaks[portfolio].values()):
            world.breaks[portfolio] = {}
        elif world.policies.get(portfolio):
            world.vigils[portfolio].accept(world, portfolio, world.policies[portfolio])

    def action(self, world, value, frame):
        """A split is announced, amended or withdrawn; in effect it is at once where its day has begun."""
        name, action = value["instrument_id"], value["action_id"]
        if world.market.actions.setdefault(action, name) != name:
            return
        known = world.market.announced.get(action) or next((s for s in world.market.splits.get(name, []) if s.action == action), None)
        now = KINDS[value["kind"]](value, frame) if value["status"] == "NEW" else None
        if now is None:
            world.market.actions.pop(action)
        if now and known and known.same(now):
            return
        world.market.announced.pop(action, None)
        before = world.market.splits.get(name, [])
        world.market.splits[name] = [split for split in before if split.action != action]
        if now:
            world.market.announced[action] = now
        withdrawn = len(before) != len(world.market.splits[name])
        self.begin(world, action if withdrawn else None)
        if withdrawn and not any(split.action == action for split in world.market.splits[name]):
            known.frame = frame
            self.follow_split(world, known, "CANCEL")

    def begin(self, world, corrected=None):
        """Puts splits into effect whose day has begun at the venue."""
        due = []
        for split in world.market.announced.values():
            split.start = start(split.ex_date, world.market.facts.get(split.name, {}).get("venue"))
            due += [split] if split.start <= world.now else []
        for split in sorted(due, key=lambda split: (split.name, order(split))):
            del world.market.announced[split.action]
            world.market.splits.setdefault(split.name, []).append(split)
            kind = "DIVIDEND" if isinstance(split, Dividend) else "SPLIT"
            self.follow_split(world, split, "CORRECT" if split.action == corrected else kind)
        for name, own in world.market.splits.items():
            for at, dividend in enumerate(own):
                if isinstance(dividend, Dividend) and not dividend.paid:
                    if start(dividend.pay_date, world.market.facts.get(name, {}).get("venue")) <= world.now:
                        own[at] = copy.copy(dividend)
                        own[at].paid = True
                        self.follow_split(world, own[at], "CASH_DIVIDEND")

    def follow_split(self, world, split, kind):
        world.market.resplit(split.name)
        every = [split for own in world.market.splits.values() for split in own]
        for book in world.books.values():
            self.resplit(world, book, every, split, kind)

    @staticmethod
    def resplit(world, book, every, split, kind):
        told = resplit(book, every, split, kind, world.market)
        moved = [amount for part in told["parts"].values() for amount in part] if told else []
        if told and any([told["quantity_change"], told["realized_gross"], told["income"], *told["cash"].values(), *moved]):
            world.booked.append(("ballast.frames.v1", split.frame, {**told, "action": split.action}))

    def policy(self, world, record):
        portfolio = record["value"]["portfolio_id"] if record["value"] else record["key"]
        for shadow in (False, True):
            laid = record["value"] and (not shadow or record["value"].get("shadow")) and rules(record["value"], shadow)
            schedule = Schedule(laid, laid.get("trigger") or {}) if laid else None
            self.turns[portfolio, shadow].follow(schedule, world.now)
        if record["value"] is None:
            world.policies[record["key"]] = {}
            self.watches[record["key"], True].close()
            return
        portfolio = record["value"]["portfolio_id"]
        if world.policies.get(portfolio) != resolved(record["value"]):
            self.watches[portfolio, False].follow()
            second = self.watches[portfolio, True]
            second.follow() if record["value"].get("shadow") else second.close()
        named = lambda policy: (policy.get("time_zone") or "UTC", policy.get("day_cut") or "00:00")
        if named(world.policies.get(portfolio) or {}) != named(record["value"]):
            world.vigils[portfolio] = Vigil()
        world.policies[portfolio] = resolved(record["value"])
        method = setting(record["value"], "book", "cost_method", "AVERAGE")
        book = world.books.setdefault(portfolio, Book(record["value"]["base_currency"], method))
        if book.log:
            self.same("cost method once something is booked", method, book.method)
        book.method = method
        book.cash_policy = setting(record["value"], "book", "dividends", "ACTIONS") == "CASH"
        book.splits = book.splits or [split for own in world.market.splits.values() for split in own]

    def bookable(self, world, topic, offset, value):
        key = (topic, value["source"], value.get("trade_date"), value.get("exec_id") or value.get("entry_id"), value["portfolio_id"])
        if key in world.seen:
            world.booked.append((topic, offset, None))
            return
        world.seen[key] = offset
        world.waiting[value["portfolio_id"]].append((topic, offset, value))

    def discard(self, world, command):
        """Takes a record out of where it waits; its id was never booked and may come again."""
        place = (command["dead_letter"]["topic"], int(command["dead_letter"]["offset"]))
        for queues in (world.waiting, world.named):
            queue = queues[command["portfolio_id"]]
            queues[command["portfolio_id"]] = [waiting for waiting in queue if waiting[:2] != place]
        world.seen = {key: offset for key, offset in world.seen.items() if (key[0], offset) != place}

    def attempt(self, world, portfolio, waiting):
        if portfolio is None:
            return
        topic, offset, value = waiting
        if value.get("exec_type") in ("CANCEL", "CORRECT") or value.get("reverses"):
            return self.amend(world, portfolio, waiting)
        ready = not world.waiting[portfolio] and portfolio in world.books
        if topic == FILLS or value.get("instrument_id") and value["kind"] not in ("DEPOSIT", "WITHDRAWAL"):
            ready = ready and value["instrument_id"] in world.market.facts
        book = world.books.get(portfolio)
        told, said = None, book.by_entries if book else {}
        if ready and value.get("action_id") and value["kind"] == "DIVIDEND":
            action, name = value["action_id"], (value["source"], value["entry_id"])
            known = self.follows(world, book, action)
            if not known or book.pays_by_entries(action):
                # It says what the dividend comes to, whose action books nothing while it stands.
                said = {**book.by_entries, action: book.by_entries.get(action, frozenset()) | {name}}
            elif not book.cash_policy:
                # Its action has booked it.
                world.booked.append((topic, offset, None))
                book.dropped.add(name)
                self.retry_named(world, portfolio)
                return
            if known and book.cash_policy:
                owed = {key: amount for key, amount in book.owed_of(action).items() if amount}
                value = {**value, "settles": owed}
        if ready:
            tried = copy.deepcopy(book)
            tried.by_entries = said
            told = tried.book(value, world.market)
        if told is None:
            world.waiting[portfolio].append(waiting)
            return
        world.books[portfolio] = tried
        world.booked.append((topic, offset, told))
        self.retry_named(world, portfolio)

    @staticmethod
    def follows(world, book, action):
        """Whether an action is in effect on an instrument of which something was booked: what entries are of alone follows none."""
        name = next((split.name for own in world.market.splits.values() for split in own if split.action == action), None)
        moves = lambda value: "exec_id" in value or value["kind"].startswith("TRANSFER")
        return name is not None and any(value.get("instrument_id") == name and moves(value) for value, *_ in book.log)

    def amend(self, world, portfolio, waiting):
        """A cancel, a correction or a reversal; one that names what has not come waits apart."""
        topic, offset, value = waiting
        book = world.books.get(portfolio)
        if book and (value["source"], value.get("reverses")) in book.dropped:
            # What booked nothing is taken back by nothing.
            world.booked.append((topic, offset, None))
            return
        place = book.knows(value) if book else None
        if place is None:
            world.named[portfolio].append(waiting)
            return
        tried = copy.deepcopy(book)
        world.booked.append((topic, offset, tried.amend(value, place, world.market)))
        world.books[portfolio] = tried
        if topic != FILLS:
            self.unsay(world, tried, (value["source"], value["reverses"]))
        self.retry_named(world, portfolio)

    def unsay(self, world, book, name):
        """An entry that said a dividend is taken back: where none is left that says it, its action books it, and pays it."""
        action = next((action for action, names in book.by_entries.items() if name in names), None)
        if action is None:
            return
        left = book.by_entries[action] - {name}
        book.by_entries = {**{other: names for other, names in book.by_entries.items() if other != action}, **({action: left} if left else {})}
        every = [split for own in world.market.splits.values() for split in own]
        dividend = next((split for split in every if split.action == action), None)
        if left or dividend is None:
            return
        book.splits = [split for split in book.splits if split.action != action]
        for paid, kind in ((False, "DIVIDEND"), (True, "CASH_DIVIDEND"))[: 1 + dividend.paid]:
            stands = copy.copy(dividend)
            stands.paid = paid
            self.resplit(world, book, [stands if split is dividend else split for split in every], stands, kind)

    def retry_named(self, world, portfolio):
        for waiting in sorted(world.named[portfolio], key=lambda waiting: waiting[1]):
            book, value = world.books[portfolio], waiting[2]
            if book.knows(value) is not None or (value["source"], value.get("reverses")) in book.dropped:
                world.named[portfolio].remove(waiting)
                self.amend(world, portfolio, waiting)
                return

    def look(self, world):
        for (portfolio, shadow), turns in self.turns.items():
            policy = world.policies.get(portfolio)
            if turns.open is not None and policy and self.none_open(world, portfolio, rules(policy, shadow)):
                turns.closed(world.now)
        for portfolio, policy in world.policies.items():
            if not policy:
                self.watches[portfolio, False].open = None
            for shadow in (False, True)[: 1 + bool(policy.get("shadow"))] if policy else ():
                laid, standing = self.weighed(world, portfolio, rules(policy, shadow), world.now, world.heard)
                if standing.suffices and not shadow:
                    world.counted[portfolio, world.heard] = standing.record
                self.watch(world, portfolio, laid, self.watches[portfolio, shadow], self.said[portfolio, shadow])

    @staticmethod
    def watch(world, portfolio, policy, watch, said):
        if not policy.get("targets") and not num(setting(policy, "trigger", "cash_band", None)):
            return
        valuation = Valuation(world.books[portfolio], world.market, policy, world.now)
        bands = Bands(policy, valuation, world.market) if valuation.equity > 0 else None
        rearm = num(setting(policy, "trigger", "rearm_seconds", "3600"))
        event = watch.look(bands, valuation.fit, valuation.equity, world.now, rearm)
        if event:
            said.append(event)

    @staticmethod
    def none_open(world, portfolio, policy):
        lines = Valuation(world.books[portfolio], world.market, policy, world.now).lines
        unknown = "CLOSED" if setting(policy, "orders", "require_market_status", False) in (True, "true") else "OPEN"
        states = [world.market.state(name) for name in lines]
        return bool(states) and all({"OPEN": "OPEN", "UNKNOWN": unknown}.get(state, "CLOSED") == "CLOSED" for state in states)

    def weighed(self, world, portfolio, policy, now, heard):
        """The policy with its targets scaled to the risk, and how that stands, after so many records of risk."""
        if policy.get("target_risk") is None:
            return policy, Standing(policy, None, None, None, None, now)
        record = newest([value for _, value in self.risks[:heard]], portfolio)
        # Of then: the state is that after the last line, and what a close has come to is read behind it.
        counted = next((world.counted[portfolio, at] for at in range(heard, -1, -1) if (portfolio, at) in world.counted), None)
        valuation = Valuation(world.books[portfolio], world.market, policy, now)
        standing = Standing(policy, record, counted, valuation, world.market, now)
        return standing.laid(policy), standing

    def state(self, offsets):
        """The model after the last line that the record contains."""
        last = -1
        for entry in offsets:
            topic = "frames" if entry["topic"] == "ballast.frames.v1" else entry["topic"]
            places = self.places.get(topic, [])
            read_to = int(entry["offset"])
            if 0 < read_to <= len(places):
                last = max(last, places[read_to - 1])
        return self.states[last] if last >= 0 else None

    def valued(self, value):
        world = self.state(value["input_offsets"])
        book = world.books[value["portfolio_id"]]
        policy = world.policies[value["portfolio_id"]]
        now = micros(value["as_of"])
        if policy:
            heard = next((int(e["offset"]) for e in value["input_offsets"] if e["topic"] == RISK), 0)
            policy, self.standing = self.weighed(world, value["portfolio_id"], rules(policy, value.get("shadow")), now, heard)
        return world, book, policy, Valuation(book, world.market, policy, now)

    # Records of the position-keeper.

    def ledger(self, value):
        final = self.states[-1]
        for entry in value["entries"]:
            topic, offset = entry["cause"]["topic"], int(entry["cause"]["offset"])
            # An action is told of by one frame and books more than once.
            fits = lambda t: topic != "ballast.frames.v1" or entry["kind"] in (t["kind"], "RESTATE")
            told = next((t for a, b, t in final.booked if (a, b) == (topic, offset) and t and fits(t)), None)
            if told is None:
                self.wrong.append(f"{self.where}: {topic}@{offset} is booked, and the model did not book it")
                continue
            told = told["restate"] if entry["kind"] == "RESTATE" and "restate" in told else told
            self.performance.booked(value["portfolio_id"], entry, told, self.at)
            self.same("kind", entry["kind"], told["kind"])
            cash = {leg["currency"]: num(leg["amount"]) for leg in entry["cash"]}
            self.same("cash", cash, {c: half_even(a, 10) for c, a in told["cash"].items() if a})
            self.decimal("external_flow", entry["external_flow"], told["external_flow"])
            self.decimal("realized_gross", entry["realized_gross"], told.get("realized_gross", ZERO))
            self.same("closed_trades", trades.told(entry), trades.rows(told.get("closed", {})))
            self.decimal("quantity_change", entry["quantity_change"], told.get("quantity_change", ZERO), 8)
            if told["fx_rate"] is not None:
                self.decimal("fx_rate", entry["fx_rate"], told["fx_rate"], 12)
            if "income" in told:
                self.decimal("income", entry["income"], told["income"])
            if "price" in told:
                self.decimal("price", entry["price"], told["price"])
            self.parts(entry, told)
        causes = [(e["cause"]["topic"], int(e["cause"]["offset"]), e["kind"]) for e in value["entries"] if e["kind"] != "RESTATE"]
        caused = lambda told, cause: told[2] and told[:2] == cause[:2] and (cause[0] != "ballast.frames.v1" or told[2]["kind"] == cause[2])
        world = next((s for s in self.states if all(any(caused(told, c) for told in s.booked) for c in causes)), None)
        if world is None:
            return
        book = world.books[value["portfolio_id"]]
        self.same("cash balances", {c["currency"]: num(c["amount"]) for c in value["cash"]}, {c: half_even(a, 10) for c, a in book.cash.items()})
        for state in value["positions"]:
            self.position(state, book, world)

    def parts(self, entry, told):
        """Whose an entry is: without a list, all of it is its strategy's."""
        self.same("strategy", entry["strategy"], told.get("strategy") if entry["kind"] != "RESTATE" else None)
        rounded = {who: [half_even(part[0], 8), *(half_even(amount, 10) for amount in part[1:])] for who, part in told["parts"].items()}
        expected = {who: part for who, part in rounded.items() if any(part)}
        found = {}
        for part in entry.get("by_strategy", []):
            who = strategies.RESIDUAL if part["residual"] else part["strategy"]
            found[who] = [num(part[name]) for name in ("quantity_change", "realized_gross", "fees", "income", "proceeds")]
        if found:
            self.same("by_strategy", found, expected)
        else:
            self.same("all is its strategy's", set(expected) <= {entry["strategy"]}, True)
        self.in_base(entry, [half_even(sum(part[at] for part in told["parts"].values()), 10) for at in range(1, 5)])

    def in_base(self, entry, whole):
        """What it all comes to in base, told where its own amounts do not say it."""
        amounts = lambda field: sum((num(leg["amount"]) for leg in entry[field]), ZERO)
        own = [num(entry["realized_gross"]), amounts("fees"), num(entry["income"]), amounts("cash") - num(entry["external_flow"])]
        told = entry.get("in_base")
        found = [num(told[of]) for of in ("realized_gross", "fees", "income", "proceeds")] if told else own
        self.same("in base", found, whole)
        several = len({leg["currency"] for leg in entry["cash"] + entry["fees"]}) > 1
        abroad = several or entry["fx_rate"] is not None and num(entry["fx_rate"]) != 1
        self.same("it is told where its own amounts do not say it", told is not None, abroad or whole != own)

    def strategies(self, value, book, at, market):
        rows = strategies.Rows(book, at, market).rows
        found = {(row["instrument_id"], strategies.RESIDUAL if row["residual"] else row["strategy"]): row for row in value.get("strategies", [])}
        self.same("rows of strategies", list(found), list(rows))
        for key, row in found.items():
            if key in rows:
                units, average, shown = rows[key]
                average = None if average is None else half_even(average, 10)
                self.same(f"strategy {key}", strategies.told(row), (units, average, shown))
                net = shown[2] - shown[3] + shown[4]
                self.same(f"strategy {key} net and gain", (num(row["realized_net"]), num(row["unrealized"])), (net, shown[1] - shown[0]))

    def position(self, state, book, world):
        name = state["instrument_id"]
        position = book.positions[name]
        self.decimal(f"{name} quantity", state["quantity"], position.quantity, 8)
        self.decimal(f"{name} cost", state["cost"], position.cost)
        average = position.cost / position.quantity / world.market.multiplier(name) if position.quantity else None
        self.decimal(f"{name} average_price", state["average_price"], average)
        self.decimal(f"{name} realized_gross", state["realized_gross"], position.realized)
        self.same(f"{name} fees", {f["currency"]: num(f["amount"]) for f in state["fees"]}, {c: half_even(a, 10) for c, a in position.fees.items()})
        self.decimal(f"{name} income", state["income"], position.income)
        self.decimal(f"{name} realized_net", state["realized_net"], position.realized - position.fees_local + position.income)
        lots = [(lot["exec_id"], lot["trade_date"], num(lot["quantity"]), num(lot["cost"])) for lot in state["lots"]]
        self.same(f"{name} lots", lots, [(*lot.opener, lot.quantity, half_even(lot.cost, 10)) for lot in position.lots])
        self.decimal(f"{name} cycle_realized_gross", state["cycle_realized_gross"], position.cycle["realized"])
        self.decimal(f"{name} cycle_fees", state["cycle_fees"], position.cycle["fees"])
        self.decimal(f"{name} cycle_income", state["cycle_income"], position.cycle["income"])

    def snapshot(self, value):
        world, book, policy, at = self.valued(value)
        if not at.pairs_fit:
            return
        self.decimal("total_value", value["total_value"], at.equity)
        self.decimal("cash_value", value["cash_value"], at.cash)
        reserve = num(setting(policy, "orders", "cash_reserve", "0")) * max(at.equity, ZERO)
        self.decimal("available_cash", value["available_cash"], at.spendable - reserve)
        self.same("settled cash", {c["currency"]: num(c["settled"]) for c in value["cash"]}, {c: half_even(a, 10) for c, a in at.settled.items()})
        self.same("cash", {c["currency"]: num(c["trade_date"]) for c in value["cash"]}, {c: half_even(a, 10) for c, a in book.cash.items()})
        owed = {r["currency"]: num(r["amount"]) for r in value["receivables"]}
        self.same("receivables", owed, {c: half_even(a, 10) for c, a in book.owed.items() if a})
        held = {a["instrument_id"]: a for a in value["allocations"]}
        self.same("symbols", {n: a["symbol"] for n, a in held.items()}, {n: world.market.symbol(n) for n in held})
        self.same("instruments", {n for n, a in held.items() if num(a["quantity"]) or a["target_weight"] is not None}, set(at.lines))
        for name, line in at.lines.items():
            self.allocation(held.get(name, {}), name, line, at, book, policy)
        values = [num(a["value"]) for a in value["allocations"]]
        self.same("order of allocations", values, sorted(values, key=lambda v: -abs(v)))
        self.metrics(value, book, at)
        self.strategies(value, book, at, world.market)
        self.same("unpriced", [n for n in value["health"]["unpriced"] if "/" not in n], at.unpriced)
        self.same("stale", [n for n in value["health"]["stale"] if "/" not in n], at.stale)
        health = value["health"]
        self.broken(health, world.breaks[value["portfolio_id"]])
        self.beyond(health, world, value["portfolio_id"])
        self.same("complete", health["complete"], not (health["unpriced"] or health["stale"] or int(health["waiting"])))
        self.same("waiting", int(value["health"]["waiting"]), len(world.waiting[value["portfolio_id"]]) + len(world.named[value["portfolio_id"]]))

    def broken(self, health, breaks):
        for kind, field, key in (("positions", "position_breaks", "instrument_id"), ("cash", "cash_breaks", "currency")):
            told = [(b[key], num(b["ours"]), num(b["outside"])) for b in health[field]]
            self.same(field, told, breaks.get(kind, []))
        if any(breaks.values()):
            self.same("unreconciled", health["unreconciled"], True)

    def beyond(self, health, world, portfolio):
        """Figures beyond their bounds, and that nothing else is one."""
        told = sorted((a["kind"], a["instrument_id"] or "", num(a["value"]), num(a["bound"])) for a in health["anomalies"])
        self.same("anomalies", told, Vigils.told(world, portfolio, world.policies.get(portfolio)))

    def allocation(self, found, name, line, at, book, policy):
        if not found:
            return
        self.decimal(f"{name} quantity", found["quantity"], line.held, 8)
        self.decimal(f"{name} average_price", found["average_price"], line.average)
        self.decimal(f"{name} price", found["price"], line.price)
        if line.price is not None:
            self.same(f"{name} price_time", micros(found["price_time"]), line.price_time)
        self.decimal(f"{name} value", found["value"], line.worth)
        target = next((num(t["target_weight"]) for t in policy.get("targets", []) if t.get("instrument_id") == name), None)
        if at.equity > 0 and line.priced:
            self.decimal(f"{name} percentage", found["percentage"], line.notional / at.equity * 100)
            if target is not None:
                self.decimal(f"{name} drift", found["drift"], line.notional / at.equity - target, 12)
        self.decimal(f"{name} unrealized", found["unrealized"], at.unrealized(line, book))
        if line.position:
            self.decimal(f"{name} realized", found["realized"], line.position.net_base)

    def metrics(self, value, book, at):
        metrics, sums = value["metrics"], book.sums
        unrealized = sum((at.unrealized(line, book) for line in at.lines.values()), ZERO)
        if at.unpriced:
            # What has no price counts nothing: its cost stands as a loss until it has one.
            unrealized = at.equity - sums["net_flows"] - book.net() - (at.cash - book.book_cash) - (at.owed - book.book_owed) + sums["transferred"]
        exact = {"unrealized": unrealized, "fx_cash": at.cash - book.book_cash + at.owed - book.book_owed, **sums}
        for name, told in self.published(exact, at.equity).items():
            self.same(name, num(metrics[name]), told)
        if at.unpriced:
            return
        parts = book.net() + unrealized + at.cash - book.book_cash + at.owed - book.book_owed - sums["transferred"]
        self.same("total_pnl by parts", parts, at.equity - sums["net_flows"])
        worth = [line.worth for line in at.lines.values()]
        gross = sum((abs(v) for v in worth), ZERO)
        self.decimal("exposure.long", value["exposure"]["long"], sum((self.exposed(l) for l in at.lines.values() if self.exposed(l) > 0), ZERO))
        if at.equity > 0 and all(line.kind != "FUTURE" for line in at.lines.values()):
            self.decimal("exposure.gross", value["exposure"]["gross"], gross / at.equity, 12)
            self.decimal("exposure.net", value["exposure"]["net"], sum(worth, ZERO) / at.equity, 12)
            if gross:
                hhi = sum((v * v for v in worth), ZERO) / gross / gross
                self.decimal("hhi", value["concentration"]["hhi"], hhi, 12)
                self.decimal("effective_number", value["concentration"]["effective_number"], 1 / hhi, 12)

    @staticmethod
    def published(exact, equity):
        """Each figure rounded; what the parts then lack of equity less flows is carried by the first that is not zero."""
        told = {name: half_even(value, 10) for name, value in exact.items()}
        told["total_pnl"] = half_even(equity, 10) - told["net_flows"]
        net = lambda: told["realized_gross"] - told["fees"] + told["income"]
        rest = told["total_pnl"] - net() - told["unrealized"] - told["fx_cash"] + told["transferred"]
        for name in ("unrealized", "fx_cash", "realized_gross", "income", "fees", "transferred"):
            if exact[name]:
                told[name] += -rest if name in ("fees", "transferred") else rest
                break
        told["realized_net"] = net()
        return told

    @staticmethod
    def exposed(line):
        return line.notional

    def drift(self, value):
        world, book, policy, at = self.valued(value)
        self.last[value["portfolio_id"], value["shadow"]] = value
        self.broken(value["health"], world.breaks[value["portfolio_id"]])
        self.beyond(value["health"], world, value["portfolio_id"])
        if value["policy"] is None or not at.pairs_fit:
            return
        self.same("figures of the policy", figures(value["policy"]), figures(world.policies[value["portfolio_id"]]))
        self.standing.check(self, value.get("risk"))
        self.decimal("equity", value["equity"], at.equity)
        self.same("instruments", [l["instrument_id"] for l in value["lines"]], sorted(at.lines))
        if at.equity <= 0:
            return
        bands = Bands(policy, at, world.market)
        for line in value["lines"]:
            name = line["instrument_id"]
            bound, own = bands.lines[name], at.lines[name]
            if not own.priced:
                continue
            self.decimal(f"{name} weight", line["weight"], bound.weight, 12)
            self.decimal(f"{name} drift", line["drift"], bound.drift, 12)
            self.decimal(f"{name} target", line["target"], bound.target, 12)
            self.decimal(f"{name} lower", line["lower"], bound.lower, 12)
            self.decimal(f"{name} upper", line["upper"], bound.upper, 12)
            world.market.now = micros(value["as_of"])
            self.same(f"{name} market_status", line["market_status"], world.market.state(name))
            self.same(f"{name} breached", line["breached"], bool(policy.get("targets")) and bands.out(name))
            self.decimal(f"{name} quantity", line["quantity"], own.held, 8)
            self.decimal(f"{name} value", line["value"], own.worth)
            self.decimal(f"{name} fx_rate", line["fx_rate"], own.rate, 12)
            self.same(f"{name} bid and ask", (num(line["bid"]), num(line["ask"])), own.quote or (None, None))
        if not at.unpriced:
            self.decimal("max_abs_drift", value["max_abs_drift"], bands.extent(), 12)
            drifts = [bound.drift for bound in bands.lines.values()] + [at.cash / at.equity - bands.cash_target]
            self.decimal("half_sum_abs_drift", value["half_sum_abs_drift"], sum(map(abs, drifts)) / 2, 12)
        executed = {o["order_id"]: num(o["executed_quantity"]) for o in value["recent_orders"]}
        # Of an order whose executions were taken back the book says that nothing is left of them.
        nothing = {order: ZERO for order, quantity in executed.items() if not quantity}
        self.same("recent orders", executed, {**nothing, **book.executed})

    def spoken(self):
        """Which drift events were said without being asked for, in order."""
        found = defaultdict(list)
        for record in self.output:
            if record["topic"] == "portfolio.drift.v1" and record["value"]["event"] != "REQUESTED":
                found[record["value"]["portfolio_id"], record["value"]["shadow"]].append(record["value"]["event"])
        turns, lacking = defaultdict(list), {}
        for record in self.output:
            value = record["value"]
            if record["topic"] == "portfolio.drift.v1" and value["cause"] == "SCHEDULE":
                of, turn = (value["portfolio_id"], value["shadow"]), value["cause_id"]
                lacks = bool(value["health"]["unpriced"] or value["health"]["stale"])
                # Told on a book that lacked a price, a turn is told once more when it lacks none.
                if lacking.get(of) == turn and not lacks:
                    lacking[of] = None
                else:
                    turns[of].append(turn)
                    lacking[of] = turn if lacks else None
        for of in set(turns) | set(self.turns):
            self.same(f"turns of {of[0]}'s schedule{' by its shadow' if of[1] else ''}", turns[of], self.turns[of].taken)
        for of in set(found) | set(self.said):
            self.same(f"drift events of {of[0]}{' by its shadow' if of[1] else ''}", found[of], self.said[of])

    # Records of the rebalancer.

    def plan_for(self, value, given=None, raised=None, parts=False):
        drift = self.last[value["portfolio_id"], value.get("shadow", False)]
        world, _, policy, at = self.valued(drift)
        manual = value["trigger"] in ("MANUAL", "SCHEDULED") if "trigger" in value else False
        halted = self.halted(world, drift)
        released = sum(self.proposed[value["portfolio_id"]].values(), ZERO) if drift["shadow"] else self.released(value["portfolio_id"])
        recent = 0 if drift["shadow"] else self.of_a_minute(value["portfolio_id"])
        return Plan(
            policy, at, world.market, manual, given, halted, released, recent, raised, parts, weighs=value.get("trigger") != "MANUAL"
        ), drift

    def halted(self, world, drift):
        """Instruments under a halt when the drift event was written."""
        halted = set()
        for record, state in zip(self.input, self.states):
            value = record["value"]
            if record["topic"] == "portfolio.commands.v1" and value.get("scope") == "INSTRUMENT" and state.now <= micros(drift["as_of"]):
                (halted.add if value["kind"] == "HALT" else halted.discard)(value["target"])
        return halted

    def released(self, portfolio):
        """What was released since the day cut."""
        cut = self.day_cut(portfolio)
        return sum((num(o["expected_value"]) for o in self.orders[portfolio].values() if self.sent[o["order_id"]] >= cut), ZERO)

    def of_a_minute(self, portfolio):
        return sum(self.sent[order_id] > self.at - 60_000_000 for order_id in self.orders[portfolio])

    def day_cut(self, portfolio):
        policy = self.last[portfolio, False]["policy"]
        zone = ZoneInfo(policy.get("time_zone") or "UTC")
        hour, minute = (int(part) for part in (policy.get("day_cut") or "00:00").split(":")[:2])
        now = datetime.fromtimestamp(self.at // 1_000_000, zone)
        cut = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
        return int((cut if cut <= now else cut - timedelta(days=1)).timestamp()) * 1_000_000

    def rebalance(self, value):
        status, portfolio = value["status"], value["portfolio_id"]
        planned = status in ("PENDING_APPROVAL", "PROPOSED", "NO_ACTION_NEEDED") or (status == "RELEASED" and value["rebalance_id"] not in self.proposals and value["explanation"])
        if status in ("RELEASED", "PENDING_APPROVAL"):
            self.own_id(value)
        said = self.last.get((portfolio, value["shadow"]))
        if planned and said:
            self.same("nothing is planned on figures beyond their bounds", said["health"]["anomalies"], [])
        # A first approval of two repeats the proposal that waits; everything else was planned anew.
        repeated = status == "PENDING_APPROVAL" and value["command_id"] is not None and value["rebalance_id"] in self.proposals
        edit = self.command(value["command_id"], "EDIT")
        if edit:
            self.edited(value, edit)
        elif planned and value["explanation"] and not repeated:
            self.proposal(value)
        if status == "APPROVED":
            self.approved.add(value["rebalance_id"])
        # An answer to a person plans nothing.
        if status == "RELEASED" and value["old_allocations"] and not value["orders"] and self.rests(value["rebalance_id"]):
            self.sliced(value, [])
        if status in ("COMPLETED", "FAILED") and value["rebalance_id"] in self.over:
            # What is said of one that has ended tells no execution again.
            self.same("execution of one that has ended", value["execution"], None)
        elif status in ("COMPLETED", "FAILED"):
            self.over.add(value["rebalance_id"])
            self.ended(value)
            self.executions(value)
        if value["shadow"]:
            self.of_shadow(value)
        else:
            self.limit_met(value)

    def command(self, command_id, kind):
        commands = (r["value"] for r in self.input if r["topic"] == COMMANDS and r["value"].get("kind") == kind)
        return next((command for command in commands if command["command_id"] == command_id), None)

    def edited(self, value, command):
        """A person's quantities become the proposal as they were written, or nothing changes."""
        rebalance = command["rebalance_id"]
        before = self.proposals.get(rebalance, [])
        written = {order["instrument_id"]: num(order["quantity"]) for order in command["orders"]}
        sign = lambda side: 1 if side == "BUY" else -1
        after = {name: sign(side) * written.get(name, units) for name, side, units in before if written.get(name, units)}
        was = {name: sign(side) * units for name, side, units in before}
        raised = {name for name in after if abs(after[name]) > abs(was[name])}
        changed = {name for name in was if after.get(name, ZERO) != was[name]}
        ended = rebalance in self.started or rebalance not in self.proposals
        if value["status"] == "REFUSED":
            unknown = set(written) - set(was)
            stale = value["code"] == "STALE_PROPOSAL" or ended or bool(unknown) or not changed or not after
            plan = None if stale else self.plan_for({**value, "trigger": self.triggers[rebalance]}, after, raised)[0]
            wishes = plan and {name: wish.quantity for name, wish in plan.wishes.items() if wish.quantity}
            self.same("what was written does not pass", stale or self.stopped(value["portfolio_id"]) or wishes != after, True)
            return
        self.same("an edit is put up", (value["status"], ended), ("PENDING_APPROVAL", False))
        plan, _ = self.plan_for(value, after, raised)
        self.same("what was written passes", {name: wish.quantity for name, wish in plan.wishes.items() if wish.quantity}, after)
        orders = plan.orders()
        self.same("orders", [(o["instrument_id"], o["side"], num(o["quantity"])) for o in value["orders"]], orders)
        self.same("another hash", value["proposal_hash"] != command["proposal_hash"], True)
        self.same("actor", value["actor"], command["actor"])
        for line in value["explanation"]:
            name = line["instrument_id"]
            told = (line["decision"], line["reason"]) if name in changed else None
            if told:
                decision = "SKIP" if name not in after else "ORDER" if name in raised else "CUT"
                self.same(f"{name} decision", told, (decision, "EDITED"))
                numbers = {number["name"]: num(number["value"]) for number in line["numbers"]}
                self.same(f"{name} proposed", numbers["proposed"], was[name])
            self.same(f"{name} is ordered", line["decision"] != "SKIP", name in after)
        self.weights(value, plan)
        self.decimal("turnover", value["turnover"], sum((plan.value(n) for n in plan.standing()), ZERO) / plan.equity, 12)
        self.decimal("expected_fees", value["expected_fees"], plan.expected_fees())
        self.costing(value, plan)
        self.put_up(rebalance, plan, orders)

    def of_shadow(self, value):
        """It ends where it is said, under an id of its own numbers; its limits count a proposal once an episode."""
        portfolio = value["portfolio_id"]
        self.same("status of a shadow", value["status"] in ("PROPOSED", "NO_ACTION_NEEDED", "REFUSED"), True)
        known = [uuid5(b"shadow", portfolio.encode(), number.to_bytes(8, "big")) for number in range(1, 20)]
        self.same("rebalance_id of a shadow", value["rebalance_id"] in known, True)
        if value["status"] == "PROPOSED":
            worth = sum((num(order["expected_value"]) for order in value["orders"]), ZERO)
            self.proposed[portfolio].setdefault(int(value["drift_episode"]), worth)

    def limit_met(self, value):
        """A release by the service itself in which a limit of a day or a minute kept an order back is the last one."""
        portfolio, first = value["portfolio_id"], value["rebalance_id"] not in self.started
        automatic = value["status"] == "RELEASED" and value["command_id"] not in self.approvals() and first
        if automatic and value["explanation"]:
            plan, _ = self.plan_for(value)
            self.same("a limit was met", value["code"] == "ORDER_LIMIT", plan.met)
        if value["status"] == "REFUSED" and value["code"] == "ORDER_LIMIT":
            plan, _ = self.plan_for(value)
            self.same("a limit keeps everything back", plan.met and not plan.orders(), True)
        if value["status"] == "REFUSED" and value["code"] == "KILL_SWITCH" and not self.command(value["command_id"], "EDIT"):
            self.same("something stands still", self.stopped(portfolio), True)
        if value["status"] in ("RELEASED", "REFUSED") and value["code"] == "ORDER_LIMIT":
            self.latched[portfolio] = (self.at, value["rebalance_id"])

    def approvals(self):
        return {r["value"]["command_id"] for r in self.input if r["topic"] == COMMANDS and r["value"].get("kind") == "APPROVE"}

    def stopped(self, portfolio):
        """Whether a halt of the whole portfolio is in force, or a limit that it met has not been resumed."""
        halts, (since, _) = set(), self.latched.get(portfolio, (None, None))
        for record in self.input:
            if record["topic"] != COMMANDS or micros(record["timestamp"]) > self.at or record["value"]["kind"] not in ("HALT", "RESUME"):
                continue
            value = record["value"]
            own, scope = value.get("portfolio_id"), value["scope"]
            target = {"FIRM": None, "PORTFOLIO": own or value.get("target")}.get(scope, value.get("target"))
            halt = (scope, target, None if scope == "PORTFOLIO" else own)
            (halts.add if value["kind"] == "HALT" else halts.discard)(halt)
            if value["kind"] == "RESUME" and halt[:2] == ("PORTFOLIO", portfolio) and since is not None and micros(record["timestamp"]) >= since:
                since = None
        reached = lambda scope, target, own: target == portfolio if scope == "PORTFOLIO" else own in (None, portfolio)
        return since is not None or any(halt[0] != "INSTRUMENT" and reached(*halt) for halt in halts)

    def own_id(self, value):
        known = [uuid5(value["portfolio_id"].encode(), cycle.to_bytes(8, "big")) for cycle in range(1, 20)]
        self.same("rebalance_id", value["rebalance_id"] in known, True)
        if value["rebalance_id"] in known:
            self.cycles[value["rebalance_id"]] = known.index(value["rebalance_id"]) + 1

    def put_up(self, rebalance, plan, orders):
        self.proposals[rebalance] = orders
        self.priced[rebalance] = {name: plan.lines[name] for name, _, _ in orders}
        self.sizes[rebalance] = {name: plan.part(name) for name, _, _ in orders}
        self.pieces[rebalance] = sum(count(units, plan.part(name)) for name, _, units in orders)

    def proposal(self, value):
        plan, _ = self.plan_for(value)
        orders = plan.orders()
        self.triggers[value["rebalance_id"]] = value["trigger"]
        self.put_up(value["rebalance_id"], plan, orders)
        self.same("explained instruments", [e["instrument_id"] for e in value["explanation"]], sorted(plan.lines))
        for line in value["explanation"]:
            wish = plan.wishes[line["instrument_id"]]
            decision = "SKIP" if not wish.quantity else "CUT" if wish.reason else "ORDER"
            self.same(f"{line['instrument_id']} decision", line["decision"], decision)
            if wish.reason:
                self.same(f"{line['instrument_id']} reason", line["reason"], wish.reason)
            ordered = next((num(n["value"]) for n in line["numbers"] if n["name"] == "ordered"), ZERO)
            self.same(f"{line['instrument_id']} ordered", ordered, wish.quantity)
            self.behind(line, plan, value["trigger"] in ("MANUAL", "SCHEDULED"))
            told = next((num(n["value"]) for n in line["numbers"] if n["name"] == "slice"), None)
            self.same(f"{line['instrument_id']} slice", told, plan.part(line["instrument_id"]) if wish.quantity else None)
        if value["status"] != "RELEASED":
            self.same("orders", [(o["instrument_id"], o["side"], num(o["quantity"])) for o in value["orders"]], orders)
        self.standing.check_plan(self, value.get("risk"), plan)
        self.weights(value, plan)
        turnover = sum((plan.value(n) for n in plan.standing()), ZERO) / plan.equity
        self.decimal("turnover", value["turnover"], turnover, 12)
        self.decimal("expected_fees", value["expected_fees"], plan.expected_fees())
        self.costing(value, plan)

    def costing(self, value, plan):
        """Spread and impact of every order and of all, and what was weighed against what."""
        costs = self.costs[value["rebalance_id"]] = plan.costs_of_orders()
        for field, part in (("expected_spread", 1), ("expected_impact", 2)):
            parts = [cost[part] for cost in costs.values()]
            self.same(field, num(value[field]), None if None in parts else sum(parts, ZERO))
        for order in value["orders"]:
            self.costs_of(order, self.of_parts(order, costs, plan), plan)
        for line in value["explanation"]:
            name = line["instrument_id"]
            numbers = {number["name"]: num(number["value"]) for number in line["numbers"]}
            for field, number in plan.told.get(name, {}).items():
                self.same(f"{name} {field}", numbers.get(field), number)

    def of_parts(self, order, costs, plan):
        """What leaves first of an order in slices costs by its own units."""
        name, units = order["instrument_id"], num(order["quantity"])
        if plan.part(name) is None or (name, order["side"], units) in plan.orders():
            return costs
        return {(name, order["side"]): plan.costs.of_leg(plan.lines[name], units, units)}

    def costs_of(self, order, costs, plan=None):
        name = order["instrument_id"]
        told = tuple(num(order[field]) for field in ("expected_fees", "expected_spread", "expected_impact"))
        self.same(f"{name} {order['side']} costs", told, costs.get((name, order["side"])))
        if plan:
            self.same(f"{name} venue and urgency", (order["venue"], order["urgency"]), (plan.lines[name].venue, plan.urgency(name)))
        sent = order["block_key"].split("|")
        self.same(f"{name} block", sent[:2] + [len(sent[2])], [name, order["side"], len("2026-01-05T14")])

    def behind(self, line, plan, every):
        """The numbers that a line's own follow from are told where they change anything, and its value follows from them."""
        name, terms = line["instrument_id"], plan.terms(line["instrument_id"], every)
        numbers = {number["name"]: num(number["value"]) for number in line["numbers"]}
        for term in ("fx_rate", "multiplier", "accrued", "cash_reserve", "fee_rate", "fee_fixed", "cash_for_buys", "cash_needed"):
            scale = 12 if term in ("fx_rate", "cash_reserve", "fee_rate") else 10
            self.same(f"{name} {term}", numbers.get(term), half_even(terms[term], scale) if term in terms else None)
        unit = (numbers["price"] + numbers.get("accrued", ZERO)) * numbers.get("multiplier", 1) * numbers.get("fx_rate", 1)
        self.same(f"{name} value by its numbers", numbers["value"], half_even(numbers["held"] * unit, 10))

    def weights(self, value, plan):
        """Weights before and after, and half of the sum of all |drift|, cash included."""
        quantity = lambda name, after: plan.lines[name].held + (plan.wishes[name].quantity if after else 0)
        for group, after in (("old_allocations", False), ("new_allocations", True)):
            for line in value[group]:
                name = line["instrument_id"]
                self.decimal(f"{group} {name} quantity", line["quantity"], quantity(name, after), 8)
                self.decimal(f"{group} {name} weight", line["weight"], quantity(name, after) * plan.lines[name].unit / plan.equity, 12)
        for line in value["explanation"]:
            name, bound = line["instrument_id"], plan.bands.lines[line["instrument_id"]]
            self.decimal(f"explained {name} weight", line["weight"], bound.weight, 12)
            self.decimal(f"explained {name} target", line["target"], bound.target, 12)
            self.decimal(f"explained {name} drift", line["drift"], bound.drift, 12)
        for field, after in (("drift_before", False), ("drift_after", True)):
            self.decimal(field, value[field], self.half_sum(plan, after), 12)

    @staticmethod
    def half_sum(plan, after):
        cash, drifts = plan.valuation.cash, ZERO
        for name, bound in plan.bands.lines.items():
            change = plan.wishes[name].quantity * plan.lines[name].unit if after else ZERO
            drifts += abs(bound.drift + change / plan.equity)
            line, more = plan.lines[name], plan.wishes[name].quantity if after else ZERO
            if line.kind != "FUTURE":
                cash -= change
            elif line.held * more < 0:  # What is closed pays its gain.
                cash += line.worth * min(abs(more), abs(line.held)) / abs(line.held)
        return (drifts + abs(cash / plan.equity - plan.bands.cash_target)) / 2

    def wave(self, value):
        rebalance, portfolio = value["rebalance_id"], value["portfolio_id"]
        wave_id = uuid5(uuid.UUID(rebalance).bytes, int(value["wave_number"]).to_bytes(4, "big"), value["kind"].encode())
        self.same("wave_id", value["wave_id"], wave_id)
        if value["kind"] == "CANCEL":
            known = self.orders[portfolio]
            self.same("cancelled orders are known", all(o["order_id"] in known for o in value["orders"]), True)
            return
        # The wave in which a limit was met is the last one that leaves.
        if self.latched.get(portfolio) != (self.at, rebalance):
            self.same("nothing stands still when orders leave", self.stopped(portfolio), False)
        sent = [(o["instrument_id"], o["side"], num(o["quantity"])) for o in value["orders"]]
        approved = self.proposals.get(rebalance, [])
        earlier = {o["order_id"] for o in self.orders[portfolio].values() if o["rebalance_id"] == rebalance}
        if self.rests(rebalance):
            self.sliced(value, sent)
        else:
            self.same("the wave's orders", sent, self.expected_wave(value, approved, bool(earlier)))
        for order in value["orders"]:
            self.order(order, value)
        self.started.add(rebalance)

    def sliced(self, value, sent):
        """The next slices: checked anew, at their time, when those before have ended; what was refused gets no other."""
        slices, policy = self.slices[value["rebalance_id"]], self.last[value["portfolio_id"], False]["policy"]
        self.same("slices leave at their time", self.at >= slices.due, True)
        parts = slices.next()
        plan, _ = self.plan_for(value, {name: units for name, units in parts.items() if not self.moved(value, name)}, parts=True)
        self.same("the slices", sent, plan.orders())
        self.costs[value["rebalance_id"]] = plan.costs_of_orders()
        slices.take(parts, plan)
        slices.due = self.at + int(policy["orders"]["slicing"]["interval_seconds"]) * 1_000_000

    def rests(self, rebalance):
        """What is left; a router that has refused a slice gets no other of its instrument."""
        for name in self.rejected(rebalance):
            self.slices[rebalance].drop(name)
        return self.slices[rebalance].rests

    def moved(self, value, name):
        """Whether the price, or the rate, has moved further from what a person approved than the approval bears."""
        if value["rebalance_id"] not in self.approved:
            return False
        _, _, policy, at = self.valued(self.last[value["portfolio_id"], False])
        approval = setting(policy, "trigger", "approval", {})
        was, now = self.priced[value["rebalance_id"]][name], at.lines[name]
        bound = num(approval.get("price_tolerance_bp"), 50)
        far = lambda was, now: abs(now - was) * 10000 > bound * was
        return far(was.price, now.price) or far(was.clean / was.price, now.clean / now.price)

    def rejected(self, rebalance):
        reports = (r["value"] for r in self.input if r["topic"] == "orders.status.v1" and micros(r["timestamp"]) <= self.at)
        ids = {report["order_id"] for report in reports if report["status"] == "REJECTED"}
        return {order.name for order in self.executed[rebalance] if order.id in ids}

    def expected_wave(self, value, approved, later):
        buys = [order for order in approved if order[1] == "BUY"]
        sells = [order for order in approved if order[1] != "BUY"]
        drift = self.last[value["portfolio_id"], False]
        _, _, policy, _ = self.valued(drift)
        rebalance = value["rebalance_id"]
        waits = setting(policy, "orders", "funding", "WAIT_FOR_SELLS") == "WAIT_FOR_SELLS"
        if later:
            plan, _ = self.plan_for(value, {name: units for name, _, units in buys})
            self.sizes[rebalance] = {name: plan.part(name) for name, _, _ in plan.orders()}
            self.costs[rebalance] = plan.costs_of_orders()
            leaving = plan.orders()
        else:
            plan, leaving = None, sells if waits and sells and buys else sells + buys
        slices, slicing = self.slices[rebalance], setting(policy, "orders", "slicing", None)
        slices.due = self.at + int(slicing["interval_seconds"]) * 1_000_000 if slicing else None
        sizes = self.sizes.get(rebalance, {})
        leaving = slices.begin(leaving, sizes)
        for name, side, units in leaving:
            if sizes.get(name) is not None:
                line = plan.lines[name] if plan else self.priced[rebalance][name]
                self.costs[rebalance][name, side] = Costs(policy).of_leg(line, units, units)
        return leaving

    def order(self, order, wave):
        portfolio, name = wave["portfolio_id"], order["instrument_id"]
        cycle = self.cycles[wave["rebalance_id"]]
        taken = self.orders[portfolio]
        ids = [uuid5(portfolio.encode(), cycle.to_bytes(8, "big"), name.encode(), leg.to_bytes(4, "big")) for leg in range(1, 60)]
        self.same(f"{name} order_id", order["order_id"] in ids and order["order_id"] not in taken, True)
        taken[order["order_id"]] = order
        self.sent[order["order_id"]] = self.at
        drift = self.last[portfolio, False]
        world, _, policy, at = self.valued(drift)
        # The first wave leaves as it was planned, also when an approval came later; the buys after it are planned anew.
        first = wave["rebalance_id"] not in self.started
        planned = self.priced.get(wave["rebalance_id"], {}) if first else {}
        line = planned.get(name, at.lines[name])
        self.decimal(f"{name} expected_value", order["expected_value"], num(order["quantity"]) * line.clean)
        self.decimal(f"{name} reference_price", order["reference_price"], line.price)
        offset = num(setting(policy, "orders", "limit_offset_bp", "0")) / 10000
        if setting(policy, "orders", "order_type", "MARKET") == "LIMIT":
            tick = num(world.market.facts[name].get("tick_size"), Fraction(1, 10**10))
            exact = line.price * (1 + offset if order["side"] == "BUY" else 1 - offset) / tick
            ticks = exact.__floor__() if order["side"] == "BUY" else exact.__ceil__()
            self.decimal(f"{name} limit_price", order["limit_price"], ticks * tick)
        self.costs_of(order, self.costs.get(wave["rebalance_id"], {}))
        hour = datetime.fromtimestamp(self.at // 1_000_000, ZoneInfo("UTC")).strftime("%Y-%m-%dT%H")
        self.same(f"{name} block_key", order["block_key"], f"{name}|{order['side']}|{hour}")
        self.same(f"{name} policy_version", int(order["policy_version"]), int(policy["policy_version"]))
        known = self.priced.get(wave["rebalance_id"], {}).get(name, line).price
        self.executed[wave["rebalance_id"]].append(Executed(order, int(wave["wave_number"]), known, at.lines[name], self.at))

    def ended(self, value):
        """COMPLETED means every order filled, FAILED that at least one was not."""
        last = {}
        for record in self.input:
            if record["topic"] == "orders.status.v1":
                last.setdefault(record["value"]["order_id"], record["value"])
                if last[record["value"]["order_id"]]["status"] in ("ACKNOWLEDGED", "PART_FILLED"):
                    last[record["value"]["order_id"]] = record["value"]
        mine = [o for o in self.orders[value["portfolio_id"]].values() if o["rebalance_id"] == value["rebalance_id"]]
        filled = [o for o in mine if last.get(o["order_id"], {}).get("status") == "FILLED" and num(last[o["order_id"]]["cum_qty"]) == num(o["quantity"])]
        wanted = self.pieces.get(value["rebalance_id"], len(mine))
        self.same("every order filled", len(filled) == wanted, value["status"] == "COMPLETED")

    def executions(self, value):
        """How well its orders were executed, by the executions that were booked."""
        world, _, policy, _ = self.valued(self.last[value["portfolio_id"], False])
        check_execution(self, value, self.executed[value["rebalance_id"]], lambda currency: world.market.rate(currency, policy["base_currency"]))

    def balance(self):
        """Every fill and cash entry was booked, known before, refused, or still waits."""
        final = self.states[-1]
        # What one frame tells of an action may come to a split or a dividend, its payment, and its end.
        cause = lambda e: (e["cause"]["topic"], int(e["cause"]["offset"])) + ((e["cause"]["id"], e["kind"]) if e["cause"]["topic"] == "ballast.frames.v1" else ())
        booked = [cause(e) for r in self.output if r["topic"] == "portfolio.ledger.v1" for e in r["value"]["entries"] if e["kind"] != "RESTATE"]
        self.same("bookings happen once", len(booked), len(set(booked)))
        self.same("bookings", set(booked), {(a, b) + ((told["action"], told["kind"]) if "action" in told else ()) for a, b, told in final.booked if told})
