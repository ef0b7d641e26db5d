"""Cooldowns: within one no threshold plans anything, and a breach that outlasts one is planned at its end. It looks at
the events of rebalances only, and at the books and bands that the model has of that moment."""

from .bands import Bands, setting
from .exact import num
from .value import Valuation

ENDS = ("COMPLETED", "FAILED", "REJECTED", "EXPIRED")
OPENS = ("RELEASED", "PENDING_APPROVAL")


class Cooldowns:
    def __init__(self, case):
        self.case, self.ended, self.open = case, {}, {}
        self.refused, self.thresholds, self.opened = [], [], []

    def check(self, value):
        """Follows the cycles; a shadow has cooldowns of its own, from what it proposes."""
        if value["shadow"]:
            return
        case, portfolio, rebalance = self.case, value["portfolio_id"], value["rebalance_id"]
        if value["trigger"] == "THRESHOLD" and self.open.get(portfolio) is None:
            self.threshold(value, portfolio)
        if value["status"] in OPENS and self.open.get(portfolio) is None:
            self.open[portfolio] = rebalance
            self.opened.append((portfolio, case.at))
        if value["status"] in ENDS and self.open.get(portfolio) == rebalance:
            self.open[portfolio], self.ended[portfolio] = None, case.at

    def threshold(self, value, portfolio):
        case, ended = self.case, self.ended.get(portfolio)
        policy = case.last[portfolio, False]["policy"]
        seconds = num(setting(policy, "trigger", "cooldown_seconds", "0")) if policy else 0
        within = ended is not None and case.at < ended + seconds * 1_000_000
        if value["code"] == "COOLDOWN":
            case.same("refused within the cooldown", within, True)
            self.refused.append((portfolio, case.at, ended + int(seconds * 1_000_000), policy["policy_version"]))
        elif value["status"] in (*OPENS, "NO_ACTION_NEEDED"):
            case.same("planned within the cooldown", within, False)
        if value["code"] != "COOLDOWN":
            self.thresholds.append((portfolio, case.at))

    def end(self):
        """Each refusal, at the first moment at or after the end of its cooldown of which the case has a line."""
        for portfolio, refused, due, version in self.refused:
            state = next((state for state in self.case.states if state.now >= due), None)
            policy = state and state.policies.get(portfolio)
            disturbed = any(of == portfolio and refused <= at < due for of, at in self.opened)
            if not policy or str(policy["policy_version"]) != str(version) or disturbed:
                continue
            at = Valuation(state.books[portfolio], state.market, policy, state.now)
            if not at.fit or at.equity <= 0 or portfolio in state.quarantined or any(state.breaks[portfolio].values()):
                continue
            out = Bands(policy, at, state.market).breached()
            told = (portfolio, state.now) in self.thresholds
            self.case.same(f"what {portfolio}'s cooldown until {due} has refused is planned at its end", told, out)
