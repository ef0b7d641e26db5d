"""Cases of returns: what flows, losses and late bookings make of a day."""

from .story import Story


def opened(name="AAA", price=100, start="2026-01-05T09:00:00", **policy):
    """One instrument with a price, one portfolio with capital from the first moment."""
    story = Story(start).instrument(name, sector="TECH", venue="XNYS").tick(name, price).policy(**policy)
    return story.deposit(10000).buy(1, name, 50, price)


def first_deposit_inside_a_day():
    story = Story("2026-01-02T12:00:00").instrument("AAA", venue="XNYS").tick("AAA", 100).policy()
    story.at("2026-01-05T00:00:00").tick("AAA", 101)
    story.at("2026-01-05T10:00:00").deposit(10000).buy(1, "AAA", 80, 101)
    story.at("2026-01-05T20:00:00").tick("AAA", 103)
    return story.at("2026-01-06T00:00:00").tick("AAA", 104).at("2026-01-07T00:00:00").tick("AAA", 99)


def several_flows_in_a_day():
    story = opened().at("2026-01-05T20:00:00").tick("AAA", 102)
    story.at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T10:00:00").tick("AAA", 110).deposit(3000)
    story.at("2026-01-06T12:00:00").tick("AAA", 90).withdraw(1500).at("2026-01-06T13:00:00").deposit(250)
    story.at("2026-01-06T18:00:00").tick("AAA", 97).at("2026-01-06T18:00:01").buy(2, "AAA", 10, 97)
    return story.at("2026-01-07T00:00:00").tick("AAA", 97).at("2026-01-08T00:00:00").tick("AAA", 98)


def flow_without_a_price():
    """What is held has no price when the second deposit comes: only values at the cuts are known."""
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS").policy().deposit(10000)
    story.at("2026-01-05T15:00:00").buy(1, "AAA", 50, 100).at("2026-01-05T16:00:00").deposit(2000)
    story.at("2026-01-05T17:00:00").withdraw(500)
    story.at("2026-01-05T18:00:00").tick("AAA", 104).at("2026-01-06T00:00:00").tick("AAA", 104)
    return story.at("2026-01-07T00:00:00").tick("AAA", 106)


def everything_withdrawn_and_new_capital():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 110)
    story.at("2026-01-06T10:00:00").sell(2, "AAA", 50, 112).at("2026-01-06T11:00:00").withdraw(10600)
    story.at("2026-01-07T00:00:00").tick("AAA", 113).at("2026-01-08T00:00:00").tick("AAA", 114)
    story.at("2026-01-08T10:00:00").deposit(5000).buy(3, "AAA", 20, 114)
    story.at("2026-01-09T00:00:00").tick("AAA", 120)
    return story.at("2026-01-10T00:00:00").tick("AAA", 117)


def total_loss_and_new_capital():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS").tick("AAA", 100).policy().deposit(5000)
    story.buy(1, "AAA", 100, 100).at("2026-01-05T10:00:00").tick("AAA", 90)
    story.at("2026-01-06T00:00:00").tick("AAA", 80).at("2026-01-06T12:00:00").tick("AAA", 50)
    story.at("2026-01-07T00:00:00").tick("AAA", 51).at("2026-01-07T10:00:00").deposit(4000)
    story.at("2026-01-08T00:00:00").tick("AAA", 55)
    return story.at("2026-01-09T00:00:00").tick("AAA", 52).at("2026-01-10T00:00:00").tick("AAA", 53)


def negative_equity():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS").tick("AAA", 100).policy().deposit(5000)
    story.buy(1, "AAA", 100, 100).at("2026-01-06T00:00:00").tick("AAA", 98)
    story.at("2026-01-06T12:00:00").tick("AAA", 40).at("2026-01-07T00:00:00").tick("AAA", 45)
    story.at("2026-01-07T12:00:00").tick("AAA", 48).at("2026-01-08T00:00:00").tick("AAA", 60)
    story.at("2026-01-08T10:00:00").deposit(3000).at("2026-01-09T00:00:00").tick("AAA", 63)
    return story.at("2026-01-10T00:00:00").tick("AAA", 64).at("2026-01-13T00:00:00").tick("AAA", 62)


