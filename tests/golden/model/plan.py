"""The plan, steps 1 to 8, from one valuation and one policy: what is ordered of each instrument, and
why the rest is left alone. Slow, exact, and small enough to be read against the conventions."""

from fractions import Fraction

from .bands import Bands, setting
from .costs import Costs
from .exact import nearest, num, toward_zero
from .slices import count, size

ZERO = Fraction(0)
STEP = Fraction(1, 10**8)


class Wish:
    def __init__(self, wanted, reason=None):
        self.quantity, self.reason = wanted, reason

    def skip(self, reason):
        if self.quantity:
            self.quantity, self.reason = ZERO, reason

    def cut(self, to, reason):
        to = min(max(to, ZERO), self.quantity) if self.quantity > 0 else max(min(to, ZERO), self.quantity)
        if to != self.quantity:
            self.quantity, self.reason = to, reason


class Plan:
    """`every` plans each line whatever its drift (MANUAL); `given` are the quantities of a later wave, or those that
    a person wrote into a proposal: then the `raised` among them alone may not pass the goal. `parts`: they are slices of
    orders that were planned whole, and need not be large enough once more."""

    def __init__(
        self, policy, valuation, market, every, given=None, halted=(), released=ZERO, recent=0, raised=None, parts=False, weighs=False
    ):
        self.raised, self.parts = raised, parts
        self.costs, self.weighs, self.told = Costs(policy), weighs and given is None, {}
        self.policy, self.valuation, self.market = policy, valuation, market
        self.halted, self.released, self.recent = halted, released, recent
        self.met = False
        self.funded, self.free, self.needed = [], None, None
        self.equity, self.lines, self.every = valuation.equity, valuation.lines, every
        self.bands = Bands(policy, valuation, market)
        self.wishes = {name: self.wish(name, every) for name in self.lines} if given is None else self.later(given)
        self.constrain()
        before = None
        while before != [wish.quantity for wish in self.wishes.values()]:
            before = [wish.quantity for wish in self.wishes.values()]
            self.fund()
            self.gross_limit()
            self.after_funding()

    def order(self, name, default):
        return setting(self.policy, "orders", name, default)

    def limit(self, name):
        return num(setting(self.policy, "limits", name, None))

    def flag(self, name, default):
        return str(self.order(name, default)).lower() == "true"

    def later(self, given):
        wishes = {name: Wish(given.get(name, ZERO), None if name in given else "OPEN_CYCLE") for name in self.lines}
        for name in given if self.raised is None else self.raised:
            wishes[name].cut(self.wish(name, True).quantity, "WITHIN_BAND")
        return wishes

    # Steps 3 to 5.

    def planned(self, name, every):
        bands = self.bands
        if every or (bands.cash and bands.cash.side(bands.inclusive)):
            return True
        if not bands.breached():
            return False
        if setting(self.policy, "trigger", "scope", "WHOLE_BOOK") == "WHOLE_BOOK":
            return True
        return bands.out(name)

    def goal(self, name):
        """The weight to go to, and the side on which the line is out."""
        bound = self.bands.lines[name]
        part = {"TARGET": 0, "MIDPOINT": Fraction(1, 2), "BAND_EDGE": 1}[setting(self.policy, "trigger", "goal", "TARGET")]
        side = bound.side(self.bands.inclusive)
        if name in self.bands.shared:
            group = next(b for b, members in self.bands.groups.values() if name in members)
            side = group.side(self.bands.inclusive)
            # Against the group's sign it stands on the other side of its share.
            side = side if bound.value * group.value > 0 else -side
        edge = {1: bound.upper, -1: bound.lower, 0: bound.target}[side]
        # A share is published cut to its decimals, and planned as it is.
        return bound.exact + part * (edge - bound.exact) if side else bound.exact, side, part

    def lot(self, line):
        return STEP if self.order("rounding", "TRUNCATE") == "NONE" else line.lot

    def wish(self, name, every):
        line = self.lines[name]
        if not self.planned(name, every):
            return Wish(ZERO, "NOT_BREACHED" if self.bands.breached() else "WITHIN_BAND")
        bound = self.bands.lines[name]
        # A target of zero sells all, whatever the goal.
        if bound.target == 0:
            return Wish(-line.held, None if line.held else "WITHIN_BAND")
        goal, side, part = self.goal(name)
        base = self.equity
        if self.flag("reserve_scales_targets", False):
            base *= 1 - num(self.order("cash_reserve", "0"))
        exact = goal * base / line.unit - line.held
        how = nearest if self.order("rounding", "TRUNCATE") == "NEAREST" else toward_zero
        quantity = how(exact, self.lot(line))
        if part == 1 and side:
            more = quantity - side * self.lot(line)
            stops = lambda units: self.lands(bound, (line.held + units) * line.unit / base)
            if stops(quantity) == side and stops(more) == 0:
                quantity = more
        quantity = self.within_holding(line, quantity, goal)
        return Wish(quantity, None if quantity else "ROUNDED_TO_ZERO")

    def within_holding(self, line, quantity, goal):
        """Rounding alone turns no holding round; a part that is left of a sell is cut by the rule against shorts."""
        # An edge of zero is no target of zero: one lot past it is inside the band.
        target = self.bands.lines[line.name].target
        if quantity < 0 and (goal > 0 or goal == 0 and target >= 0) and -quantity > max(line.held, ZERO):
            whole = toward_zero(max(line.held, ZERO), self.lot(line))
            return -whole if self.flag("allow_short", False) or not whole else quantity
        if quantity > 0 and (goal < 0 or goal == 0 and target <= 0) and quantity > max(-line.held, ZERO):
            return toward_zero(max(-line.held, ZERO), self.lot(line))
        return quantity

    def lands(self, bound, weight):
        """On which side of its bounds a line stops; at a bound that is inclusive it is still out."""
        if weight > bound.upper or (self.bands.inclusive and weight == bound.upper):
            return 1
        return -1 if weight < bound.lower or (self.bands.inclusive and weight == bound.lower) else 0

    def part(self, name):
        """Units of each part in which its order leaves, None where it leaves whole."""
        return size(self, name, self.wishes[name].quantity)

    # Step 6.

    def value(self, name, quantity=None):
        line = self.lines[name]
        return abs(self.wishes[name].quantity if quantity is None else quantity) * line.clean

    def standing(self):
        return [name for name, wish in self.wishes.items() if wish.quantity]

    def by_drift(self):
        return sorted(self.lines, key=lambda name: (-abs(self.bands.lines[name].drift), name))

    def is_exit(self, name):
        wish, line = self.wishes[name], self.lines[name]
        return self.bands.lines[name].target == 0 and wish.quantity == -line.held

    def constrain(self):
        for name, wish in self.wishes.items():
            if wish.quantity or wish.reason == "ROUNDED_TO_ZERO":
                self.deviation(name)
        for name in self.standing():
            self.forbidden(name)
        for name in self.standing():
            self.too_small(name)
        self.hard_limits()
        self.weight_limits()
        self.budgets()

    def deviation(self, name):
        if self.parts:
            return
        least = num(setting(self.policy, "trigger", "minimum_deviation", "1")) / 100
        drift = abs(self.bands.lines[name].drift)
        small = drift < least if self.bands.inclusive else drift <= least
        if small and not self.is_exit(name):
            self.wishes[name].quantity, self.wishes[name].reason = ZERO, "BELOW_MINIMUM_DEVIATION"

    def forbidden(self, name):
        wish, line = self.wishes[name], self.lines[name]
        buys = wish.quantity > 0
        short = not buys and line.held + wish.quantity < 0
        if short and not self.flag("allow_short", False):
            sellable = max(line.held, ZERO)
            wish.cut(-(sellable if self.is_exit(name) else toward_zero(sellable, self.lot(line))), "SHORT_NOT_ALLOWED")
        if not buys and (self.flag("no_sells", False) or name in self.order("do_not_sell", [])):
            wish.skip("DO_NOT_SELL")
        if buys and name in self.order("do_not_buy", []):
            wish.skip("DO_NOT_BUY")
        state = self.market.state(name)
        if name in self.halted:
            wish.skip("KILL_SWITCH")
        if state == "HALTED":
            wish.skip("HALTED")
        unknown = state == "UNKNOWN" and self.flag("require_market_status", False)
        if state in ("CLOSED", "AUCTION") or unknown:
            wish.skip("MARKET_CLOSED")

    def too_small(self, name):
        """Each leg is an order; the one that closes a holding on the way across zero is an exit."""
        if self.parts:
            return
        least, exempt, wish = num(self.order("min_notional", "0")), self.flag("exit_exempt", True), self.wishes[name]
        small = [units * self.lines[name].clean < least for _, units in self.legs(name)]
        if len(small) == 2:
            if small[0] and not exempt:
                wish.skip("BELOW_MIN_NOTIONAL")
            elif small[1]:
                wish.cut(-toward_zero(self.lines[name].held, self.lot(self.lines[name])), "BELOW_MIN_NOTIONAL")
        elif small[0] and not ((self.is_exit(name) or self.closes_on_the_way(name)) and exempt):
            wish.skip("BELOW_MIN_NOTIONAL")

    def closes_on_the_way(self, name):
        """Whether all whole lots are sold of what is to be short."""
        line, wish = self.lines[name], self.wishes[name]
        return self.bands.lines[name].target < 0 and wish.quantity < 0 and wish.quantity == -toward_zero(line.held, self.lot(line))

    def raises_cash(self, name):
        """Whether an order is made because there is too little cash, and no line is out."""
        bands = self.bands
        low = bands.cash and bands.cash.side(bands.inclusive) < 0
        lines = any(bands.out(line) for line in self.lines) or any(bound.side(bands.inclusive) for bound, _ in bands.groups.values())
        return bool(low and not self.every and not lines and self.wishes[name].quantity < 0)

    def purpose(self, name):
        if self.bands.lines[name].target == 0 and self.wishes[name].quantity * self.lines[name].held < 0:
            return "EXIT"
        return "CASH_RAISE" if self.raises_cash(name) else "DRIFT"

    def weigh(self, name):
        """What an order costs against what the drift that it takes away is worth."""
        costs, wish, line = self.costs, self.wishes[name], self.lines[name]
        if costs.rate is None:
            return
        base = self.equity * (1 - num(self.order("cash_reserve", "0")) if self.flag("reserve_scales_targets", False) else 1)
        away = lambda units: abs(units * line.unit - self.bands.lines[name].target * base)
        cost, benefit = costs.total(line, self.legs(name)), costs.benefit(away(line.held) - away(line.held + wish.quantity))
        self.told[name] = {"expected_cost": self.told.get(name, {}).get("expected_cost") if cost is None else cost, "expected_benefit": benefit}
        exit = self.bands.lines[name].target == 0 and self.flag("exit_exempt", True)
        if not self.weighs or exit or self.purpose(name) == "CASH_RAISE" or cost is not None and cost <= benefit:
            return
        spreads = [spread for _, spread, _ in costs.of(line, self.legs(name)).values()]
        wish.skip("COST_ABOVE_BENEFIT" if cost is not None else "DATA_GAP" if None in spreads else "ILLIQUID")

    def legs(self, name, quantity=None):
        line = self.lines[name]
        quantity = self.wishes[name].quantity if quantity is None else quantity
        if quantity > 0:
            return [("BUY", quantity)]
        sell = min(-quantity, max(line.held, ZERO))
        return [(side, units) for side, units in (("SELL", sell), ("SELL_SHORT", -quantity - sell)) if units]

    def hard_limits(self):
        collar = self.limit("price_collar_bp")
        for name in self.standing():
            line, close = self.lines[name], self.market.first.get(name)
            if collar is not None and close is not None and abs(line.price - close) > close * collar / 10000:
                self.wishes[name].skip("PRICE_OUTLIER")
        self.order_limits()

    def order_limits(self):
        """Of each order that leaves: a slice, where it leaves in slices."""
        most, units = self.limit("max_order_notional"), self.limit("max_order_quantity")
        for name in self.standing():
            part = self.part(name)
            legs = [leg if part is None else min(leg, part) for _, leg in self.legs(name)]
            over = units is not None and any(leg > units for leg in legs)
            if over or most is not None and any(leg * self.lines[name].clean > most for leg in legs):
                self.wishes[name].skip("ORDER_LIMIT")

    def weight_limits(self):
        most = self.limit("max_position_weight")
        for name in self.standing():
            wish, line = self.wishes[name], self.lines[name]
            after = line.held + wish.quantity
            if most is not None and abs(after) * line.unit > most * self.equity and after * wish.quantity > 0:
                room = most * self.equity / line.unit
                to = room - line.held if wish.quantity > 0 else -room - line.held
                wish.cut(toward_zero(to, self.lot(line)), "POSITION_LIMIT")
        for name in self.standing():
            self.weigh(name)
        most = self.limit("max_sector_weight")
        if most is not None:
            self.sector_limit(most * self.equity)

    def sector_limit(self, most):
        sector = lambda name: self.market.facts.get(name, {}).get("sector")
        net = {}
        for name, line in self.lines.items():
            net[sector(name)] = net.get(sector(name), ZERO) + line.held * line.unit
        for name in self.sells_first():
            wish, line, sign = self.wishes[name], self.lines[name], (1 if self.wishes[name].quantity > 0 else -1)
            if sector(name) is None:
                continue
            if sign * (net[sector(name)] + wish.quantity * line.unit) > most:
                room = max(ZERO, most - sign * net[sector(name)])
                wish.cut(sign * toward_zero(room / line.unit, self.lot(line)), "SECTOR_LIMIT")
            net[sector(name)] += wish.quantity * line.unit

    def sells_first(self):
        order = [name for name in self.by_drift() if self.wishes[name].quantity]
        return sorted(order, key=lambda name: self.wishes[name].quantity > 0)

    def gross_limit(self):
        """Σ |value| within max_gross × equity, where an order adds to it; sells by the book before the buys."""
        most = num(self.order("max_gross", "1")) * self.equity
        nearest = self.order("rounding", "TRUNCATE") == "NEAREST"
        after = {name: line.held for name, line in self.lines.items()}
        for buys in (False, True):
            side = [name for name in self.sells_first() if (self.wishes[name].quantity > 0) == buys]
            whole = {name: after[name] + self.wishes[name].quantity for name in side}
            for name in side:  # As far as zero first: that makes room.
                back = whole[name] * after[name] <= 0
                after[name] = min(abs(after[name]), ZERO) if back else min(after[name], whole[name], key=abs)
            for name in side:
                wish, line = self.wishes[name], self.lines[name]
                grows = abs(whole[name]) - abs(after[name])
                half = self.lot(line) * line.unit / 2 if nearest and self.bands.lines[name].target else ZERO
                room = most + half - sum((abs(units) * self.lines[n].unit for n, units in after.items()), ZERO)
                if grows > 0 and grows * line.unit > room:
                    fits = abs(wish.quantity) - grows + max(ZERO, room) / line.unit
                    wish.cut((1 if buys else -1) * toward_zero(fits, self.lot(line)), "GROSS_LIMIT")
                after[name] = line.held + wish.quantity
                most += half if wish.quantity else ZERO

    def budgets(self):
        daily, count = self.limit("max_daily_notional"), self.limit("max_orders_per_minute")
        spent, orders = self.released, self.recent
        for name in self.sells_first():
            over = daily is not None and spent + self.value(name) > daily
            if over or (count is not None and orders + len(self.legs(name)) > count):
                self.met = True
                self.wishes[name].skip("ORDER_LIMIT")
            else:
                spent += self.value(name)
                orders += len(self.legs(name))
        self.volumes()
        cap, spent = num(self.order("turnover_cap", None)), ZERO
        for name in self.by_drift():
            if self.wishes[name].quantity and cap is not None:
                if spent + self.value(name) > cap * self.equity:
                    self.wishes[name].skip("TURNOVER_CAP")
                else:
                    spent += self.value(name)
        self.after_funding()

    def volumes(self):
        cap = num(self.order("volume_cap", None))
        for name in self.standing() if cap is not None else ():
            volume = num(self.market.facts[name].get("average_daily_volume"), ZERO)
            if volume <= 0:
                self.wishes[name].skip("ILLIQUID")
            elif abs(self.wishes[name].quantity) > cap * volume:
                self.wishes[name].skip("VOLUME_CAP")

    # Step 7.

    def fees(self, names):
        fees = self.order("fees", {})
        rate, fixed = num(fees.get("rate"), ZERO), num(fees.get("fixed"), ZERO)
        return sum((units * self.lines[name].clean * rate + fixed for name in names for _, units in self.legs(name)), ZERO)

    def expected_fees(self):
        """Of all that leaves: the fixed part of a fee is paid for each slice."""
        fees = self.order("fees", {})
        rate, fixed = num(fees.get("rate"), ZERO), num(fees.get("fixed"), ZERO)
        legs = [(name, units) for name in self.standing() for _, units in self.legs(name)]
        return sum((units * self.lines[name].clean * rate + fixed * count(units, self.part(name)) for name, units in legs), ZERO)

    def fund(self):
        if not self.flag("cash_limited", True):
            return
        names = self.standing()
        buys = [name for name in names if self.wishes[name].quantity > 0]
        paying = [name for name in buys if self.lines[name].kind != "FUTURE"]
        sells = [name for name in names if self.wishes[name].quantity < 0]
        proceeds = sum((self.proceeds(n, units) for n in sells for side, units in self.legs(n) if side == "SELL"), ZERO)
        free = self.valuation.spendable + proceeds - self.fees(sells) - num(self.order("cash_reserve", "0")) * self.equity
        fees = self.order("fees", {})
        rate, fixed = num(fees.get("rate"), ZERO), num(fees.get("fixed"), ZERO)
        needed = sum((self.cost(name) for name in paying), ZERO) + sum((self.most(name) * rate + fixed for name in buys), ZERO)
        needed += sum((self.loss(name) for name in buys), ZERO)
        if needed > free or self.free is None:
            self.funded, self.free, self.needed = buys, free, needed
        if needed <= free:
            return
        if free <= 0:
            for name in buys:
                self.wishes[name].skip("INSUFFICIENT_FUNDS")
            return
        if self.order("shortage", "PRO_RATA") == "PRIORITY":
            return self.by_priority(buys, free)
        scaled = sum((self.cost(n) for n in paying), ZERO) + sum((self.most(n) * rate for n in buys), ZERO)
        factor = max(ZERO, (free - fixed * len(buys) - sum((self.loss(name) for name in buys), ZERO)) / scaled) if scaled else ZERO
        for name in buys:
            self.wishes[name].cut(toward_zero(self.wishes[name].quantity * factor, self.lot(self.lines[name])), "CASH_SHORTAGE")

    def proceeds(self, name, units):
        """What a sell brings to spend: of a future what closing it realizes; unsettled only its loss counts."""
        line = self.lines[name]
        brought = units * (line.worth / line.held if line.kind == "FUTURE" else line.unit)
        return min(brought, ZERO) if self.order("cash_basis", "TRADE_DATE") == "SETTLED" else brought

    def loss(self, name):
        """What buying back a future that was sold short realizes as a loss."""
        line = self.lines[name]
        if line.kind != "FUTURE" or line.held >= 0:
            return ZERO
        return min(self.wishes[name].quantity, -line.held) * max(ZERO, line.worth / line.held)

    def limit_more(self, name):
        """What a unit of a buy costs more at its limit price than at its reference: it is funded at the limit."""
        if self.order("order_type", "MARKET") != "LIMIT":
            return ZERO
        line = self.lines[name]
        tick = num(self.market.facts[name].get("tick_size"), Fraction(1, 10**10))
        limit = (line.price * (1 + num(self.order("limit_offset_bp", "0")) / 10000) / tick).__floor__() * tick
        return (limit - line.price) * line.clean / line.price

    def most(self, name):
        return self.wishes[name].quantity * (self.lines[name].clean + self.limit_more(name))

    def cost(self, name):
        return self.wishes[name].quantity * (self.lines[name].unit + self.limit_more(name))

    def by_priority(self, buys, free):
        fees = self.order("fees", {})
        rate, fixed = num(fees.get("rate"), ZERO), num(fees.get("fixed"), ZERO)
        for name in sorted(buys, key=lambda n: (self.bands.lines[n].drift, n)):
            line, wish = self.lines[name], self.wishes[name]
            more = self.limit_more(name)
            each = (ZERO if line.kind == "FUTURE" else line.unit + more) + (line.clean + more) * rate
            if wish.quantity * each + fixed + self.loss(name) > free:
                reach = toward_zero(max(ZERO, free - fixed - self.loss(name)) / each, self.lot(line)) if each else ZERO
                wish.cut(reach, "CASH_SHORTAGE")
            if wish.quantity:
                free -= wish.quantity * each + fixed + self.loss(name)

    def after_funding(self):
        most = self.limit("max_sector_weight")
        if most is not None:
            self.sector_limit(most * self.equity)
        for name in self.standing():
            self.too_small(name)
        for name in self.standing():
            self.weigh(name)
        # What was cut may be large no longer, and leaves whole.
        if self.order("slicing", None) and not self.parts:
            self.order_limits()

    def terms(self, name, every):
        """What the numbers of a line follow from beside price and units, where it changes anything."""
        line, funded = self.lines[name], name in self.funded
        scaled = self.flag("reserve_scales_targets", False) and self.planned(name, every)
        fees, reserve = self.order("fees", {}), num(self.order("cash_reserve", "0"))
        known = {
            "fx_rate": line.rate if line.rate != 1 else None,
            "multiplier": line.multiplier if line.multiplier != 1 else None,
            "accrued": (self.market.accrued(name) or None) if line.kind == "BOND" else None,
            "cash_reserve": reserve if reserve and (funded or scaled) else None,
            "fee_rate": num(fees.get("rate"), ZERO) or None if funded else None,
            "fee_fixed": num(fees.get("fixed"), ZERO) or None if funded else None,
            "cash_for_buys": self.free if funded else None,
            "cash_needed": self.needed if funded else None,
        }
        return {name: number for name, number in known.items() if number is not None}

    # Step 8.

    def costs_of_orders(self):
        """Fee, spread and impact of each order by its instrument and side."""
        return {(name, side): parts for name in self.standing() for side, parts in self.costs.of(self.lines[name], self.legs(name)).items()}

    def urgency(self, name):
        steps = ("LOW", "NORMAL", "HIGH")
        hurry = self.purpose(name) in ("EXIT", "CASH_RAISE")
        return steps[min(steps.index(self.order("urgency", "NORMAL")) + hurry, 2)]

    def orders(self):
        standing = sorted(self.standing(), key=lambda name: (self.wishes[name].quantity > 0, name))
        return [(name, side, units) for name in standing for side, units in self.legs(name)]
