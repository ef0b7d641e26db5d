//! Books for tests, written as text. A line is an instrument or a cash balance:
//!
//! ```text
//! AAPL 100 @ 12.5 lot 10 sector TECH currency EUR fx 1.1 close 12 status OPEN
//! cash USD 1000 settled 900 fx 1
//! receivable USD 5
//! ```
//!
//! Amounts are valued as a book values them: exact products, rounded half-even at scale 18, published at 10.

use domain::drift::{CurrencyRate, Drift, DriftLine};
use domain::enums::{DriftKind, InstrumentType, MarketState, PriceFlag};
use domain::ledger::CurrencyAmount;
use domain::policy::Policy;
use domain::snapshot::{CashBalance, Health};
use domain::target_risk::TargetRisk;
use domain::{Amount, Currency, Fraction, FxRate, Money, PortfolioId, Price, Quantity, SmolStr, Timestamp};
use std::collections::BTreeMap;
use std::str::FromStr;

/// The policy of portfolio `p` in USD with these fields (JSON, without braces).
pub fn policy(fields: &str) -> Policy {
    let comma = if fields.trim().is_empty() { "" } else { "," };
    let json = format!(r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD"{comma}{fields}}}"#);
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// The drift event of a book under a policy.
pub fn drift(policy: Policy, text: &str) -> Drift {
    let mut drift = empty(policy);
    let (mut equity, mut cash, mut settled) = (Amount::ZERO, Amount::ZERO, Amount::ZERO);
    for row in text.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let words: Vec<_> = row.split_whitespace().collect();
        match words[0] {
            "cash" => {
                let (rate, facts) = money(&mut drift, &words);
                let trade_date: Money = parse(words[2]);
                let own = facts.get("settled").map_or(trade_date, |text| parse(text));
                drift.cash.push(CashBalance { currency: parse(words[1]), trade_date, settled: own });
                cash = cash.checked_add(Amount::from(trade_date).convert(rate).unwrap()).unwrap();
                settled = settled.checked_add(Amount::from(own).convert(rate).unwrap()).unwrap();
            }
            "receivable" => {
                let (rate, _) = money(&mut drift, &words);
                let amount: Money = parse(words[2]);
                drift.receivables.push(CurrencyAmount { currency: parse(words[1]), amount });
                equity = equity.checked_add(Amount::from(amount).convert(rate).unwrap()).unwrap();
            }
            _ => {
                let (line, value) = line(&words);
                equity = equity.checked_add(value).unwrap();
                drift.lines.push(line);
            }
        }
    }
    equity = equity.checked_add(cash).unwrap();
    drift.equity = equity.to_money().unwrap();
    (drift.available_cash, drift.settled_cash) = (cash.to_money().unwrap(), settled.to_money().unwrap());
    drift.lines.sort_by(|a, b| a.instrument_id.cmp(&b.instrument_id));
    drift
}

fn parse<T: FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn facts<'a>(words: &[&'a str]) -> BTreeMap<&'a str, &'a str> {
    words.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

fn money<'a>(drift: &mut Drift, words: &[&'a str]) -> (FxRate, BTreeMap<&'a str, &'a str>) {
    let facts = facts(&words[3..]);
    let rate = facts.get("fx").map_or(FxRate::ONE, |text| parse(text));
    let currency: Currency = parse(words[1]);
    if !drift.fx_rates.iter().any(|known| known.currency == currency) {
        drift.fx_rates.push(CurrencyRate { currency, fx_rate: Some(rate) });
    }
    (rate, facts)
}

/// The line, and what it adds to equity.
fn line(words: &[&str]) -> (DriftLine, Amount) {
    assert_eq!(words[2], "@", "{words:?}");
    let facts = facts(&words[4..]);
    let fact = |name: &str| facts.get(name).copied();
    let (quantity, price): (Quantity, Price) = (parse(words[1]), parse(words[3]));
    let kind = fact("type").map_or(InstrumentType::Equity, InstrumentType::from_symbol);
    let average: Option<Price> = fact("average").map(parse);
    let accrued: Option<Price> = fact("accrued").map(parse);
    let fx: FxRate = fact("fx").map_or(FxRate::ONE, parse);
    let multiplier: Quantity = fact("multiplier").map_or(Quantity::ONE, parse);
    let each = match kind {
        InstrumentType::Future => price.checked_sub(average.unwrap_or(price)).unwrap(),
        InstrumentType::Bond => price.checked_add(accrued.unwrap_or_default()).unwrap(),
        _ => price,
    };
    let value = quantity.times(each).unwrap().multiply(multiplier).unwrap().convert(fx).unwrap();
    let line = DriftLine {
        instrument_id: parse(words[0]),
        weight: None,
        target: Fraction::ZERO,
        drift: None,
        lower: Fraction::ZERO,
        upper: Fraction::ZERO,
        breached: false,
        price: Some(price),
        price_time: Some(Timestamp::from_micros(1_767_625_200_000_000)),
        price_flag: fact("flag").map_or(PriceFlag::Fresh, PriceFlag::from_symbol),
        close_price: fact("close").map(parse),
        average_price: average,
        accrued,
        quantity,
        value: value.to_money().unwrap(),
        currency: fact("currency").map_or(parse("USD"), parse),
        fx_rate: Some(fx),
        multiplier,
        lot_size: fact("lot").map_or(Quantity::ONE, parse),
        tick_size: fact("tick").map(parse),
        kind,
        sector: fact("sector").map(SmolStr::new),
        venue: fact("venue").map(SmolStr::new),
        average_daily_volume: fact("volume").map(parse),
        market_status: fact("status").map_or(MarketState::Open, MarketState::from_symbol),
        bid: fact("bid").map(parse),
        ask: fact("ask").map(parse),
    };
    (line, value)
}

/// Figures of risk against a target, of which only the volatility of the portfolio's own days may count.
#[allow(dead_code, reason = "each test file uses its own part")]
pub fn target_risk(target: &str, realised: Option<&str>) -> TargetRisk {
    TargetRisk {
        target: parse(target),
        realised: realised.map(parse),
        realised_observations: 250,
        holdings: None,
        holdings_observations: 0,
        coverage: None,
        gross_exposure: None,
        date: realised.map(|_| parse("2026-01-02")),
        close_version: realised.map(|_| 1),
        window: None,
        scale: None,
        notice: realised.is_none().then(|| SmolStr::new("no figures")),
        scale_date: None,
        scale_version: None,
    }
}

fn empty(policy: Policy) -> Drift {
    Drift {
        portfolio_id: PortfolioId::new("p").unwrap(),
        episode: 1,
        shadow: false,
        event: DriftKind::Open,
        cause: None,
        cause_id: None,
        as_of: Timestamp::from_micros(1_767_625_200_000_000),
        lines: Vec::new(),
        max_abs_drift: None,
        half_sum_abs_drift: None,
        equity: Money::ZERO,
        cash: Vec::new(),
        fx_rates: Vec::new(),
        receivables: Vec::new(),
        available_cash: Money::ZERO,
        settled_cash: Money::ZERO,
        health: Health { complete: true, ..Health::default() },
        policy: Some(Box::new(policy)),
        snapshot_version: 1,
        recent_orders: Vec::new(),
        input_offsets: Vec::new(),
        cause_instrument_id: None,
        risk: None,
    }
}
