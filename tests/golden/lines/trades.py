"""Cases of closed trades, and of what is risk-free by an instrument."""

from .story import Story, weekdays


def begun(days, **policy):
    """A portfolio with money, one instrument at home and one abroad, and their prices of so many days."""
    story = Story(f"{days[0]}T09:00:00").instrument("AAA", sector="TECH", venue="XNYS").instrument("BBB", currency="EUR", venue="XETR")
    story.tick("AAA", 100).tick("BBB", 50).tick("EUR/USD", "1.1")
    return story.policy(**policy).deposit(100000)


def told(deeds, count, **policy):
    """Deeds by day, each called with the story at its moment, before the day's prices."""
    days = weekdays("2026-01-05", count)
    story = begun(days, **policy)
    for at, day in enumerate(days):
        for minute, deed in enumerate(deeds.get(at, [])):
            deed(story.at(f"{day}T10:{minute:02}:00"), days)
        story.at(f"{day}T15:00:00").tick("AAA", 100 + at).at(f"{day}T15:00:01").tick("EUR/USD", f"1.{10 + at % 4}")
        story.at(f"{day}T15:00:02").tick("BBB", 50 - at)
    return story


def fee(amount, currency="USD"):
    return {"fees": [{"type": "commission", "amount": str(amount), "currency": currency}]}


def two(first, second):
    """Two fees in one currency."""
    return {"fees": fee(first, "EUR")["fees"] + fee(second, "EUR")["fees"]}


def buy(number, units, price, **more):
    return lambda story, _: story.buy(number, "AAA", units, price, **more)


def sell(number, units, price, **more):
    return lambda story, _: story.sell(number, "AAA", units, price, **more)


def amends(kind, number, of, day, side, units, price, **more):
    """A CANCEL or CORRECT of what was done on a day."""
    return lambda story, days: story.fill(number, side, "AAA", units, price, day=days[day], exec_type=kind, exec_ref_id=str(of), **more)


def closed_trades_win_lose_and_neither():
    deeds = {0: [buy(1, 100, 100), sell(2, 10, 105, **fee(2))]}
    deeds[1] = [sell(3, 10, 95), sell(4, 10, 101, **fee(10)), sell(5, 10, 100)]
    deeds[2] = [sell(6, 60, "100.01", **fee("0.6001"))]
    return told({**deeds, 3: [sell(7, 20, 103)], 4: [buy(8, 35, 101, **fee(1, "EUR"))]}, 8)


def closed_trades_abroad():
    abroad = lambda deed, number, units, price, rate, **more: lambda story, _: getattr(story, deed)(
        number, "BBB", units, price, currency="EUR", fx_rate=rate, **more)
    deeds = {0: [abroad("buy", 1, 100, 50, "1.1")], 1: [abroad("sell", 2, 40, "50.5", "1.05", **fee(1))]}
    return told({**deeds, 2: [abroad("sell", 3, 40, 49, "1.2")]}, 6)


def closed_trade_cancelled_and_those_after_it_change():
    deeds = {0: [buy(1, 100, 100)], 1: [buy(2, 100, 120)], 2: [sell(3, 50, 115)], 3: [sell(4, 20, 108)]}
    deeds[4], deeds[5] = [amends("CANCEL", "2x", 2, 1, "BUY", 100, 120)], [amends("CANCEL", "4x", 4, 3, "SELL", 20, 108)]
    return told(deeds, 8)


def closed_trade_corrected_on_a_later_day():
    deeds = {0: [buy(1, 100, 100)], 1: [sell(2, 50, 110)], 3: [amends("CORRECT", "2c", 2, 1, "SELL", 50, 90)]}
    return told({**deeds, 4: [amends("CORRECT", "1c", 1, 0, "BUY", 100, 80)]}, 7)


