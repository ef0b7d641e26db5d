"""Cases of profit by group: kinds of instruments, strategies, dividends, money abroad."""

from .flows import opened
from .story import Story


def split_between_days():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T20:00:00").tick("AAA", 104)
    story.action("SPLIT", "s1", "AAA", "2026-01-07", ratio_new="3", ratio_old="1", cash_in_lieu_price="30")
    story.at("2026-01-07T00:00:00").tick("AAA", 104).at("2026-01-07T15:00:00").tick("AAA", 35)
    story.at("2026-01-08T00:00:00").tick("AAA", 35).at("2026-01-08T15:00:00").sell(2, "AAA", 40, 36)
    return story.at("2026-01-09T00:00:00").tick("AAA", 36)


def dividend_by_actions():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T20:00:00").tick("AAA", 104)
    story.action("CASH_DIVIDEND", "d1", "AAA", "2026-01-07", amount_per_share="1.5", currency="USD", pay_date="2026-01-09")
    story.at("2026-01-07T00:00:00").tick("AAA", 104).at("2026-01-07T15:00:00").tick("AAA", 103)
    story.at("2026-01-08T00:00:00").tick("AAA", 103).at("2026-01-09T00:00:00").tick("AAA", 102)
    return story.at("2026-01-09T12:00:00").tick("AAA", 101).at("2026-01-10T00:00:00").tick("AAA", 101)


def dividend_by_entries():
    story = opened(book={"dividends": "CASH"}).at("2026-01-06T00:00:00").tick("AAA", 102)
    story.action("CASH_DIVIDEND", "d1", "AAA", "2026-01-07", amount_per_share="1.5", currency="USD", pay_date="2026-01-08")
    story.at("2026-01-07T15:00:00").tick("AAA", 103).at("2026-01-08T00:00:00").tick("AAA", 103)
    story.at("2026-01-08T15:00:00").cash("DIVIDEND", "60", action_id="d1", instrument_id="AAA")
    story.at("2026-01-09T00:00:00").tick("AAA", 102).at("2026-01-10T00:00:00").tick("AAA", 101)
    return story


def dividend_announced_late():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-07T00:00:00").tick("AAA", 104)
    story.at("2026-01-08T00:00:00").tick("AAA", 103).at("2026-01-08T09:00:00")
    story.action("CASH_DIVIDEND", "d1", "AAA", "2026-01-06", amount_per_share="2", currency="USD", pay_date="2026-01-07")
    return story.at("2026-01-08T12:00:00").tick("AAA", 103).at("2026-01-09T00:00:00").tick("AAA", 101)


def instruments_and_cash_abroad():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS", sector="TECH")
    story.instrument("EEE", currency="EUR", venue="XETR", sector="CARS").tick("AAA", 100).tick("EEE", 50).tick("EUR/USD", "1.10")
    story.policy().deposit(20000).deposit(3000, currency="EUR").buy(1, "EEE", 100, 50, currency="EUR")
    story.at("2026-01-05T15:00:00").buy(2, "AAA", 30, 100)
    story.at("2026-01-06T00:00:00").tick("EUR/USD", "1.12").tick("EEE", 51).at("2026-01-06T10:00:00").sell(3, "EEE", 40, 53, currency="EUR", fees=[{"type": "COMMISSION", "amount": "4", "currency": "EUR"}])
    story.at("2026-01-07T00:00:00").tick("EUR/USD", "1.08").tick("EEE", 52)
    return story.at("2026-01-08T00:00:00").tick("EUR/USD", "1.09").tick("AAA", 101)


def interest_of_an_instrument_abroad():
    """Paid in the base currency: that is what it is worth."""
    story = Story("2026-01-05T09:00:00").instrument("EEE", currency="EUR", venue="XETR", sector="CARS").tick("EEE", 50).tick("EUR/USD", "1.25")
    story.policy().deposit(20000, currency="EUR").buy(1, "EEE", 100, 50, currency="EUR").at("2026-01-06T00:00:00").tick("EEE", 51)
    story.at("2026-01-06T12:00:00").cash("INTEREST", 7, instrument_id="EEE").cash("FEE", 3, instrument_id="EEE")
    return story.at("2026-01-07T00:00:00").tick("EEE", 52).at("2026-01-08T00:00:00").tick("EEE", 52)


def exchange_of_currencies():
    story = Story("2026-01-05T09:00:00").instrument("EUR/USD", "FX").tick("EUR/USD", "1.10").policy().deposit(20000)
    story.at("2026-01-05T10:00:00").buy(1, "EUR/USD", 5000, "1.11", fees=[{"type": "COMMISSION", "amount": "3", "currency": "USD"}])
    story.at("2026-01-06T00:00:00").tick("EUR/USD", "1.12").at("2026-01-07T00:00:00").tick("EUR/USD", "1.13")
    return story


