"""Cases of risk and of benchmarks: the history is told by official closes, the days by ticks."""

from .story import Story, walk, weekdays

START, BEFORE = "2026-03-30T08:00:00", weekdays("2025-12-22", 70)


def told(story, name, seed, price, wild=0.02, days=None, currency="USD"):
    """Official closes of the days before, and the last of them as a tick."""
    days = BEFORE if days is None else days
    prices = walk(seed, price, len(days), wild)
    for day, close in zip(days, prices):
        story.official(name, day, close, currency)
    return story.tick(name, prices[-1])


def book_of_three(**policy):
    story = Story(START).instrument("AAA", sector="TECH", venue="XNYS").instrument("BBB", sector="BANKS", venue="XNYS")
    story.instrument("CCC", sector="TECH", venue="XNYS").instrument("IDX", "OTHER", venue="XNYS")
    told(told(told(told(story, "AAA", 1, 100), "BBB", 2, 50), "CCC", 3, 20), "IDX", 4, 1000, 0.01)
    return story.policy(**policy).deposit(100000)


def holdings_with_a_benchmark():
    story = book_of_three(benchmark="IDX", risk_free_rate="0.025", target_risk="0.12").at("2026-03-30T15:00:00")
    story.buy(1, "AAA", 300, 101).buy(2, "BBB", 500, 51).buy(3, "CCC", 400, 20)
    story.at("2026-03-30T20:00:00").tick("AAA", 102).tick("BBB", 52).tick("CCC", "20.5").tick("IDX", 1003)
    story.at("2026-03-31T00:00:00").tick("AAA", 102).at("2026-03-31T20:00:00").tick("AAA", 101).tick("BBB", 51).tick("CCC", 21).tick("IDX", 1001)
    return story.at("2026-04-01T00:00:00").tick("AAA", 101)


def long_and_short():
    story = book_of_three(benchmark="IDX").at("2026-03-30T15:00:00")
    story.buy(1, "AAA", 300, 101).fill(2, "SELL_SHORT", "BBB", 500, 51).at("2026-03-31T00:00:00").tick("AAA", 101)
    return story