def closed_trade_whose_fee_abroad_is_corrected():
    """A fee keeps its rate from correction to correction, also of another amount; one that was not there before has that of its day."""
    deeds = {0: [buy(1, 100, 100, **fee(3, "EUR")), sell(2, 40, 105, **fee(5, "EUR"))], 1: [sell(3, 10, 99)]}
    deeds[2] = [amends("CORRECT", "2c", 2, 0, "SELL", 40, 104, **fee(5, "EUR")), amends("CORRECT", "3c", 3, 1, "SELL", 10, 99, **fee("1.25", "EUR"))]
    deeds[3] = [amends("CORRECT", "1c", 1, 0, "BUY", 100, 100, **fee("4.37", "EUR")), amends("CORRECT", "2d", "2c", 0, "SELL", 40, 104, **fee("0.3", "EUR"))]
    deeds[4] = [amends("CORRECT", "3d", 3, 1, "SELL", 10, 98, **fee("1.5", "EUR")), amends("CORRECT", "2e", 2, 0, "SELL", 40, 104)]
    deeds[5] = [amends("CORRECT", "2f", 2, 0, "SELL", 40, 104, **fee(5, "EUR")), amends("CORRECT", "1d", 1, 0, "BUY", 100, 100, **two("4.37", "0.0000000003"))]
    deeds[6] = [amends("CORRECT", "1e", 1, 0, "BUY", 100, 101, **two("0.0000000003", "4.37")), amends("CORRECT", "2g", 2, 0, "SELL", 40, 104, **two(5, 6))]
    return told({**deeds, 7: [amends("CORRECT", "1f", 1, 0, "BUY", 100, 101, **two("0.0000000003", "4.38"))]}, 9)


def closed_trades_of_sealed_days_are_corrected():
    deeds = {0: [buy(1, 100, 100)], 1: [sell(2, 50, 90)], 2: [sell(3, 10, 120)]}
    return told({**deeds, 13: [amends("CORRECT", "1c", 1, 0, "BUY", 100, 85)]}, 16)


def closed_trades_of_a_short_and_a_flip():
    short = lambda story, _: story.fill(1, "SELL_SHORT", "AAA", 100, 100)
    deeds = {0: [short], 1: [buy(2, 50, 95, **fee(3))], 2: [buy(3, 100, 104, **fee(4))], 3: [sell(4, 50, 103)]}
    # Of a fee of 10 one hundredth is of what it closes: the trade won.
    return told({**deeds, 4: [buy(5, 10, 100), sell(6, 1000, "100.5", **fee(10))]}, 7)


def closed_trades_of_lots():
    deeds = {0: [buy(1, 50, 100), buy(2, 50, 110)], 1: [sell(3, 75, 106)]}
    return told({**deeds, 2: [amends("CANCEL", "1x", 1, 0, "BUY", 50, 100)]}, 6, book={"cost_method": "FIFO"})


def closed_trade_of_a_saturday():
    saturday = lambda story, _: story.at("2026-01-10T10:00:00").sell(2, "AAA", 50, 110)
    days = weekdays("2026-01-05", 9)
    story = begun(days)
    for at, day in enumerate(days):
        if at == 0:
            story.at(f"{day}T10:00:00").buy(1, "AAA", 100, 100)
        story.at(f"{day}T15:00:00").tick("AAA", 100 + at)
        if day == "2026-01-09":
            saturday(story, days)
    return story


def closed_trade_on_a_weekend_of_which_days_are_made():
    """Traded while Saturday was no day, which it became before it was over: its close has the trade, and so has its profit."""
    days = weekdays("2026-01-08", 2)
    story = begun(days).buy(1, "AAA", 100, 100)
    for at, day in enumerate(days):
        story.at(f"{day}T15:00:00").tick("AAA", 100 + at)
    story.at("2026-01-10T10:00:00").sell(2, "AAA", 50, 110, **fee(2)).at("2026-01-10T11:00:00").cash("FEE", 7)
    story.at("2026-01-10T12:00:00").policy(calendar="24/7").tick("AAA", 112)
    return story.at("2026-01-11T15:00:00").tick("AAA", 111).at("2026-01-12T15:00:00").tick("AAA", 113).at("2026-01-13T15:00:00").tick("AAA", 114)


