"""Cases of risk against a policy's target: what plans say of it, and targets that are scaled to it."""

from .anomalies import command
from .risks import BEFORE, START, told
from .story import Story, walk, weekdays

SCALED = {"scale_targets": True}


def line(name, weight, **bounds):
    return {"group" if name.isupper() and len(name) != 3 else "instrument_id": name, "target_weight": weight, **bounds}


def book_of_two(**policy):
    """Half in AAA, two fifths in BBB, both with a history; nothing is known of their risk before the first close."""
    story = Story(START).instrument("AAA", sector="TECH").instrument("BBB", sector="BANKS")
    told(told(story, "AAA", 1, 100), "BBB", 2, 50)
    story.policy().deposit(100000).buy(1, "AAA", 500, 100).buy(2, "BBB", 800, 50)
    return story.policy(**{"targets": [line("AAA", "0.5"), line("BBB", "0.4")], "band": {"absolute": "0.1"}, **policy})


def checked(story, *moments):
    for moment in moments:
        command(story.at(moment), len(story.lines), "REBALANCE", mode="CHECK")
    return story


def risk_scales_targets_and_cash_takes_the_rest():
    """The first close tells a volatility above the target: the bands lie around smaller targets, and both lines are out."""
    story = book_of_two(target_risk="0.06", orders={"risk": SCALED}).at("2026-03-30T15:00:00").tick("AAA", 101)
    story.at("2026-03-31T00:00:00").tick("AAA", 101).at("2026-03-31T15:00:00").tick("AAA", 102)
    return checked(story, "2026-03-31T16:00:00")


def risk_below_its_target_scales_nothing():
    story = book_of_two(target_risk="0.6", orders={"risk": SCALED}).at("2026-03-31T00:00:00").tick("AAA", 101)
    return checked(story, "2026-03-31T16:00:00")


def risk_scales_bounds_and_bands_of_every_kind():
    """Bounds of a line's own are scaled with it, a relative band with its target, a cash band lies around the cash that is left."""
    targets = [line("AAA", "0.5", min_weight="0.3", max_weight="0.55"), line("BBB", "0.4")]
    story = book_of_two(
        target_risk="0.1", targets=targets, band={"kind": "RELATIVE", "relative": "0.1"}, trigger={"cash_band": "0.05", "goal": "BAND_EDGE"},
        orders={"risk": SCALED, "rounding": "NEAREST"},
    )
    story.at("2026-03-31T00:00:00").tick("AAA", 101).at("2026-03-31T15:00:00").tick("BBB", 53)
    return checked(story, "2026-03-31T16:00:00")


def risk_scales_groups():
    """A group that shares its target by value, and one that bounds a member with a target of its own."""
    story = Story(START).instrument("AAA", sector="TECH").instrument("BBB", sector="BANKS").instrument("CCC", sector="TECH")
    told(told(told(story, "AAA", 1, 100), "BBB", 2, 50), "CCC", 3, 20)
    story.policy().deposit(100000).buy(1, "AAA", 300, 100).buy(2, "BBB", 600, 50).buy(3, "CCC", 1000, 20)
    targets = [line("TECH", "0.5"), line("BANKS", "0.3333333333", max_weight="0.4"), line("BBB", "0.3333333333")]
    story.policy(target_risk="0.0777", targets=targets, band={"absolute": "0.04"}, orders={"risk": SCALED})
    return checked(story.at("2026-03-31T00:00:00").tick("AAA", 101), "2026-03-31T16:00:00")


def risk_scales_shorts():
    story = Story(START).instrument("AAA", sector="TECH").instrument("BBB", sector="BANKS")
    told(told(story, "AAA", 1, 100), "BBB", 2, 50)
    story.policy(orders={"allow_short": True}).deposit(100000).buy(1, "AAA", 700, 100).fill(2, "SELL_SHORT", "BBB", 600, 50)
    orders = {"allow_short": True, "risk": SCALED, "cash_reserve": "0.05", "reserve_scales_targets": True}
    story.policy(target_risk="0.09", targets=[line("AAA", "0.7"), line("BBB", "-0.3")], band={"absolute": "0.03"}, orders=orders)
    return checked(story.at("2026-03-31T00:00:00").tick("AAA", 101), "2026-03-31T16:00:00")


def risk_of_little_history_scales_nothing_and_says_so():
    """A third of the book has no history: less is covered than the policy asks for, until it asks for less."""
    story = Story(START).instrument("AAA", sector="TECH").instrument("NEW", sector="TECH")
    told(told(story, "AAA", 1, 100), "NEW", 5, 30, days=BEFORE[-30:])
    story.policy().deposit(100000).buy(1, "AAA", 500, 100).buy(2, "NEW", 800, 30)
    policy = {"targets": [line("AAA", "0.5"), line("NEW", "0.25")], "band": {"absolute": "0.1"}, "target_risk": "0.05"}
    story.policy(**policy, orders={"risk": SCALED}).at("2026-03-31T00:00:00").tick("AAA", 101)
    checked(story, "2026-03-31T16:00:00")
    story.at("2026-03-31T17:00:00").policy(**policy, orders={"risk": {**SCALED, "min_coverage": "0.5"}})
    return checked(story, "2026-03-31T18:00:00")