def future_long_and_short():
    story = Story("2026-01-05T09:00:00").instrument("FUT", "FUTURE", multiplier="10", sector="INDEX").tick("FUT", 1000).policy().deposit(50000)
    story.buy(1, "FUT", 3, 1000, fees=[{"type": "COMMISSION", "amount": "6", "currency": "USD"}])
    story.at("2026-01-06T00:00:00").tick("FUT", 1010).at("2026-01-06T10:00:00").sell(2, "FUT", 5, 1015)
    story.at("2026-01-07T00:00:00").tick("FUT", 1005).at("2026-01-08T00:00:00").tick("FUT", 990)
    return story


def bond_with_accrued_interest():
    story = Story("2026-01-05T09:00:00").instrument("BND", "BOND", multiplier="1").tick("BND", 98, accrued="0.50").policy().deposit(50000)
    story.at("2026-01-05T12:00:00").buy(1, "BND", 200, 98, accrued_interest="100")
    story.at("2026-01-06T00:00:00").tick("BND", 98, accrued="0.55").at("2026-01-06T09:00:00").tick("BND", "98.4", accrued="0.60")
    story.at("2026-01-07T00:00:00").tick("BND", "98.5", accrued="0.65").at("2026-01-07T12:00:00").sell(2, "BND", 80, "98.7", accrued_interest="52")
    return story.at("2026-01-08T00:00:00").tick("BND", "98.6", accrued="0.70")


def short_position():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS", sector="TECH").tick("AAA", 100).policy(orders={"allow_short": True}).deposit(10000)
    story.fill(1, "SELL_SHORT", "AAA", 40, 100).at("2026-01-06T00:00:00").tick("AAA", 97)
    story.at("2026-01-06T15:00:00").buy(2, "AAA", 60, 96).at("2026-01-07T00:00:00").tick("AAA", 99)
    return story.at("2026-01-08T00:00:00").tick("AAA", 98)


def strategies_on_one_line():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS", sector="TECH").tick("AAA", 100).policy().deposit(30000)
    story.buy(1, "AAA", 60, 100, strategy="ALPHA").at("2026-01-05T15:00:00").buy(2, "AAA", 30, 102, strategy="BETA")
    story.at("2026-01-06T00:00:00").tick("AAA", 103).at("2026-01-06T15:00:00").sell(3, "AAA", 70, 104, strategy="ALPHA")
    story.at("2026-01-06T16:00:00").buy(4, "AAA", 7, 105)
    story.at("2026-01-07T00:00:00").tick("AAA", 101).at("2026-01-07T16:00:00").sell(5, "AAA", 31, 100, strategy="BETA")
    return story.at("2026-01-08T00:00:00").tick("AAA", 99).at("2026-01-09T00:00:00").tick("AAA", 98)


def hours_of_a_day():
    """Summer in New York and in London, starts and ends of hours."""
    story = Story("2026-03-26T09:00:00").instrument("NNN", venue="XNYS", sector="TECH").instrument("LLL", venue="XLON", currency="USD", sector="OIL")
    story.tick("NNN", 100).tick("LLL", 20).policy().deposit(30000).at("2026-03-26T14:29:59").buy(1, "NNN", 10, 100)
    story.at("2026-03-26T14:30:00").buy(2, "NNN", 10, 101).at("2026-03-26T14:59:59").sell(3, "NNN", 5, 103)
    story.at("2026-03-26T15:00:00").sell(4, "NNN", 5, 104, fees=[{"type": "COMMISSION", "amount": "2", "currency": "USD"}])
    story.at("2026-03-26T16:00:00").buy(5, "LLL", 100, 20, venue="XLON").at("2026-03-27T00:00:00").tick("NNN", 104).tick("LLL", 21)
    story.at("2026-03-27T16:00:00").sell(6, "LLL", 50, 22, venue="XLON")
    return story.at("2026-03-28T00:00:00").tick("NNN", 105).at("2026-03-30T16:00:00").sell(7, "LLL", 20, 23, venue="XLON").at("2026-03-31T00:00:00").tick("LLL", 23)


def fee_in_the_base_asset():
    story = Story("2026-01-03T09:00:00").instrument("BTC/USD", "CRYPTO", base_asset="BTC").tick("BTC/USD", 90000).policy(calendar="24/7").deposit(50000)
    story.buy(1, "BTC/USD", "0.2", 90000, fees=[{"type": "COMMISSION", "amount": "0.001", "currency": "BTC"}])
    story.at("2026-01-04T00:00:00").tick("BTC/USD", 91000).at("2026-01-05T00:00:00").tick("BTC/USD", 90500)
    story.at("2026-01-05T10:00:00").sell(2, "BTC/USD", "0.1", 92000)
    return story.at("2026-01-06T00:00:00").tick("BTC/USD", 89000).at("2026-01-07T00:00:00").tick("BTC/USD", 90000)