def late_fill_restates_days():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").deposit(1000)
    story.at("2026-01-07T00:00:00").tick("AAA", 105).at("2026-01-08T00:00:00").tick("AAA", 103)
    story.at("2026-01-08T09:00:00").buy(2, "AAA", 10, 101, day="2026-01-06", transact_time="2026-01-06T15:00:00Z")
    return story.at("2026-01-08T12:00:00").tick("AAA", 104).at("2026-01-09T00:00:00").tick("AAA", 106)


def late_flow_restates_days():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").withdraw(1000)
    story.at("2026-01-07T00:00:00").tick("AAA", 105).at("2026-01-08T00:00:00").tick("AAA", 103)
    story.at("2026-01-08T09:00:00").deposit(4000, effective="2026-01-06T08:00:00Z")
    return story.at("2026-01-08T12:00:00").tick("AAA", 104).at("2026-01-09T00:00:00").tick("AAA", 106)


def late_flow_taken_back():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-07T00:00:00").tick("AAA", 105)
    story.at("2026-01-08T00:00:00").tick("AAA", 103)
    story.at("2026-01-08T09:00:00").deposit(4000, effective="2026-01-06T08:00:00Z").at("2026-01-08T12:00:00").tick("AAA", 104)
    story.at("2026-01-08T13:00:00").deposit(4000, effective="2026-01-06T08:00:00Z", reverses="c2")
    return story.at("2026-01-08T14:00:00").tick("AAA", 104).at("2026-01-09T00:00:00").tick("AAA", 106)


def flow_taken_back_days_later():
    """The reversal names its own moment; the deposit was never there on its day either."""
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T10:00:00").deposit(4000)
    story.at("2026-01-07T00:00:00").tick("AAA", 105).at("2026-01-08T00:00:00").tick("AAA", 103)
    story.at("2026-01-08T09:00:00").deposit(4000, reverses="c2")
    return story.at("2026-01-08T12:00:00").tick("AAA", 104).at("2026-01-09T00:00:00").tick("AAA", 106)


def flow_taken_back_the_same_day():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T10:00:00").tick("AAA", 104).deposit(4000)
    story.at("2026-01-06T11:00:00").tick("AAA", 107).deposit(4000, reverses="c2")
    return story.at("2026-01-06T20:00:00").tick("AAA", 108).at("2026-01-07T00:00:00").tick("AAA", 109).at("2026-01-08T00:00:00").tick("AAA", 109)


def cancel_and_correction():
    story = opened().at("2026-01-05T15:00:00").buy(2, "AAA", 20, 99, strategy="ALPHA")
    story.at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").sell(3, "AAA", 5, 103)
    story.at("2026-01-07T00:00:00").tick("AAA", 105)
    story.at("2026-01-07T09:00:00").buy(4, "AAA", 20, 99, day="2026-01-07", exec_type="CANCEL", exec_ref_id="2")
    story.at("2026-01-07T12:00:00").tick("AAA", 104)
    story.at("2026-01-07T13:00:00").sell(5, "AAA", 8, 104, day="2026-01-07", exec_type="CORRECT", exec_ref_id="3")
    return story.at("2026-01-07T14:00:00").tick("AAA", 103).at("2026-01-08T00:00:00").tick("AAA", 101)


def fill_of_days_ago_cancelled():
    """The days since are told anew without it; the difference is told where it is booked."""
    story = opened().at("2026-01-05T15:00:00").buy(2, "AAA", 20, 99).at("2026-01-06T00:00:00").tick("AAA", 102)
    story.at("2026-01-06T12:00:00").sell(3, "AAA", 5, 103).at("2026-01-07T00:00:00").tick("AAA", 105)
    story.at("2026-01-07T09:00:00").buy(4, "AAA", 20, 99, day="2026-01-07", exec_type="CANCEL", exec_ref_id="2")
    return story.at("2026-01-07T12:00:00").tick("AAA", 104).at("2026-01-08T00:00:00").tick("AAA", 101)


def fees_and_interest():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").cash("FEE", 25)
    story.cash("INTEREST", 12).at("2026-01-06T13:00:00").cash("FEE", 3, instrument_id="AAA", strategy="ALPHA")
    story.at("2026-01-06T14:00:00").cash("INTEREST", -7)
    story.at("2026-01-07T00:00:00").tick("AAA", 102)
    story.at("2026-01-07T09:00:00").cash("FEE", 9, effective="2026-01-06T18:00:00Z").at("2026-01-07T12:00:00").tick("AAA", 102)
    return story.at("2026-01-08T00:00:00").tick("AAA", 103)


