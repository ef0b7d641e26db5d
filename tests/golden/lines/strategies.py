"""What each strategy of a line has earned, where bookings are more than plain executions: by cases of a few lines."""

from .story import Story


def futures_of_strategies_abroad():
    """A rate does nothing to what a future has not gained; what it has gained is worth more or less."""
    story = Story("2026-01-05T09:00:00").instrument("FUT", "FUTURE", currency="EUR", multiplier="10", sector="INDEX").tick("FUT", 1000)
    story.tick("EUR/USD", "1.00").policy().deposit(90000).buy(1, "FUT", 3, 1000, currency="EUR", strategy="ALPHA")
    story.at("2026-01-06T00:00:00").tick("EUR/USD", "1.20").at("2026-01-07T00:00:00").tick("FUT", 1010)
    story.at("2026-01-07T10:00:00").buy(2, "FUT", 3, 1015, currency="EUR", strategy="BETA").at("2026-01-08T00:00:00").tick("EUR/USD", "1.10")
    story.sell(3, "FUT", 1, 1020, currency="EUR", strategy="ALPHA").at("2026-01-09T00:00:00").tick("EUR/USD", "1.05")
    # Another price, and an execution that never was.
    story.fill(4, "BUY", "FUT", 3, 1012, currency="EUR", day="2026-01-07", strategy="BETA", exec_type="CORRECT", exec_ref_id="2")
    story.at("2026-01-09T12:00:00").sell(5, "FUT", 3, 1018, currency="EUR", strategy="BETA").at("2026-01-12T00:00:00").tick("FUT", 1025)
    story.fill(6, "SELL", "FUT", 1, 1020, currency="EUR", day="2026-01-08", strategy="ALPHA", exec_type="CANCEL", exec_ref_id="3")
    return story.at("2026-01-13T00:00:00").tick("EUR/USD", "1.15")


def bond_that_strategies_cancel_out():
    """What is flat is worth its accrued interest on both sides."""
    story = Story("2026-01-05T09:00:00").instrument("BBB", "BOND", multiplier="10", sector="GOV").tick("BBB", 98, accrued="2")
    story.policy(orders={"allow_short": True}).deposit(90000).buy(1, "BBB", 50, 98, accrued_interest="1000", strategy="ALPHA")
    story.fill(2, "SELL_SHORT", "BBB", 50, 98, accrued_interest="1000", strategy="BETA").at("2026-01-06T00:00:00").tick("BBB", 98, accrued="2")
    story.at("2026-01-07T00:00:00").tick("BBB", 99, accrued="2.1").at("2026-01-07T12:00:00").fill(3, "BUY", "BBB", 20, 99, accrued_interest="420", strategy="BETA")
    return story.at("2026-01-08T00:00:00").tick("BBB", 97, accrued="2.2").at("2026-01-09T00:00:00").tick("BBB", 98, accrued="2.3")


def corrections_of_whose_it_is():
    """An execution that is another strategy's after all, at another price too: each has paid for what it has."""
    story = Story("2026-01-05T09:00:00").instrument("AAA", venue="XNYS", sector="TECH").tick("AAA", 100).policy().deposit(30000)
    fee = [{"type": "COMMISSION", "amount": "3", "currency": "USD"}]
    story.buy(1, "AAA", 50, 100, strategy="ALPHA", fees=fee).buy(2, "AAA", 40, 101, strategy="ALPHA").buy(3, "AAA", 30, 100, strategy="BETA")
    story.at("2026-01-05T15:00:00").fill(4, "BUY", "AAA", 40, 101, strategy="BETA", exec_type="CORRECT", exec_ref_id="2")
    story.at("2026-01-06T00:00:00").tick("AAA", 103).at("2026-01-06T12:00:00").sell(5, "AAA", 10, 104, strategy="BETA")
    story.fill(6, "SELL", "AAA", 15, 105, strategy="ALPHA", exec_type="CORRECT", exec_ref_id="5")
    story.fill(7, "BUY", "AAA", 30, "100.5", day="2026-01-05", exec_type="CORRECT", exec_ref_id="3")
    return story.at("2026-01-07T00:00:00").tick("AAA", 102).at("2026-01-08T00:00:00").tick("AAA", 101)


def lieu_of_two_strategies():
    """Each is paid for its own part of a unit, whatever it has gained by it."""
    story = Story("2026-01-05T09:00:00").instrument("AAA").tick("AAA", 30).policy().deposit(10000)
    story.buy(1, "AAA", 101, 30, strategy="ALPHA").buy(2, "AAA", 50, 20, strategy="BETA")
    story.action("SPLIT", "s1", "AAA", "2026-01-06", ratio_new="1", ratio_old="4", cash_in_lieu_price="120")
    return story.at("2026-01-06T09:00:00").tick("AAA", 120).at("2026-01-07T00:00:00").tick("AAA", 120)