def strategies_abroad():
    story = Story("2026-01-05T09:00:00").instrument("EEE", currency="EUR", venue="XETR", sector="CARS").tick("EEE", 50).tick("EUR/USD", "1.10")
    story.policy().deposit(20000, currency="EUR").buy(1, "EEE", 100, 50, currency="EUR", strategy="ALPHA").buy(2, "EEE", 60, 50, currency="EUR", strategy="BETA")
    story.at("2026-01-06T00:00:00").tick("EUR/USD", "1.12").tick("EEE", 51).at("2026-01-06T10:00:00").sell(3, "EEE", 40, 53, currency="EUR", strategy="ALPHA")
    return story.at("2026-01-07T00:00:00").tick("EUR/USD", "1.08").tick("EEE", 52).at("2026-01-08T00:00:00").tick("EUR/USD", "1.09")


def future_of_two_strategies():
    """Each has its own average: what the line has gained is not theirs by units."""
    story = Story("2026-01-05T09:00:00").instrument("FUT", "FUTURE", multiplier="10", sector="INDEX").tick("FUT", 1000).policy().deposit(90000)
    story.buy(1, "FUT", 3, 1000, strategy="ALPHA").at("2026-01-05T12:00:00").tick("FUT", 1010).buy(2, "FUT", 3, 1010, strategy="BETA")
    story.at("2026-01-06T00:00:00").tick("FUT", 1010).at("2026-01-06T12:00:00").sell(3, "FUT", 2, 1020, strategy="BETA")
    return story.at("2026-01-07T00:00:00").tick("FUT", 1005).at("2026-01-08T00:00:00").tick("FUT", 1000)


def transfers_of_a_line_with_strategies():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS", sector="TECH").tick("AAA", 100).policy().deposit(30000)
    story.cash("TRANSFER_IN", 450, instrument_id="AAA", quantity="5").buy(1, "AAA", 60, 100, strategy="ALPHA")
    story.at("2026-01-06T00:00:00").tick("AAA", 103).at("2026-01-06T15:00:00").cash("TRANSFER_IN", 950, instrument_id="AAA", quantity="10")
    story.at("2026-01-06T16:00:00").cash("TRANSFER_OUT", 0, instrument_id="AAA", quantity="20", strategy="ALPHA")
    return story.at("2026-01-07T00:00:00").tick("AAA", 101).at("2026-01-08T00:00:00").tick("AAA", 99)


def transfer_before_midnight_of_its_venue():
    """It belongs to the venue's day, as what is held does."""
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-07T03:00:00").tick("AAA", 104)
    story.cash("TRANSFER_IN", 200, instrument_id="AAA", quantity="2").at("2026-01-08T00:00:00").tick("AAA", 101)
    return story.at("2026-01-09T00:00:00").tick("AAA", 99)


def strategies_that_cancel_out():
    """One is long what the other is short: the line is flat and both have their gain and loss."""
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS", sector="TECH").tick("AAA", 100).policy(orders={"allow_short": True}).deposit(30000)
    story.buy(1, "AAA", 50, 100, strategy="ALPHA").at("2026-01-05T15:00:00").fill(2, "SELL_SHORT", "AAA", 50, 102, strategy="BETA")
    return story.at("2026-01-06T00:00:00").tick("AAA", 105).at("2026-01-06T12:00:00").tick("AAA", 108).at("2026-01-07T00:00:00").tick("AAA", 107)


def split_of_two_strategies():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS", sector="TECH", lot_size="1").tick("AAA", 100).policy().deposit(30000)
    story.buy(1, "AAA", 33, 100, strategy="ALPHA").buy(2, "AAA", 50, 100, strategy="BETA").at("2026-01-06T00:00:00").tick("AAA", 102)
    story.action("SPLIT", "s1", "AAA", "2026-01-07", ratio_new="3", ratio_old="2", cash_in_lieu_price="70")
    story.at("2026-01-07T15:00:00").tick("AAA", 69).at("2026-01-08T00:00:00").tick("AAA", 69)
    return story.at("2026-01-08T15:00:00").sell(3, "AAA", 40, 71, strategy="BETA").at("2026-01-09T00:00:00").tick("AAA", 70)