def nothing_ever_paid_in():
    story = Story("2026-01-05T09:00:00").instrument("AAA").tick("AAA", 100).policy()
    return story.at("2026-01-06T00:00:00").tick("AAA", 101).at("2026-01-07T00:00:00").tick("AAA", 102)


def transfers_of_securities():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102)
    story.at("2026-01-06T15:00:00").cash("TRANSFER_IN", 900, instrument_id="AAA", quantity="10")
    story.at("2026-01-06T19:00:00").tick("AAA", 106).cash("TRANSFER_OUT", 0, instrument_id="AAA", quantity="20")
    story.at("2026-01-07T00:00:00").tick("AAA", 105).at("2026-01-07T12:00:00").tick("AAA", 104).cash("TRANSFER_OUT", 500)
    return story.at("2026-01-08T00:00:00").tick("AAA", 107)


def two_portfolios_beside_each_other():
    story = opened().policy("Q", "EUR", time_zone="Europe/Berlin").tick("EUR/USD", "1.1").deposit(2000, portfolio="Q", currency="EUR")
    story.buy(1, "AAA", 10, 100, portfolio="Q").at("2026-01-05T23:00:00").tick("EUR/USD", "1.12").at("2026-01-06T00:00:00").tick("AAA", 103)
    story.at("2026-01-06T23:00:00").tick("EUR/USD", "1.09").at("2026-01-07T00:00:00").tick("AAA", 101)
    return story.at("2026-01-07T23:00:00").tick("AAA", 104).at("2026-01-08T00:00:00").tick("AAA", 104)


def closed_portfolio_has_no_more_days():
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-06T12:00:00").closed()
    story.at("2026-01-07T00:00:00").tick("AAA", 105).at("2026-01-08T00:00:00").tick("AAA", 104)
    story.at("2026-01-08T09:00:00").buy(2, "AAA", 10, 101, day="2026-01-05")
    return story.at("2026-01-08T12:00:00").tick("AAA", 104).at("2026-01-09T00:00:00").tick("AAA", 104)


def late_fill_before_a_flow_that_was_valued():
    """A fill of 6 January comes on the 8th: what the book was worth before the deposit of the 7th lacks it."""
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 102).at("2026-01-07T00:00:00").tick("AAA", 105)
    story.at("2026-01-07T12:00:00").tick("AAA", 107).deposit(3000).at("2026-01-08T00:00:00").tick("AAA", 103)
    story.at("2026-01-08T09:00:00").buy(2, "AAA", 30, 101, day="2026-01-06", transact_time="2026-01-06T15:00:00Z")
    return story.at("2026-01-08T12:00:00").tick("AAA", 104).at("2026-01-09T00:00:00").tick("AAA", 106)


def everything_withdrawn_after_a_deposit():
    """Valued at both flows, though nothing is left at the end."""
    story = opened().at("2026-01-06T00:00:00").tick("AAA", 100).at("2026-01-06T10:00:00").tick("AAA", 110).deposit(5000)
    story.at("2026-01-06T11:00:00").sell(2, "AAA", 50, 120).at("2026-01-06T12:00:00").tick("AAA", 120).withdraw(16000)
    return story.at("2026-01-07T00:00:00").tick("AAA", 113).at("2026-01-08T00:00:00").tick("AAA", 114)


def close_without_a_price_then_final():
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS").policy().deposit(10000)
    story.at("2026-01-05T15:00:00").buy(1, "AAA", 50, 100).at("2026-01-06T00:00:00").instrument("BBB").tick("BBB", 1)
    story.at("2026-01-06T09:00:00").tick("AAA", 104).at("2026-01-06T10:00:00").tick("AAA", 103)
    return story.at("2026-01-07T00:00:00").tick("AAA", 104)


CASES = [
    first_deposit_inside_a_day, several_flows_in_a_day, flow_without_a_price, everything_withdrawn_and_new_capital,
    total_loss_and_new_capital, negative_equity, late_fill_restates_days, late_flow_restates_days, late_flow_taken_back,
    flow_taken_back_days_later, flow_taken_back_the_same_day, cancel_and_correction, fill_of_days_ago_cancelled,
    fees_and_interest, nothing_ever_paid_in, transfers_of_securities,
    late_fill_before_a_flow_that_was_valued,
    everything_withdrawn_after_a_deposit, close_without_a_price_then_final, two_portfolios_beside_each_other, closed_portfolio_has_no_more_days,
]