# Prices of nine days: of what is held, of the benchmark, of a fund of treasury bills.
HELD = [101, 99, 103, 104, 100, 101, 105, 104, 106]
INDEX = [400, 402, 399, 404, 410, 405, 401, 409, 412]
BILLS = ["100", "100.011", "100.025", "100.031", "100.047", "100.06", "100.071", "100.08", "100.1"]
RATES = ["1.1", "1.101", "1.099", "1.1005", "1.102", "1.1", "1.098", "1.1", "1.101"]


def rated(bills=range(9), index=range(9), currency="USD", **policy):
    """The days on which each has a price."""
    days = weekdays("2026-01-05", 9)
    story = Story(f"{days[0]}T09:00:00").instrument("AAA", sector="TECH", venue="XNYS").instrument("BILLS", currency=currency)
    story.instrument("IDX").tick("AAA", 100)
    if index:
        policy["benchmark"] = "IDX"
    story.policy(risk_free_instrument="BILLS", **policy).deposit(10000).buy(1, "AAA", 50, 100)
    for at, day in enumerate(days):
        if currency != "USD":
            story.at(f"{day}T14:00:00").tick(f"{currency}/USD", RATES[at])
        story.at(f"{day}T15:00:00").tick("AAA", HELD[at])
        if at in index:
            story.at(f"{day}T15:00:01").tick("IDX", INDEX[at])
        if at in bills:
            story.at(f"{day}T15:00:02").tick("BILLS", BILLS[at])
    return story.at("2026-01-16T15:00:00").tick("AAA", 106)


def risk_free_instrument():
    return rated()


def risk_free_instrument_without_a_benchmark():
    return rated(index=())


def risk_free_instrument_with_days_of_its_own():
    return rated(bills=(0, 1, 4, 5, 7, 8), index=(0, 1, 2, 3, 5, 7, 8))


def risk_free_instrument_that_begins_when_the_benchmark_has_no_price():
    return rated(bills=(2, 3, 4, 5, 6, 7, 8), index=(0, 1, 3, 4, 6, 7, 8))


def risk_free_instrument_without_a_price_gives_way_to_the_rate():
    return rated(bills=(), risk_free_rate="0.03")


def risk_free_instrument_abroad():
    return rated(currency="EUR")


def risk_free_instrument_over_the_end_of_a_month():
    """Neither it nor the benchmark has a price on the last day of the month: the next month's first period began before."""
    days = weekdays("2026-01-28", 6)
    story = Story(f"{days[0]}T09:00:00").instrument("AAA", venue="XNYS").instrument("BILLS").instrument("IDX").tick("AAA", 100)
    story.policy(risk_free_instrument="BILLS", benchmark="IDX").deposit(10000).buy(1, "AAA", 50, 100)
    for at, day in enumerate(days):
        story.at(f"{day}T15:00:00").tick("AAA", HELD[at])
        if at != 2:
            story.at(f"{day}T15:00:01").tick("IDX", INDEX[at]).tick("BILLS", BILLS[at])
    return story.at("2026-02-05T15:00:00").tick("AAA", 106)


CASES = [
    closed_trades_win_lose_and_neither,
    closed_trades_abroad,
    closed_trade_cancelled_and_those_after_it_change,
    closed_trade_corrected_on_a_later_day,
    closed_trade_whose_fee_abroad_is_corrected,
    closed_trades_of_sealed_days_are_corrected,
    closed_trades_of_a_short_and_a_flip,
    closed_trades_of_lots,
    closed_trade_of_a_saturday,
    closed_trade_on_a_weekend_of_which_days_are_made,
    risk_free_instrument,
    risk_free_instrument_without_a_benchmark,
    risk_free_instrument_with_days_of_its_own,
    risk_free_instrument_that_begins_when_the_benchmark_has_no_price,
    risk_free_instrument_without_a_price_gives_way_to_the_rate,
    risk_free_instrument_abroad,
    risk_free_instrument_over_the_end_of_a_month,
]