def abroad_and_at_home(**policy):
    """A holding at home and one abroad, with a rate; days end at four in New York."""
    story = Story("2026-01-05T15:00:00").instrument("AAA", venue="XNYS", sector="TECH").instrument("EEE", currency="EUR", venue="XETR")
    story.tick("AAA", 100).tick("EEE", 50).tick("EUR/USD", "1.10").policy(time_zone="America/New_York", day_cut="16:00", **policy)
    return story.deposit(20000).buy(1, "AAA", 50, 100).buy(2, "EEE", 60, 50, currency="EUR")


def late(story, name, price, made):
    """A price that was made before it comes."""
    return story.line("marketdata.ticks.v1", {"instrument_id": name, "last": str(price), "event_time": made})


def days_closed_at_prices_of_days_before():
    story = abroad_and_at_home().at("2026-01-06T15:00:00").tick("AAA", 101).tick("EUR/USD", "1.11").at("2026-01-06T21:00:00").tick("EEE", 51)
    # The price of the very cut is of the next day; the middle of old and new is as old as the older.
    story.at("2026-01-07T15:00:00").tick("EEE", None, bid="51", ask="53").at("2026-01-08T15:00:00").tick("EEE", None, ask="52")
    story.at("2026-01-08T20:59:59").tick("AAA", 103).at("2026-01-09T21:30:00")
    # What comes late restates the day that it is of, and those that stood on an older price; not behind a newer price.
    late(story, "EUR/USD", "1.12", "2026-01-07T15:00:00Z").at("2026-01-12T15:00:00").tick("AAA", 104).at("2026-01-13T22:00:00")
    return late(story, "AAA", "103.5", "2026-01-09T15:00:00Z").at("2026-01-14T22:00:00").tick("EUR/USD", "1.13")


def days_not_closed_at_prices_that_are_too_old():
    story = abroad_and_at_home(book={"max_close_age_days": 1}).at("2026-01-06T15:00:00").tick("AAA", 101)
    story.at("2026-01-07T15:00:00").tick("EEE", 52).tick("AAA", 102).at("2026-01-08T15:00:00").tick("AAA", 103).at("2026-01-08T21:10:00")
    # The rate is of Monday: it is too old from Wednesday on, until one of Thursday comes.
    story.tick("AAA", 104).at("2026-01-09T15:00:00")
    late(story, "EUR/USD", "1.12", "2026-01-08T15:00:00Z").at("2026-01-12T15:00:00").tick("AAA", 105).at("2026-01-13T15:00:00").tick("AAA", 106)
    # On Monday price and rate are too old for the holding abroad, and the policy lets more pass afterwards.
    story.policy(time_zone="America/New_York", day_cut="16:00", book={"max_close_age_days": 7}).at("2026-01-14T15:00:00").tick("AAA", 106)
    return story.at("2026-01-15T15:00:00").tick("EUR/USD", "1.14").at("2026-01-16T15:00:00").tick("AAA", 107)


def days_closed_at_rates_of_days_before():
    """A rate of two pairs, one of them the other way round, is as old as the older; so is a balance abroad."""
    story = Story("2026-01-05T15:00:00").instrument("SSS", currency="CHF", venue="XSWX")
    story.tick("SSS", 80).tick("CHF/EUR", "1.05").tick("EUR/USD", "1.10").tick("USD/GBP", "0.8")
    story.policy(time_zone="Europe/Zurich", day_cut="22:00", book={"max_close_age_days": 1}).deposit(9000).deposit(500, currency="GBP")
    story.buy(1, "SSS", 50, 80, currency="CHF").at("2026-01-06T15:00:00").tick("SSS", 81).tick("EUR/USD", "1.11")
    story.at("2026-01-07T15:00:00").tick("SSS", 82).tick("EUR/USD", "1.12").tick("USD/GBP", "0.81")
    story.at("2026-01-08T15:00:00").tick("CHF/EUR", "1.06").tick("SSS", 83).at("2026-01-09T15:00:00").tick("SSS", 84)
    return story.at("2026-01-12T15:00:00").tick("SSS", 85).tick("CHF/EUR", "1.07").at("2026-01-13T15:00:00").tick("EUR/USD", "1.13")


CASES = [
    split_between_days, dividend_by_actions, dividend_by_entries, dividend_announced_late, instruments_and_cash_abroad,
    interest_of_an_instrument_abroad, exchange_of_currencies, future_long_and_short, bond_with_accrued_interest, short_position, strategies_on_one_line,
    hours_of_a_day, fee_in_the_base_asset, strategies_abroad, future_of_two_strategies, strategies_that_cancel_out,
    transfers_of_a_line_with_strategies, transfer_before_midnight_of_its_venue,
    split_of_two_strategies, days_closed_at_prices_of_days_before, days_closed_at_rates_of_days_before, days_not_closed_at_prices_that_are_too_old,
]
