//! Journey (b): AAPL, IBM, MSFT and GOOG with targets and bands, March 2005 to March 2013, daily closes.
//! The rebalancer orders by itself within its limits, the paper router fills at the next day's close.
//!
//! Cash stays at or above zero: buys leave after the sells have paid, are sized with the closes of the
//! day, and are filled a day later. The reserve of 5 % of equity covers what prices do in between: all
//! buys of the first day (95 % of equity) may rise by 5.2 %, and later ones, a fifth of equity at most,
//! by a quarter; the largest one-day change of a close in these data is 20 %.

use super::table::{DataError, Table};
use super::traded::{WEEK, blank_policy, blank_tick, deposit, share_facts};
use super::{Dated, Day, evening};
use domain::enums::{BandKind, Funding, PolicyMode, PortfolioType};
use domain::policy::{Band, Book, Limits, Orders, Policy, Target, Trigger};
use domain::tick::Tick;
use domain::{Bps, Date, Fraction, Input, InstrumentId, Money, PortfolioId, Price, Quantity, SmolStr, Timestamp};
use std::collections::BTreeMap;
use std::path::Path;

/// The portfolio.
pub const PORTFOLIO: &str = "four-shares";
/// What it starts with, in USD.
const DEPOSIT: i128 = 1_000_000;
/// Shares, sectors, and target weights in hundredths; the rest is cash.
const LINES: [(&str, &str, i128); 4] =
    [("AAPL", "Hardware", 25), ("GOOG", "Internet", 15), ("IBM", "Services", 30), ("MSFT", "Software", 25)];
/// The part of equity that buys leave alone, in hundredths.
const RESERVE: i128 = 5;

/// Every day of the journey, the day before the first one with what opens the portfolio.
pub fn days(data: &Path) -> Result<Vec<Day>, DataError> {
    let table = Table::read(data.join("stocks").join("daily.csv"))?;
    let mut days: BTreeMap<Date, Day> = BTreeMap::new();
    for row in table.rows(&["date", "symbol", "close", "volume"])? {
        let (date, share): (Date, InstrumentId) = (row.get(0)?, row.get(1)?);
        let (close, volume): (Price, Quantity) = (row.get(2)?, row.get(3)?);
        let at = evening(date);
        let tick = Tick { last: Some(close), volume: Some(volume), ..blank_tick(share, at) };
        let day = days.entry(date).or_insert_with(|| Day { date, portfolios: vec![PORTFOLIO], ..Day::default() });
        day.inputs.push(Dated { input: Input::Tick(Box::new(tick)), time: at });
    }
    let mut days: Vec<_> = days.into_values().collect();
    if let Some(first) = days.first() {
        let eve = first.date.plus_days(-1);
        days.insert(0, Day { date: eve, inputs: opening(evening(eve)), portfolios: vec![PORTFOLIO], ..Day::default() });
    }
    Ok(days)
}

fn opening(at: Timestamp) -> Vec<Dated> {
    let facts = LINES.iter().map(|(share, sector, _)| share_facts(id(share), Some(sector)));
    let mut inputs: Vec<Input> = facts.map(|facts| Input::Instrument(Box::new(facts))).collect();
    inputs.push(Input::Policy(Box::new(policy())));
    inputs.push(Input::Cash(Box::new(deposit(portfolio(), DEPOSIT, at))));
    inputs.into_iter().map(|input| Dated { input, time: at }).collect()
}

/// The rules of the portfolio.
pub fn policy() -> Policy {
    let targets = LINES.iter().map(|(share, _, weight)| Target {
        instrument_id: Some(id(share)),
        group: None,
        target_weight: hundredths(*weight),
        min_weight: None,
        max_weight: None,
    });
    Policy {
        name: Some(SmolStr::new_static("Four shares in their bands")),
        kind: PortfolioType::Balanced,
        targets: targets.collect(),
        band: Band { kind: BandKind::SmallerOf, absolute: hundredths(5), relative: hundredths(25), ..Band::default() },
        trigger: Trigger { mode: PolicyMode::Automatic, ..Trigger::default() },
        orders: Orders {
            cash_reserve: hundredths(RESERVE),
            funding: Funding::WaitForSells,
            // A fill comes with the next close, up to five days later.
            valid_seconds: WEEK,
            ..Orders::default()
        },
        book: Book { max_price_age_seconds: WEEK, ..Book::default() },
        limits: Limits {
            max_order_notional: Money::from_whole(2_000_000),
            max_daily_notional: Money::from_whole(5_000_000),
            price_collar_bp: Bps::from_whole(2500),
            ..Limits::default()
        },
        ..blank_policy(portfolio())
    }
}

/// The width of a share's band on either side of its target.
pub fn band_of(target: Fraction) -> Fraction {
    let quarter = Fraction::from_units(target.units().abs() / 4);
    hundredths(5).min(quarter)
}

fn hundredths(count: i128) -> Fraction {
    Fraction::from_units(count * (Fraction::ONE.units() / 100))
}

fn id(share: &str) -> InstrumentId {
    InstrumentId::new(share).expect("a ticker is an id")
}

fn portfolio() -> PortfolioId {
    PortfolioId::new(PORTFOLIO).expect("the name is an id")
}