def instrument_with_too_little_history():
    story = Story(START).instrument("AAA", sector="TECH").instrument("NEW", sector="TECH").instrument("IDX", "OTHER")
    told(told(story, "AAA", 1, 100), "IDX", 4, 1000)
    told(story, "NEW", 5, 30, days=BEFORE[-30:]).policy(benchmark="IDX").deposit(50000)
    story.buy(1, "AAA", 100, 100).buy(2, "NEW", 200, 30)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def short_instrument_with_too_little_history():
    story = Story(START).instrument("AAA", sector="TECH").instrument("NEW", sector="TECH")
    told(told(story, "AAA", 1, 100), "NEW", 5, 30, days=BEFORE[-30:]).policy(orders={"allow_short": True}).deposit(50000)
    story.buy(1, "AAA", 100, 100).fill(2, "SELL_SHORT", "NEW", 200, 30)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def histories_of_unequal_length():
    story = Story(START).instrument("AAA", sector="TECH").instrument("NEW", sector="TECH")
    told(told(story, "AAA", 1, 100), "NEW", 5, 30, days=BEFORE[-64:]).policy().deposit(50000)
    story.buy(1, "AAA", 100, 100).buy(2, "NEW", 200, 30)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def histories_with_other_holidays():
    """Levels are joined on common days first: a return may span a holiday of the other."""
    story = Story(START).instrument("AAA", sector="TECH").instrument("BBB", sector="OIL").instrument("IDX", "OTHER")
    told(story, "AAA", 1, 100, days=[d for at, d in enumerate(BEFORE) if at not in (10, 30)])
    told(story, "BBB", 2, 50, days=[d for at, d in enumerate(BEFORE) if at not in (20,)])
    told(story, "IDX", 4, 1000, days=[d for at, d in enumerate(BEFORE) if at not in (40, 41)])
    story.policy(benchmark="IDX", risk_free_rate="0.02").deposit(50000).buy(1, "AAA", 100, 100).buy(2, "BBB", 200, 50)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def instrument_abroad():
    story = Story(START).instrument("AAA", sector="TECH").instrument("EEE", currency="EUR", sector="CARS")
    told(told(told(story, "AAA", 1, 100), "EEE", 6, 40, currency="EUR"), "EUR/USD", 7, "1.1", 0.005)
    story.policy().deposit(50000).buy(1, "AAA", 100, 100).buy(2, "EEE", 200, 40, currency="EUR")
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def rate_with_holidays_of_its_own():
    """A day without a rate has the last one of before."""
    story = Story(START).instrument("AAA", sector="TECH").instrument("EEE", currency="EUR", sector="CARS")
    told(told(story, "AAA", 1, 100), "EEE", 6, 40, currency="EUR")
    told(story, "EUR/USD", 7, "1.1", 0.005, days=[d for at, d in enumerate(BEFORE) if at not in (3, 30, 31)])
    story.policy().deposit(50000).buy(1, "AAA", 100, 100).buy(2, "EEE", 200, 40, currency="EUR")
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def rate_by_its_inverse():
    story = Story(START).instrument("AAA", sector="TECH").instrument("EEE", currency="EUR", sector="CARS")
    told(told(told(story, "AAA", 1, 100), "EEE", 6, 40, currency="EUR"), "USD/EUR", 7, "0.9", 0.005)
    story.policy().deposit(50000).buy(1, "AAA", 100, 100).buy(2, "EEE", 200, 40, currency="EUR")
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def future_by_its_notional():
    story = Story(START).instrument("AAA", sector="TECH").instrument("FUT", "FUTURE", multiplier="10", sector="INDEX")
    told(told(story, "AAA", 1, 100), "FUT", 8, 500).policy().deposit(50000)
    story.buy(1, "AAA", 100, 100).buy(2, "FUT", 5, 500)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def history_across_a_split_and_a_dividend():
    story = Story(START).instrument("AAA", sector="TECH").instrument("BBB", sector="OIL")
    told(told(story, "AAA", 1, 100, 0.01), "BBB", 2, 50, 0.01)
    story.action("SPLIT", "s1", "AAA", "2026-03-02", ratio_new="2", ratio_old="1")
    story.action("CASH_DIVIDEND", "d1", "BBB", "2026-02-16", amount_per_share="3", currency="USD", pay_date="2026-03-16")
    for day, price in zip(BEFORE[50:], walk(9, 50, 20, 0.01)):
        story.official("AAA", day, price)
    story.policy().tick("AAA", 50).deposit(50000).buy(1, "AAA", 100, 50).buy(2, "BBB", 200, 50)
    return story.at("2026-03-31T00:00:00").tick("BBB", 51)


def crypto_days_are_365_a_year():
    days = [f"2026-0{m}-{d:02}" for m, last in ((1, 31), (2, 28), (3, 29)) for d in range(1, last + 1)]
    story = Story(START).instrument("BTC/USD", "CRYPTO", base_asset="BTC")
    told(story, "BTC/USD", 10, 90000, 0.04, days=days).policy(calendar="24/7", risk_free_rate="0.04").deposit(50000)
    return story.buy(1, "BTC/USD", "0.3", 90000).at("2026-03-31T00:00:00").tick("BTC/USD", 91000)


def equity_at_zero_has_no_weights():
    story = Story(START).instrument("AAA", sector="TECH")
    told(story, "AAA", 1, 100).policy().deposit(1000).buy(1, "AAA", 100, 100)
    return story.at("2026-03-30T12:00:00").tick("AAA", 90).at("2026-03-31T00:00:00").tick("AAA", 90)


def days_of_its_own(*known, **policy):
    """A portfolio whose days come by ticks; the instruments that are named have a history of before."""
    story = Story("2026-01-05T09:00:00").instrument("AAA", sector="TECH").tick("AAA", 100)
    for at, name in enumerate(known):
        told(story.instrument(name, sector="TECH"), name, 40 + at, 100, days=weekdays("2025-09-22", 75))
    return story.tick("AAA", 100).policy(**policy).deposit(10000).buy(1, "AAA", 70, 100)


def realised_against_target():
    story = days_of_its_own(target_risk="0.2", risk_free_rate="0.02")
    for day, price in zip(weekdays("2026-01-06", 64), walk(13, 100, 64)):
        story.at(f"{day}T00:00:00").tick("AAA", price)
    return story