def risk_of_a_shadow_alone():
    """The policy's own targets stand as they are; its shadow's are scaled."""
    shadow = {"targets": [line("AAA", "0.5"), line("BBB", "0.4")], "band": {"absolute": "0.1"}, "orders": {"risk": SCALED}}
    story = book_of_two(target_risk="0.06", shadow=shadow).at("2026-03-31T00:00:00").tick("AAA", 101)
    return checked(story.at("2026-03-31T10:00:00").tick("AAA", 103), "2026-03-31T16:00:00")


def risk_follows_its_policy():
    """Another target, none, and one again: targets are scaled by the figures that are known."""
    story = book_of_two(target_risk="0.06", orders={"risk": SCALED}).at("2026-03-31T00:00:00").tick("AAA", 101)
    usual = {"targets": [line("AAA", "0.5"), line("BBB", "0.4")], "band": {"absolute": "0.1"}}
    for hour, more in ((9, {"target_risk": "0.09", "orders": {"risk": SCALED}}), (10, {}), (11, {"target_risk": "0.05"})):
        story.at(f"2026-03-31T{hour:02}:00:00").policy(**usual, **more)
    return checked(story, "2026-03-31T16:00:00")


def unknown_from_the_second_close(**policy):
    """Figures count at the first close. At the second a quarter of the book has no history, and less is covered than is asked for."""
    story = book_of_two(target_risk="0.06", **policy).instrument("NEW", sector="TECH").at("2026-03-31T00:00:00").tick("AAA", 101)
    story.at("2026-03-31T10:00:00").tick("NEW", 30).deposit(30000).buy(3, "NEW", 1000, 30)
    return checked(story.at("2026-04-01T00:00:00").tick("AAA", 104), "2026-04-01T16:00:00")


def risk_that_is_not_known_any_more_leaves_the_scale():
    """The scale stays that of the first close: under another target, none and one again, until figures count once more."""
    story = unknown_from_the_second_close(orders={"risk": SCALED})
    usual = {"targets": [line("AAA", "0.5"), line("BBB", "0.3")], "band": {"absolute": "0.1"}}
    more = ({"target_risk": "0.05", "orders": {"risk": SCALED}}, {}, {"target_risk": "0.05", "orders": {"risk": SCALED}})
    for hour, rules in enumerate(more, 17):
        story.at(f"2026-04-01T{hour:02}:00:00").policy(**usual, **rules)
    checked(story, "2026-04-01T20:00:00")
    story.at("2026-04-01T21:00:00").sell(4, "NEW", 1000, 30).at("2026-04-02T00:00:00").tick("BBB", 51)
    return checked(story, "2026-04-02T16:00:00")


def risk_that_is_not_known_any_more_leaves_a_shadow_its_scale():
    shadow = {"targets": [line("AAA", "0.5"), line("BBB", "0.4")], "band": {"absolute": "0.1"}, "orders": {"risk": SCALED}}
    return unknown_from_the_second_close(shadow=shadow)


def realised(target_risk, weight):
    """Sixty-four days of its own in one share of 70 units, and what a person's rebalance would do then."""
    story = Story("2026-01-05T09:00:00").instrument("AAA", sector="TECH").tick("AAA", 100)
    story.policy().deposit(10000).buy(1, "AAA", 70, 100)
    days = weekdays("2026-01-06", 64)
    for day, price in zip(days, walk(13, 100, 64)):
        story.at(f"{day}T00:00:00").tick("AAA", price)
        if day == days[60]:
            story.policy(targets=[line("AAA", weight)], band={"absolute": "0.9"}, target_risk=target_risk)
            command(story, 8, "REBALANCE", mode="CHECK")
    return checked(story, f"{days[-1]}T16:00:00")


def risk_above_its_target_and_a_plan_that_raises_it():
    return realised("0.05", "0.95")


def risk_above_its_target_and_a_plan_that_lowers_it():
    return realised("0.05", "0.3")


def risk_below_its_target_and_a_plan_that_lowers_it():
    return realised("0.5", "0.3")


CASES = [
    risk_scales_targets_and_cash_takes_the_rest, risk_below_its_target_scales_nothing, risk_scales_bounds_and_bands_of_every_kind, risk_scales_groups,
    risk_scales_shorts, risk_of_little_history_scales_nothing_and_says_so, risk_of_a_shadow_alone, risk_follows_its_policy,
    risk_that_is_not_known_any_more_leaves_the_scale, risk_that_is_not_known_any_more_leaves_a_shadow_its_scale,
    risk_above_its_target_and_a_plan_that_raises_it, risk_above_its_target_and_a_plan_that_lowers_it, risk_below_its_target_and_a_plan_that_lowers_it,
]
