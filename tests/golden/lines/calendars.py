"""Cases of days and periods: months and years that end, calendars, cuts, days that were missed."""

from .flows import opened
from .story import walk, weekdays


def month_ends():
    story = opened(start="2026-01-28T09:00:00")
    for moment, price in (("29", 102), ("30", 99), ("31", 103)):
        story.at(f"2026-01-{moment}T00:00:00").tick("AAA", price)
    for moment, price in (("03", 104), ("04", 100), ("05", 101)):
        story.at(f"2026-02-{moment}T00:00:00").tick("AAA", price)
    return story


def year_ends():
    story = opened(start="2025-12-29T09:00:00").at("2025-12-30T00:00:00").tick("AAA", 104)
    story.at("2025-12-31T00:00:00").tick("AAA", 105).at("2026-01-01T00:00:00").tick("AAA", 106)
    return story.at("2026-01-02T00:00:00").tick("AAA", 103).at("2026-01-03T00:00:00").tick("AAA", 107)


def leap_day():
    story = opened(start="2028-02-25T09:00:00").at("2028-02-26T00:00:00").tick("AAA", 104)
    story.at("2028-02-29T00:00:00").tick("AAA", 105).at("2028-03-01T00:00:00").tick("AAA", 106)
    return story.at("2028-03-02T00:00:00").tick("AAA", 103)


def every_day_of_the_week():
    story = opened(start="2026-01-02T09:00:00", calendar="24/7", risk_free_rate="0.03")
    for day, price in enumerate((101, 99, 102, 103, 101, 104), 3):
        story.at(f"2026-01-0{day}T00:00:00").tick("AAA", price)
    return story


def cut_at_four_in_new_york():
    story = opened(time_zone="America/New_York", day_cut="16:00").at("2026-01-05T20:59:59").tick("AAA", 101)
    story.at("2026-01-05T21:00:00").tick("AAA", 102).deposit(500).at("2026-01-06T21:00:00").tick("AAA", 103)
    story.at("2026-01-07T20:00:00").tick("AAA", 104).withdraw(100)
    return story.at("2026-01-07T21:00:00").tick("AAA", 105).at("2026-01-08T21:00:00").tick("AAA", 100)


def missed_days():
    """Three weeks without a line: the newest ten days are closed, and the first of them says what all have come to."""
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").deposit(700)
    return story.at("2026-01-27T10:00:00").tick("AAA", 110).at("2026-01-28T00:00:00").tick("AAA", 108)


def fourteen_days():
    story = opened()
    for day, price in zip(weekdays("2026-01-06", 14), walk(17, 100, 14)):
        story.at(f"{day}T00:00:00").tick("AAA", price)
    return story.at("2026-01-23T09:00:00")


def late_flow_of_weeks_ago():
    """Only the newest ten days are closed again: the flow counts on the first of them."""
    story = fourteen_days().deposit(4000, effective="2026-01-07T10:00:00Z")
    return story.at("2026-01-23T12:00:00").tick("AAA", 101).at("2026-01-24T00:00:00").tick("AAA", 102)


def late_fill_of_weeks_ago():
    """So does the fill, with its cost."""
    story = fourteen_days().buy(2, "AAA", 5, 99, day="2026-01-08")
    return story.at("2026-01-23T12:00:00").tick("AAA", 101).at("2026-01-24T00:00:00").tick("AAA", 102)


def weekend_flow():
    """What flows on a Saturday belongs to the Monday."""
    story = opened(start="2026-01-08T09:00:00").at("2026-01-09T00:00:00").tick("AAA", 102).at("2026-01-10T00:00:00").tick("AAA", 103)
    story.at("2026-01-10T12:00:00").deposit(2000).at("2026-01-12T15:00:00").tick("AAA", 104)
    return story.at("2026-01-13T00:00:00").tick("AAA", 105).at("2026-01-14T00:00:00").tick("AAA", 104)


def more_than_a_year():
    """Annualised figures want 365 calendar days; the year rolls on."""
    story = opened(start="2025-01-06T09:00:00", benchmark="IDX", risk_free_rate="0.02").instrument("IDX").tick("IDX", 400)
    prices, known = walk(11, 100, 16, 0.05), weekdays("2025-01-06", 283)
    for day, level in zip(known, walk(12, 400, 283, 0.01)):
        story.official("IDX", day, level)
    days = ["2025-01-07", "2025-02-04", "2025-03-11", "2025-04-15", "2025-05-20", "2025-06-24", "2025-07-29", "2025-09-02"]
    days += ["2025-10-07", "2025-11-11", "2025-12-16", "2026-01-06", "2026-01-07", "2026-01-08", "2026-02-03", "2026-02-04"]
    for at, day in enumerate(days):
        story.at(f"{day}T00:00:00").tick("AAA", prices[at])
        if at == 6:
            story.at(f"{day}T12:00:00").deposit(5000)
        if at == 9:
            story.at(f"{day}T12:00:00").withdraw(2500)
    return story


def another_cut_from_a_day_on():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T10:00:00")
    story.policy(time_zone="America/New_York", day_cut="16:00").at("2026-01-06T21:00:00").tick("AAA", 103)
    return story.at("2026-01-07T21:00:00").tick("AAA", 104).at("2026-01-08T21:00:00").tick("AAA", 101)


def benchmark_absent_at_the_end_of_a_month():
    """Its level of the day before is the base of the new month."""
    story = opened(start="2026-01-28T09:00:00", benchmark="IDX").instrument("IDX", "OTHER").tick("IDX", 400)
    for moment, price, level in (("01-29", 102, 404), ("01-30", 99, 402), ("01-31", 103, None), ("02-03", 104, 410), ("02-04", 100, 405), ("02-05", 101, 401)):
        story.at(f"2026-{moment}T00:00:00").tick("AAA", price)
        if level:
            story.at(f"2026-{moment}T12:00:00").tick("IDX", level)
    return story


CASES = [
    month_ends, year_ends, leap_day, every_day_of_the_week, cut_at_four_in_new_york, missed_days, late_flow_of_weeks_ago, late_fill_of_weeks_ago, weekend_flow,
    more_than_a_year, another_cut_from_a_day_on, benchmark_absent_at_the_end_of_a_month,
]
