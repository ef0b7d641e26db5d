"""The return of each day of a portfolio, from its closes and its flows, as exact fractions."""

from .exact import micros, num

ZERO = num("0")
RULES = {"flows": "time-weighted at every external flow", "daily": "daily rule: (end + out) / (begin + in) - 1"}


class Flow:
    """What crossed the boundary, and what the book was worth before that; `day` is the day that it belongs to."""

    def __init__(self, at, amount, before, day, spoiled):
        self.at, self.amount, self.before, self.day, self.spoiled = at, amount, before, day, spoiled


def standing(entries, day_of):
    """Flows that stand: one that was taken back was never there, whenever that was told.

    What the book was worth before a flow holds while nothing is booked later that belongs before it.
    """
    flows, backs = [], []
    for at, (entry, told_on, name, reverses) in enumerate(entries):
        day = day_of(entry)
        # One that changes closed trades alone leaves every value as it was.
        moves = any(num(n) for n in (entry["quantity_change"], entry["income"], *(leg["amount"] for leg in entry["cash"])))
        always = (moves and entry["kind"] in ("CANCEL", "CORRECT", "RESTATE")) or (day is not None and told_on > day)
        # An action that is told of after its ex-date has begun stands before the flows since then.
        since = 0 if always else micros(entry["effective_at"]) if entry["kind"] in ("SPLIT", "DIVIDEND") else None
        backs.append((at, day, since))
        if not num(entry["external_flow"]):
            continue
        if reverses is not None:
            flows = [kept for kept in flows if kept[1] != reverses]
            continue
        flows.append((at, name, entry, day, told_on))
    out = []
    for at, _, entry, day, told_on in flows:
        late = day is not None and told_on > day
        belied = lambda since: since is not None and since <= micros(entry["effective_at"])
        spoiled = late or any(b > at and belied(since) and (other is None or day is None or other <= day) for b, other, since in backs)
        out.append(Flow(at, num(entry["external_flow"]), num(entry["equity_before"]), day, spoiled))
    return out


def of_day(begin, end, flows, net):
    """(return or why there is none, rules that may have given it); `net` is what the closes say has flowed."""
    # Each was rounded by itself, and what the closes say is the difference of two sums that were.
    if abs(sum((flow.amount for flow in flows), ZERO) - net) > (1 + len(flows) // 2) * num("0.0000000001"):
        # A day of weeks ago is not closed again: what is told of it late counts where the closes have it.
        flows = [Flow(None, net, None, None, True)] if net else []
    found = daily(begin, end, flows)
    if any(flow.before is None for flow in flows):
        return found, ("daily",)
    weighted = valued(begin, end, flows)
    if any(flow.spoiled for flow in flows):
        return found, ("flows", "daily") if weighted == found else ("daily",)
    return weighted, ("flows", "daily") if weighted == found else ("flows",)


def valued(begin, end, flows):
    value, worth, capital = None, begin, False
    for before, after in [(flow.before, flow.before + flow.amount) for flow in flows] + [(end, end)]:
        # Without capital nothing is earned; linking goes on from the flow that brings some.
        if worth > 0:
            value, capital = (value or num("1")) * before / worth, True
        worth = after
    if not capital:
        return "NO_CAPITAL"
    return value - 1 if value > 0 else "TOTAL_LOSS"


def daily(begin, end, flows):
    came = sum((flow.amount for flow in flows if flow.amount > 0), ZERO)
    went = -sum((flow.amount for flow in flows if flow.amount < 0), ZERO)
    if begin + came <= 0:
        return "NO_CAPITAL"
    value = (end + went) / (begin + came)
    return value - 1 if value > 0 else "TOTAL_LOSS"

