"""Cases of trading calendars: holidays, early closes, pauses, changes of clocks, ends of weeks, months and years."""

from .story import Story

NEW_YORK = {"venue": "XNYS", "calendar": "XNYS"}
LIMITS = {"max_order_notional": "10000000", "max_daily_notional": "100000000", "price_collar_bp": "10000"}


def traded(start, frequency, time, zone="America/New_York", calendar="XNYS", mode="AUTOMATIC", facts=None, units=None, **policy):
    """A portfolio with half of its money in one share, or less where nothing or a holiday comes first, and a schedule."""
    story = Story(start).instrument("AAA", **(facts or NEW_YORK)).tick("AAA", 100)
    trigger = {"rebalance_frequency": frequency, "schedule_time": time, "mode": mode} if frequency else {"mode": mode}
    story.policy(
        calendar=calendar, time_zone=zone, targets=[{"instrument_id": "AAA", "target_weight": "0.5"}], band={"absolute": "0.9"},
        trigger=trigger, limits=LIMITS, **policy,
    )
    return story.deposit(10000).buy(1, "AAA", units or (50 if frequency else 40), 100)


def ticked(story, *moments):
    for moment in moments:
        story.at(moment).tick("AAA", 100)
    return story


def asked(story, *moments):
    """Somebody wants all lines planned."""
    for number, moment in enumerate(moments, 1):
        value = {"command_id": f"c{number}", "portfolio_id": "P", "kind": "REBALANCE", "mode": "CHECK", "actor": "ann", "issued_at": f"{moment}Z"}
        story.at(moment).line("portfolio.commands.v1", value)
    return story


def calendar_thanksgiving_and_the_half_day_after_it():
    """No turn and no close on the holiday; on the half day the turn at half past three finds the market closed."""
    story = traded("2026-11-25T20:45:00", "DAILY", "15:30", units=40)
    return ticked(story, "2026-11-26T20:30:00", "2026-11-27T17:59:00", "2026-11-27T20:30:00", "2026-11-30T20:30:00")


def calendar_week_with_a_monday_holiday():
    """Labor Day: the week's turn is on Tuesday."""
    story = traded("2026-08-31T14:00:00", "WEEKLY", "10:00")
    return ticked(story, "2026-09-07T14:00:00", "2026-09-08T14:00:00", "2026-09-14T14:00:00")


def calendar_month_that_begins_with_holidays():
    """New Year's Day is a Friday."""
    story = traded("2026-12-30T15:00:00", "MONTHLY", "10:00")
    return ticked(story, "2026-12-31T15:00:00", "2027-01-01T15:00:00", "2027-01-04T15:00:00", "2027-01-05T15:00:00")


def calendar_golden_week_in_tokyo():
    """Ten days without a session: one day cut, and the week's turn on the first session after it."""
    facts = {"venue": "XTKS", "calendar": "XTKS"}
    story = traded("2019-04-25T01:00:00", "WEEKLY", "10:00", zone="Asia/Tokyo", calendar="XTKS", facts=facts)
    return ticked(story, "2019-04-26T03:45:00", "2019-04-29T01:00:00", "2019-05-06T01:00:00", "2019-05-07T01:00:00", "2019-05-08T01:00:00")


def calendar_opening_over_a_change_of_clocks():
    """New York opens at 14:30 UTC on Friday and at 13:30 on Monday: asked a minute before and at each opening."""
    story = traded("2026-03-05T20:59:00", None, None, book={"max_price_age_seconds": 600})
    return asked(story, "2026-03-06T14:29:59", "2026-03-06T14:30:00", "2026-03-09T13:29:59", "2026-03-09T13:30:00")


def calendar_price_grows_older_in_sessions_alone():
    """Five minutes are allowed: one is used on Wednesday, none on Thanksgiving; the rest ends at 14:34 of Friday."""
    facts = {**NEW_YORK, "max_price_age_seconds": 300}
    story = traded("2026-11-25T20:59:00", None, None, facts=facts)
    return asked(story, "2026-11-26T18:00:00", "2026-11-27T14:33:59", "2026-11-27T14:34:01")


def calendar_good_friday_abroad():
    """New York is closed and Tokyo is open, and closed again in its pause."""
    story = traded("2026-04-02T15:00:00", None, None)
    story.instrument("TTT", currency="JPY", venue="XTKS", calendar="XTKS").tick("TTT", 1500).instrument("USD/JPY", "FX", "JPY").tick("USD/JPY", 150)
    story.policy(
        calendar="XNYS", time_zone="America/New_York", band={"absolute": "0.9"}, trigger={"mode": "AUTOMATIC"}, limits=LIMITS,
        targets=[{"instrument_id": "AAA", "target_weight": "0.3"}, {"instrument_id": "TTT", "target_weight": "0.3"}],
    )
    return asked(story, "2026-04-03T02:00:00", "2026-04-03T03:00:00", "2026-04-03T15:00:00", "2026-04-06T14:00:00")


