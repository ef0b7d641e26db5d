"""Cases of single rules: where a fee, an hour, a date or a window belongs."""

from .flows import opened
from .risks import START, told
from .story import Story, weekdays


def fees_in_another_currency():
    story = opened().tick("EUR/USD", "1.1").at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T15:00:00").tick("EUR/USD", "1.2")
    story.sell(2, "AAA", 20, 103, fees=[{"type": "COMMISSION", "amount": "5", "currency": "EUR"}, {"type": "TAX", "amount": "-1", "currency": "USD"}])
    return story.at("2026-01-07T00:00:00").tick("AAA", 104).at("2026-01-08T00:00:00").tick("AAA", 104)


def fee_at_a_rate_of_weeks_ago():
    """The last rate stands, however old it is."""
    story = opened().tick("EUR/USD", "1.1").at("2026-01-26T15:00:00").tick("AAA", 102)
    story.sell(2, "AAA", 20, 103, fees=[{"type": "COMMISSION", "amount": "5", "currency": "EUR"}])
    return story.at("2026-01-27T00:00:00").tick("AAA", 104).at("2026-01-28T00:00:00").tick("AAA", 104)


def entries_of_a_strategy():
    """A fee and interest of a strategy that name no instrument, and of an instrument that name no strategy."""
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").cash("FEE", 25, strategy="ALPHA")
    story.cash("INTEREST", 12, strategy="BETA").cash("FEE", 4, instrument_id="AAA")
    return story.at("2026-01-07T00:00:00").tick("AAA", 103).at("2026-01-08T00:00:00").tick("AAA", 103)


def bought_and_sold_in_a_day():
    story = opened().instrument("BBB", venue="XLON", sector="OIL").tick("BBB", 20).at("2026-01-06T00:00:00").tick("AAA", 102)
    story.at("2026-01-06T10:00:00").buy(2, "BBB", 100, 20, strategy="ALPHA").at("2026-01-06T11:00:00").sell(3, "BBB", 100, 22, strategy="ALPHA")
    return story.at("2026-01-07T00:00:00").tick("AAA", 103).at("2026-01-08T00:00:00").tick("AAA", 101)


def fill_of_a_saturday():
    """Its trade date ends no day: it belongs to the Monday."""
    story = opened(start="2026-01-08T09:00:00").at("2026-01-09T00:00:00").tick("AAA", 102).at("2026-01-10T00:00:00").tick("AAA", 103)
    story.at("2026-01-10T12:00:00").buy(2, "AAA", 10, 100).at("2026-01-12T15:00:00").tick("AAA", 104)
    return story.at("2026-01-13T00:00:00").tick("AAA", 105).at("2026-01-14T00:00:00").tick("AAA", 104)


def fill_at_another_venue_than_its_instruments():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T15:30:00").sell(2, "AAA", 20, 103, venue="XETR")
    story.at("2026-01-06T22:59:59").sell(3, "AAA", 10, 103, venue="XETR").at("2026-01-06T23:30:00").sell(4, "AAA", 10, 103, venue="XETR")
    return story.at("2026-01-07T00:00:00").tick("AAA", 104).at("2026-01-08T00:00:00").tick("AAA", 104)


def gross_amount_and_multiplier():
    story = Story("2026-01-05T09:00:00").instrument("OPT", "OTHER", multiplier="100", sector="INDEX").tick("OPT", 5).policy().deposit(20000)
    story.buy(1, "OPT", 10, "5.01", gross_amount="5008").at("2026-01-06T00:00:00").tick("OPT", 6).at("2026-01-06T10:00:00").sell(2, "OPT", 4, "6.2", gross_amount="2481")
    return story.at("2026-01-07T00:00:00").tick("OPT", "6.5").at("2026-01-08T00:00:00").tick("OPT", 6)


def lots_by_fifo():
    story = opened(book={"cost_method": "FIFO"}).at("2026-01-05T15:00:00").buy(2, "AAA", 20, 104, strategy="ALPHA")
    story.at("2026-01-06T00:00:00").tick("AAA", 106).at("2026-01-06T15:00:00").sell(3, "AAA", 60, 107, strategy="ALPHA")
    return story.at("2026-01-07T00:00:00").tick("AAA", 105).at("2026-01-08T00:00:00").tick("AAA", 104)


def closed_and_opened_again():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").closed()
    story.at("2026-01-07T00:00:00").tick("AAA", 105).at("2026-01-08T00:00:00").tick("AAA", 104).at("2026-01-08T09:00:00").policy()
    return story.at("2026-01-09T00:00:00").tick("AAA", 106).at("2026-01-10T00:00:00").tick("AAA", 107)


def window_of_five_hundred_returns():
    """530 official closes: the newest 500 returns count."""
    story = Story(START).instrument("AAA", sector="TECH")
    told(story, "AAA", 21, 100, days=weekdays("2024-03-15", 532)).policy(risk_free_rate="0.03").deposit(50000).buy(1, "AAA", 100, 100)
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


def dozen_holdings():
    """Correlations are told of the largest."""
    days, names = weekdays("2026-01-05", 62), [f"I{at:02}" for at in range(12)]
    story = Story(START)
    for at, name in enumerate(names):
        told(story.instrument(name, sector=f"S{at % 4}"), name, 30 + at, 50, days=days)
    story.policy().deposit(500000)
    for at, name in enumerate(names):
        story.buy(at, name, 100 + 37 * (at * 7 % 12), 50)
    return story.at("2026-03-31T00:00:00").tick("I00", 51)


def several_portfolios_of_one_history():
    story = Story(START).instrument("AAA", sector="TECH").instrument("IDX", "OTHER")
    told(told(story, "AAA", 1, 100), "IDX", 4, 1000).policy("P", benchmark="IDX").policy("Q", risk_free_rate="0.02", target_risk="0.3")
    story.deposit(50000, portfolio="P").deposit(8000, portfolio="Q").buy(1, "AAA", 100, 100, portfolio="P").buy(1, "AAA", 50, 100, portfolio="Q")
    return story.at("2026-03-31T00:00:00").tick("AAA", 101)


CASES = [
    fees_in_another_currency, fee_at_a_rate_of_weeks_ago, entries_of_a_strategy, bought_and_sold_in_a_day, fill_of_a_saturday,
    fill_at_another_venue_than_its_instruments, gross_amount_and_multiplier, lots_by_fifo, closed_and_opened_again,
    window_of_five_hundred_returns, dozen_holdings, several_portfolios_of_one_history,
]