def benchmark_with_holidays_of_its_own():
    """The benchmark says nothing on two days: the returns that follow span them."""
    story = days_of_its_own("AAA", "IDX", benchmark="IDX", risk_free_rate="0.02").tick("IDX", 1000)
    levels = walk(15, 1000, 9, 0.02)
    for at, (day, price) in enumerate(zip(weekdays("2026-01-06", 9), walk(14, 100, 9))):
        story.at(f"{day}T00:00:00").tick("AAA", price).at(f"{day}T18:00:00")
        story = story if at in (2, 5) else story.tick("IDX", levels[at])
    return story.at("2026-01-17T00:00:00").tick("AAA", 102)


def benchmark_beside_a_first_day_that_earned():
    """Both begin with the level of the first day: what was earned on it is no part of the first return beside it."""
    story = days_of_its_own("AAA", "IDX", benchmark="IDX").tick("IDX", 1000).at("2026-01-05T18:00:00").tick("AAA", 104).tick("IDX", 1001)
    for day, price, level in zip(weekdays("2026-01-06", 4), (103, 105, 102, 101), (1004, 1010, 1002, 998)):
        story.at(f"{day}T12:00:00").tick("AAA", price).at(f"{day}T18:00:00").tick("IDX", level)
    return story.at("2026-01-12T00:00:00").tick("AAA", 102)


def benchmark_told_late():
    """Its prices come by official closes, days later: what was published is told anew."""
    story = days_of_its_own(benchmark="IDX").instrument("IDX", "OTHER")
    for day, price in zip(weekdays("2026-01-06", 4), walk(14, 100, 4)):
        story.at(f"{day}T00:00:00").tick("AAA", price)
    story.at("2026-01-09T09:00:00")
    for day, price in zip(("2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"), (1000, 1010, 1004, 1020)):
        story.official("IDX", day, price)
    story.at("2026-01-09T10:00:00").tick("AAA", 101).at("2026-01-10T00:00:00").tick("AAA", 102)
    return story.official("IDX", "2026-01-09", 1015).at("2026-01-13T00:00:00").tick("AAA", 103)


def benchmark_that_stands_still():
    """A day on which it returns nothing is neither a rise nor a fall."""
    story = days_of_its_own("AAA", "IDX", benchmark="IDX").tick("IDX", "398.1")
    for day, price, level in zip(weekdays("2026-01-06", 5), walk(14, 100, 5), ("394.87", "393.47", "393.47", "392.37", "390.86")):
        story.at(f"{day}T00:00:00").tick("AAA", price).at(f"{day}T18:00:00").tick("IDX", level)
    return story.at("2026-01-13T00:00:00").tick("AAA", 102)


def prices_that_stand_still():
    """Nothing varies: what divides by that has a reason."""
    story = Story(START).instrument("AAA", sector="TECH").instrument("BBB", sector="OIL").instrument("IDX", "OTHER")
    for name, price in (("AAA", 100), ("BBB", 50), ("IDX", 1000)):
        for day in BEFORE:
            story.official(name, day, price)
        story.tick(name, price)
    story.policy(benchmark="IDX", target_risk="0.1").deposit(50000).buy(1, "AAA", 100, 100).buy(2, "BBB", 100, 50)
    return story.at("2026-03-31T00:00:00").tick("AAA", 100)


def one_instrument_that_stands_still():
    story = Story(START).instrument("AAA", sector="TECH").instrument("BBB", sector="OIL").instrument("IDX", "OTHER")
    told(told(story, "BBB", 2, 50), "IDX", 4, 1000)
    for day in BEFORE:
        story.official("AAA", day, 100)
    story.tick("AAA", 100).policy(benchmark="IDX").deposit(50000).buy(1, "AAA", 100, 100).buy(2, "BBB", 100, 50)
    return story.at("2026-03-31T00:00:00").tick("AAA", 100)