def calendar_gives_way_to_reports():
    """What the venue reports holds from then on, a holiday or not; what is reported of an instrument alone holds until the
    next opening or close."""
    story = traded("2026-04-02T15:00:00", None, None)
    asked(story, "2026-04-02T21:00:00")
    story.at("2026-04-02T21:30:00").line("marketdata.status.v1", {"instrument_id": "AAA", "status": "OPEN", "effective_at": "2026-04-02T21:30:00Z"})
    number = 10
    for moment, status in (("2026-04-02T21:31:00", None), ("2026-04-06T13:30:00", None), ("2026-04-06T20:00:00", None), ("2026-04-06T21:00:00", "OPEN"), ("2026-04-07T20:30:00", None)):
        number += 1
        if status:
            story.at(moment).line("marketdata.status.v1", {"venue": "XNYS", "status": status, "effective_at": f"{moment}Z"})
        value = {"command_id": f"c{number}", "portfolio_id": "P", "kind": "REBALANCE", "mode": "CHECK", "actor": "ann", "issued_at": f"{moment}Z"}
        story.at(moment).line("portfolio.commands.v1", value)
    return story


def calendar_that_ends():
    """Of 2036 the calendar says nothing: weekdays are days whose closes stay provisional, and no market counts as open."""
    story = traded("2035-12-28T15:00:00", "DAILY", "10:00")
    return ticked(story, "2035-12-31T15:00:00", "2036-01-01T15:00:00", "2036-01-02T15:00:00", "2036-01-03T15:00:00")


def calendar_another_from_a_policy_on():
    """The days of before stay; from its arrival on the holidays of London count: Easter Monday."""
    story = traded("2026-04-02T15:00:00", None, None)
    ticked(story, "2026-04-03T05:00:00")
    story.at("2026-04-03T12:00:00").policy(calendar="XLON", time_zone="America/New_York")
    return ticked(story, "2026-04-07T05:00:00", "2026-04-08T05:00:00")


def holidays_are_no_days():
    """Good Friday and a tick on it; a flow on the holiday belongs to Monday."""
    story = Story("2026-03-30T14:00:00").instrument("AAA", sector="TECH", venue="XNYS", calendar="XNYS").tick("AAA", 100)
    story.policy(calendar="XNYS", time_zone="America/New_York", day_cut="16:00", risk_free_rate="0.02").deposit(10000).buy(1, "AAA", 50, 100)
    for moment, price in (("03-30T19:59", 101), ("03-31T19:59", 103), ("04-01T19:59", 102), ("04-02T19:59", 104), ("04-03T15:00", 105)):
        story.at(f"2026-{moment}:00").tick("AAA", price)
    story.deposit(1000)
    for moment, price in (("04-06T19:59", 106), ("04-07T19:59", 103)):
        story.at(f"2026-{moment}:00").tick("AAA", price)
    return story.at("2026-04-07T20:00:00").tick("AAA", 103)


def year_that_ends_on_a_holiday():
    """The year's base is the close of 2026-12-31, the first day of the new one is Monday the fourth."""
    story = Story("2026-12-29T15:00:00").instrument("AAA", venue="XNYS", calendar="XNYS").tick("AAA", 100)
    story.policy(calendar="XNYS", time_zone="America/New_York", day_cut="16:00").deposit(10000).buy(1, "AAA", 50, 100)
    for moment, price in (("2026-12-29T20:59", 101), ("2026-12-30T20:59", 102), ("2026-12-31T20:59", 104), ("2027-01-01T20:59", 150), ("2027-01-04T20:59", 103)):
        story.at(f"{moment}:00").tick("AAA", price)
    return story.at("2027-01-05T21:00:00").tick("AAA", 105)


CASES = [
    calendar_thanksgiving_and_the_half_day_after_it, calendar_week_with_a_monday_holiday, calendar_month_that_begins_with_holidays,
    calendar_golden_week_in_tokyo, calendar_opening_over_a_change_of_clocks, calendar_price_grows_older_in_sessions_alone,
    calendar_good_friday_abroad, calendar_gives_way_to_reports, calendar_that_ends, calendar_another_from_a_policy_on,
    holidays_are_no_days, year_that_ends_on_a_holiday,
]