def dividend_of_another_strategy_after_all():
    """A dividend that was paid, restated with what was sold since: whoever has the units now has it."""
    story = Story("2026-01-05T09:00:00").instrument("AAA").tick("AAA", 100).policy().deposit(10000)
    story.buy(1, "AAA", 10, 100, strategy="ALPHA").sell(2, "AAA", 4, 110, strategy="ALPHA")
    story.action("CASH_DIVIDEND", "d1", "AAA", "2026-01-06", amount_per_share="1", pay_date="2026-01-06")
    story.at("2026-01-06T09:00:00").tick("AAA", 100).at("2026-01-07T10:00:00")
    story.fill(3, "BUY", "AAA", 12, 100, day="2026-01-05", strategy="BETA", exec_type="CORRECT", exec_ref_id="1")
    return story.at("2026-01-08T00:00:00").tick("AAA", 100)


def gross_amount_of_another_strategy():
    story = Story("2026-01-05T09:00:00").instrument("AAA").tick("AAA", "0.33").policy().deposit(1000000)
    story.buy(1, "AAA", 1000000, "0.33", gross_amount="333333.33", strategy="ALPHA").at("2026-01-05T11:00:00")
    story.fill(2, "BUY", "AAA", 1000000, "0.33", gross_amount="333333.33", strategy="BETA", exec_type="CORRECT", exec_ref_id="1")
    return story.at("2026-01-06T00:00:00").tick("AAA", "0.33")


def strategies_that_cancel_out_without_a_price():
    """The day is closed again when the price comes, flat as the line is."""
    story = Story("2026-01-05T09:00:00").instrument("AAA").policy(orders={"allow_short": True}).deposit(1000)
    story.buy(1, "AAA", 10, 50, strategy="ALPHA").fill(2, "SELL_SHORT", "AAA", 10, 52, strategy="BETA").at("2026-01-06T09:00:00")
    story.tick("ZZZ", 1).at("2026-01-07T09:00:00").tick("AAA", 51).at("2026-01-08T09:00:00").tick("AAA", 55)
    return story.at("2026-01-09T00:00:00").tick("ZZZ", 1)


def fee_of_a_late_fill():
    """A fee in a third currency is converted when it is booked, as the cash is that pays it."""
    story = Story("2026-01-05T09:00:00").instrument("AAA").tick("AAA", 100).tick("EUR/USD", 1).policy().deposit(10000)
    fee = [{"type": "COMMISSION", "amount": "10", "currency": "EUR"}]
    story.at("2026-01-06T09:00:00").tick("EUR/USD", 2).buy(1, "AAA", 10, 100, day="2026-01-05", fees=fee, strategy="ALPHA")
    return story.buy(2, "AAA", 5, 100, day="2026-01-05", fees=fee).at("2026-01-08T00:00:00").tick("AAA", 100)


def future_abroad_that_is_corrected():
    """What is restated is told at the rates of the bookings that it is of, with a strategy and without one."""
    story = Story("2026-01-05T09:00:00").instrument("FUA", "FUTURE", currency="EUR").instrument("FUB", "FUTURE", currency="EUR")
    story.tick("FUA", 100).tick("FUB", 100).tick("EUR/USD", 1).policy().deposit(10000)
    story.buy(1, "FUA", 10, 100, currency="EUR").buy(2, "FUB", 10, 100, currency="EUR", strategy="ALPHA").at("2026-01-06T10:00:00")
    story.sell(3, "FUA", 10, 110, currency="EUR").sell(4, "FUB", 10, 110, currency="EUR", strategy="ALPHA")
    story.at("2026-01-07T09:00:00").tick("EUR/USD", 2)
    for number, (name, first, strategy) in enumerate((("FUA", "1", None), ("FUB", "2", "ALPHA")), 5):
        story.fill(number, "BUY", name, 10, 90, currency="EUR", day="2026-01-05", strategy=strategy, exec_type="CORRECT", exec_ref_id=first)
    return story.at("2026-01-09T00:00:00").tick("FUA", 110)


def future_abroad_with_a_fee_at_home():
    story = Story("2026-01-05T09:00:00").instrument("FUA", "FUTURE", currency="EUR").tick("FUA", 100).tick("EUR/USD", "1.1")
    fee = [{"type": "COMMISSION", "amount": "2.5", "currency": "USD"}]
    story.policy().deposit(10000).buy(1, "FUA", 10, 100, currency="EUR", fees=fee).at("2026-01-06T09:00:00")
    return story.sell(2, "FUA", 10, 101, currency="EUR", fees=fee).at("2026-01-07T00:00:00").tick("FUA", 101)


CASES = [
    futures_of_strategies_abroad, bond_that_strategies_cancel_out, corrections_of_whose_it_is, lieu_of_two_strategies,
    dividend_of_another_strategy_after_all, gross_amount_of_another_strategy, strategies_that_cancel_out_without_a_price,
    fee_of_a_late_fill, future_abroad_that_is_corrected, future_abroad_with_a_fee_at_home,
]