def benchmark_that_is_held():
    story = Story(START).instrument("AAA", sector="TECH").instrument("IDX", "ETF", sector="INDEX")
    told(told(story, "AAA", 1, 100), "IDX", 4, 1000).policy(benchmark="IDX").deposit(90000).buy(1, "AAA", 100, 100).buy(2, "IDX", 30, 1000)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def benchmark_with_a_split_and_a_dividend():
    """What it returned, and not what its price did."""
    story = days_of_its_own("AAA", "IDX", benchmark="IDX").tick("IDX", 400)
    story.action("SPLIT", "s1", "IDX", "2026-01-08", ratio_new="2", ratio_old="1")
    story.action("CASH_DIVIDEND", "d1", "IDX", "2026-01-12", amount_per_share="4", currency="USD", pay_date="2026-01-20")
    for day, price, level in zip(weekdays("2026-01-06", 6), walk(14, 100, 6), (404, 402, 201, 203, 198, 200)):
        story.at(f"{day}T00:00:00").tick("AAA", price).at(f"{day}T18:00:00").tick("IDX", level)
    return story.at("2026-01-14T00:00:00").tick("AAA", 102)


def benchmark_abroad():
    """In the base currency, as what is held."""
    story = days_of_its_own("AAA", benchmark="IDX").instrument("IDX", "OTHER", currency="EUR").tick("IDX", 400).tick("EUR/USD", "1.1")
    for day, price, level, rate in zip(weekdays("2026-01-06", 5), walk(14, 100, 5), (404, 402, 405, 407, 406), ("1.12", "1.08", "1.09", "1.1", "1.13")):
        story.at(f"{day}T00:00:00").tick("AAA", price).at(f"{day}T18:00:00").tick("IDX", level).tick("EUR/USD", rate)
    return story.at("2026-01-13T00:00:00").tick("AAA", 102)


def another_benchmark_from_a_day_on():
    story = days_of_its_own("AAA", "IDX", "JDX", benchmark="IDX", risk_free_rate="0.01").tick("IDX", 1000).tick("JDX", 201)
    for at, (day, price) in enumerate(zip(weekdays("2026-01-06", 6), walk(14, 100, 6))):
        story.at(f"{day}T00:00:00").tick("AAA", price).at(f"{day}T18:00:00").tick("IDX", 1000 + 7 * at).tick("JDX", 200 - at)
        if at == 2:
            story.policy(benchmark="JDX", risk_free_rate="0.05")
    return story.at("2026-01-14T00:00:00").tick("AAA", 102)


def benchmark_with_little_history():
    """What is held has history enough: its risk does not hang on the benchmark."""
    story = Story(START).instrument("AAA", sector="TECH").instrument("IDX", "OTHER")
    told(told(story, "AAA", 1, 100), "IDX", 4, 1000, days=BEFORE[-20:]).policy(benchmark="IDX").deposit(50000)
    return story.buy(1, "AAA", 100, 100).at("2026-03-31T00:00:00").tick("AAA", 101)


def bond_and_its_accrued_interest():
    story = Story(START).instrument("BND", "BOND", sector="STATE").instrument("AAA", sector="TECH")
    told(told(story, "BND", 16, 98, 0.003), "AAA", 1, 100).tick("BND", 98, accrued="1.25").policy().deposit(90000)
    story.buy(1, "BND", 300, 98, accrued_interest="375").buy(2, "AAA", 100, 100)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def official_close_amended():
    """A close that is told again amends the history from then on."""
    story = Story(START).instrument("AAA", sector="TECH")
    told(story, "AAA", 1, 100).policy().deposit(50000).buy(1, "AAA", 100, 100).at("2026-03-31T00:00:00").tick("AAA", 101)
    return story.at("2026-03-31T09:00:00").official("AAA", BEFORE[40], "80").at("2026-04-01T00:00:00").tick("AAA", 102)


CASES = [
    holdings_with_a_benchmark, long_and_short, instrument_with_too_little_history, short_instrument_with_too_little_history, histories_of_unequal_length,
    histories_with_other_holidays, instrument_abroad, rate_with_holidays_of_its_own, rate_by_its_inverse, future_by_its_notional, history_across_a_split_and_a_dividend,
    crypto_days_are_365_a_year, equity_at_zero_has_no_weights, realised_against_target, benchmark_with_holidays_of_its_own,
    benchmark_beside_a_first_day_that_earned, benchmark_told_late, benchmark_that_stands_still, prices_that_stand_still, one_instrument_that_stands_still,
    benchmark_that_is_held, benchmark_with_a_split_and_a_dividend, benchmark_abroad, another_benchmark_from_a_day_on, benchmark_with_little_history, bond_and_its_accrued_interest,
    official_close_amended,
]
