"""Cases of figures beyond a policy's bounds: what is held, what releases it, and what is no anomaly."""

from .exchanges import LIMITS
from .story import Story


def bounded(**book):
    """Half in one share; a day may return a tenth, prices may move a weight by a tenth, and the band is a tenth."""
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS").tick("AAA", 100).instrument("BBB", venue="XNYS").tick("BBB", 50)
    targets = [{"instrument_id": "AAA", "target_weight": "0.45"}, {"instrument_id": "BBB", "target_weight": "0.1"}]
    story.policy().deposit(10000).buy(1, "AAA", 50, 100).buy(2, "BBB", 20, 50)
    story.policy(targets=targets, band={"absolute": "0.1"}, trigger={"mode": "AUTOMATIC"}, limits=LIMITS, book=book)
    return story.at("2026-01-06T00:00:00").tick("AAA", 100)


def command(story, number, kind, **more):
    value = {"command_id": f"c{number}", "portfolio_id": "P", "kind": kind, "actor": "ann", "reason": "looked at it", "issued_at": story.now}
    return story.line("portfolio.commands.v1", {**value, **more})


def anomaly_of_a_daily_return_is_held_and_released():
    """Exactly a tenth is within; more is held from plans until a person accepts it, and then no more than that."""
    story = bounded(max_daily_return="0.1").at("2026-01-06T10:00:00").tick("AAA", 120)
    story.at("2026-01-06T10:01:00").tick("AAA", 160)
    command(story.at("2026-01-06T10:02:00"), 1, "REBALANCE")
    command(story.at("2026-01-06T10:03:00"), 2, "RELEASE")
    return story.at("2026-01-06T10:04:00").tick("AAA", 161)


def anomaly_of_a_weight_is_held_until_the_price_is_back():
    """What moves a weight too far is held; back within its bound the breach that still stands is planned."""
    story = bounded(max_weight_jump="0.1").at("2026-01-06T10:00:00").tick("AAA", 160)
    command(story.at("2026-01-06T10:01:00"), 1, "REBALANCE")
    return story.at("2026-01-06T10:02:00").tick("AAA", 155).at("2026-01-06T10:02:30").tick("AAA", 151).at("2026-01-06T10:03:00").tick("AAA", 149.9)


def anomaly_is_no_flow_split_trade_or_policy():
    story = bounded(max_daily_return="0.01", max_weight_jump="0.01").at("2026-01-06T10:00:00").deposit(500000)
    story.at("2026-01-06T10:01:00").buy(3, "BBB", 2000, 50, day="2026-01-06").at("2026-01-06T10:02:00").withdraw(300000)
    story.at("2026-01-06T10:03:00").action("SPLIT", "s1", "AAA", "2026-01-06", ratio_new="2", ratio_old="1").tick("AAA", 50)
    story.at("2026-01-06T10:04:00").policy(band={"absolute": "0.2"}, book={"max_daily_return": "0.01", "max_weight_jump": "0.01"})
    story.at("2026-01-06T10:05:00").tick("BBB", 60)
    return story.at("2026-01-07T00:00:00").tick("BBB", 60).at("2026-01-07T09:00:00").tick("BBB", 60.1)


def anomaly_accepted_counts_until_the_day_is_cut():
    story = bounded(max_daily_return="0.05").at("2026-01-06T10:00:00").tick("AAA", 115)
    command(story.at("2026-01-06T10:01:00"), 1, "RELEASE")
    story.at("2026-01-06T10:02:00").tick("AAA", 124).at("2026-01-06T10:03:00").tick("AAA", 130)
    story.at("2026-01-07T00:00:00").tick("AAA", 130).at("2026-01-07T10:00:00").tick("AAA", 110)
    return command(story.at("2026-01-07T10:01:00").tick("AAA", 128), 2, "RELEASE")


CASES = [
    anomaly_of_a_daily_return_is_held_and_released, anomaly_of_a_weight_is_held_until_the_price_is_back,
    anomaly_is_no_flow_split_trade_or_policy, anomaly_accepted_counts_until_the_day_is_cut,
]
