"""How well the orders of a rebalance were executed, from the executions that were booked: exact fractions against the
prices of the plan and of the release."""

from fractions import Fraction

from .exact import half_even, micros, num

ZERO = Fraction(0)
FILLS = "execution.fills.v1"


class Order:
    """An order as it left: what its executions are held against."""

    def __init__(self, order, wave, planned, line, at):
        self.id, self.name, self.side = order["order_id"], order["instrument_id"], order["side"]
        self.wave, self.at, self.ordered = wave, at, num(order["quantity"])
        self.expected = num(order["expected_value"])
        self.planned, self.arrival, self.each = planned, line.price, line.multiplier * line.rate


def executions(case, order_id):
    """Executions of an order that stand: (units, price, fees), and when each was made."""
    fills = {}
    for record in case.input:
        value = record["value"]
        if record["topic"] != FILLS or micros(record["timestamp"]) > case.at:
            continue
        named = value.get("exec_ref_id")
        if value["exec_type"] == "TRADE" and value.get("order_id") == order_id:
            fills[value["exec_id"]] = value
        elif named in fills and value["exec_type"] == "CANCEL":
            del fills[named]
        elif named in fills and value["exec_type"] == "CORRECT":
            fills[named] = {**fills[named], "quantity": value["quantity"], "price": value["price"], "fees": value.get("fees", [])}
    return list(fills.values())


def part(part, whole):
    return None if not whole else 10000 * part / whole


class Sums:
    def __init__(self):
        self.traded = self.planned = self.arrival = self.slip = self.arrival_slip = self.fees = ZERO

    def add(self, order, fills, rate):
        """One order's executions, its notional rounded as the book publishes it."""
        sign = 1 if order.side == "BUY" else -1
        units = sum((num(fill["quantity"]) for fill in fills), ZERO)
        notional = half_even(sum((num(f["quantity"]) * num(f["price"]) for f in fills), ZERO), 10)
        traded = notional * order.each
        planned, arrival = units * order.planned * order.each, units * order.arrival * order.each
        self.traded += traded
        self.planned += planned
        self.arrival += arrival
        self.slip += sign * (traded - planned)
        self.arrival_slip += sign * (traded - arrival)
        fees = sum((num(fee["amount"]) * rate(fee["currency"]) for f in fills for fee in f.get("fees", [])), ZERO)
        self.fees += half_even(fees, 10)
        return notional / units if units else None

    def check(self, case, what, found):
        case.decimal(f"{what} traded_value", found["traded_value"], self.traded)
        case.decimal(f"{what} slippage", found["slippage"], self.slip)
        case.decimal(f"{what} slippage_bp", found["slippage_bp"], part(self.slip, self.planned), 4)
        case.decimal(f"{what} arrival_slippage", found["arrival_slippage"], self.arrival_slip)
        case.decimal(f"{what} arrival_slippage_bp", found["arrival_slippage_bp"], part(self.arrival_slip, self.arrival), 4)
        case.decimal(f"{what} fees", found["fees"], self.fees)


def check(case, value, orders, rate):
    """The execution of a rebalance that has ended, against its orders in the order in which they left."""
    found = value["execution"]
    case.same("execution is told where orders had left", found is not None, bool(orders))
    if not orders or found is None:
        return
    case.same("orders executed", [line["order_id"] for line in found["lines"]], [order.id for order in orders])
    whole, first, last, filled, done = Sums(), None, None, ZERO, 0
    begun = min(order.at for order in orders)
    for order, line in zip(orders, found["lines"]):
        fills, name = executions(case, order.id), f"execution of {order.name}"
        own = Sums()
        average = own.add(order, fills, rate)
        units = sum((num(fill["quantity"]) for fill in fills), ZERO)
        case.same(f"{name} side", (line["side"], int(line["wave_number"])), (order.side, order.wave))
        case.decimal(f"{name} ordered", line["ordered"], order.ordered, 8)
        case.decimal(f"{name} filled", line["filled"], units, 8)
        case.decimal(f"{name} fill_rate", line["fill_rate"], units / order.ordered, 12)
        case.decimal(f"{name} average_price", line["average_price"], average)
        case.decimal(f"{name} reference_price", line["reference_price"], order.planned)
        case.decimal(f"{name} arrival_price", line["arrival_price"], order.arrival)
        filled += half_even(order.expected * units / order.ordered, 10)
        done += units == order.ordered
        if not fills:
            case.same(f"{name} has no figures", {line[field] for field in ("slippage", "fees", "first_fill_us", "traded_value")}, {None})
            continue
        own.check(case, name, line)
        whole.add(order, fills, rate)
        times = [micros(fill["transact_time"]) for fill in fills]
        case.same(f"{name} times", (int(line["first_fill_us"]), int(line["last_fill_us"])), (min(times) - order.at, max(times) - order.at))
        first, last = min(times + ([first] if first else [])), max(times + ([last] if last else []))
    expected = sum((order.expected for order in orders), ZERO)
    case.same("execution counts", (int(found["orders"]), int(found["filled_orders"])), (len(orders), done))
    case.decimal("execution ordered_value", found["ordered_value"], expected)
    case.decimal("execution filled_value", found["filled_value"], filled)
    case.decimal("execution fill_rate", found["fill_rate"], filled / expected if expected else None, 12)
    case.same("execution has a reason where it has no cost", found["reason"] is None, first is not None)
    if first is None:
        case.same("execution has no cost", found["cost"], None)
        return
    whole.check(case, "execution", found)
    case.decimal("execution cost", found["cost"], whole.slip + whole.fees)
    case.decimal("execution cost_bp", found["cost_bp"], part(whole.slip + whole.fees, whole.traded), 4)
    case.same("execution times", (int(found["first_fill_us"]), int(found["last_fill_us"])), (first - begun, last - begun))
