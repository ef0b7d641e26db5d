//! What each strategy holds and has earned, line by line, and what all of them leave of it: the rows add up to the
//! line's own figures exactly as they are published. It values a sub-position as its line was valued and books nothing.

use crate::book::entry::money;
use crate::book::sub_positions::{Charged, SubPosition};
use crate::book::trouble::bounded;
use crate::book::{Line, Portfolio};
use crate::valuation::{Appraisal, LineValue, View, line_value, worth};
use domain::enums::PriceFlag;
use domain::snapshot::StrategyPosition;
use domain::{Amount, FxRate, InstrumentId, Money, Price, Quantity, StrategyId};
use std::collections::BTreeMap;

/// Rows of lines in a snapshot, at most: with all names at their longest they fit. Lines beyond are told together.
pub const MOST_ROWS: usize = 16_000;
/// Strategies that are told of lines together, at most: what others have is left as residual.
pub const MOST_TOGETHER: usize = 1_024;

/// The rows of a portfolio's sub-positions; none where no line has any.
pub fn rows(portfolio: &Portfolio, appraisal: &Appraisal, view: View<'_>) -> Vec<StrategyPosition> {
    let mut valued = portfolio.lines.counting().zip(&appraisal.lines).map(|((place, _), value)| (place, value)).peekable();
    let (mut rows, mut together) = (Vec::new(), Together::default());
    for (place, line) in portfolio.lines.all().iter().enumerate() {
        let value = valued.next_if(|(at, _)| *at == place).map(|(_, value)| value);
        if line.subs.is_empty() && !portfolio.besides.names_strategies(line.instrument) {
            continue;
        }
        let told = of_line(portfolio, line, value, view);
        let is_gone = value.is_none() && told.iter().all(|row| row.quantity.is_zero());
        if is_gone || rows.len() + told.len() > MOST_ROWS {
            told.into_iter().for_each(|row| together.add(row));
        } else {
            let id = &view.market.slot(line.instrument).id;
            rows.extend(told.into_iter().map(|row| row.of(Some(id.clone()))));
        }
    }
    rows.sort_by(|a, b| a.instrument_id.cmp(&b.instrument_id));
    rows.extend(together.rows());
    rows
}

/// One row, amounts as published, in units.
struct Row {
    strategy: Option<StrategyId>,
    residual: bool,
    quantity: Quantity,
    average: Option<Price>,
    figures: Figures,
}

/// Cost, value, realized gross, fees, income; the others follow from them.
type Figures = [i128; 5];

impl Row {
    fn of(self, instrument_id: Option<InstrumentId>) -> StrategyPosition {
        let [cost, value, gross, fees, income] = self.figures;
        StrategyPosition {
            instrument_id,
            strategy: self.strategy,
            residual: self.residual,
            quantity: self.quantity,
            average_price: self.average,
            cost: Money::from_units(cost),
            value: Money::from_units(value),
            realized_gross: Money::from_units(gross),
            fees: Money::from_units(fees),
            income: Money::from_units(income),
            realized_net: Money::from_units(gross - fees + income),
            unrealized: Money::from_units(value - cost),
        }
    }
}

/// Value, gain and net are rounded as those of a line are; cost and gross follow from them.
fn figures(value: Amount, book_cost: Amount, net: Amount, charged: Charged) -> Figures {
    let units = |amount: Amount| money(amount).units();
    let (worth, fees, income) = (units(value), units(charged.fees), units(charged.income));
    let unrealized = units(value.checked_sub(book_cost).expect(FEW));
    [worth - unrealized, worth, units(net) + fees - income, fees, income]
}

const FEW: &str = "a few bounded amounts add up";

fn sum(a: Amount, b: Amount) -> Amount {
    a.checked_add(b).expect(FEW)
}

fn both(a: Charged, b: Charged) -> Charged {
    Charged { fees: sum(a.fees, b.fees), income: sum(a.income, b.income) }
}

/// The rows of one line: its sub-positions with what entries have brought and cost their strategies, and the residual.
fn of_line(portfolio: &Portfolio, line: &Line, value: Option<&LineValue>, view: View<'_>) -> Vec<Row> {
    let value = value.copied().unwrap_or_else(|| line_value(portfolio, line, view));
    // A line whose strategies only entries name is all nameless.
    let whole = || Charged::of(&line.position, value.rate.unwrap_or(FxRate::ONE)).unwrap_or_default();
    let of_line = line.subs.of_line().unwrap_or_else(whole);
    let mut each: BTreeMap<Option<StrategyId>, (SubPosition, Charged)> =
        line.subs.iter().map(|(strategy, sub)| (strategy.clone(), (sub.clone(), Charged::default()))).collect();
    if line.subs.is_empty() {
        each.insert(None, (SubPosition { position: line.position, charged: of_line }, Charged::default()));
    }
    let beside = portfolio.besides.of(line.instrument);
    let mut nameless = beside.charged();
    for (strategy, charged) in portfolio.besides.by_strategy(line.instrument) {
        let minus = |from: Amount, part: Amount| from.checked_sub(part).expect(FEW);
        nameless = Charged { fees: minus(nameless.fees, charged.fees), income: minus(nameless.income, charged.income) };
        each.entry(Some(strategy.clone())).or_default().1 = charged;
    }
    if nameless != Charged::default() {
        each.entry(None).or_default().1 = nameless;
    }
    let net = sum(line.position.realized_net_base, beside.net_base);
    let mut left = figures(value.value, line.position.book_cost, net, both(of_line, beside.charged()));
    let mut quantity = line.position.quantity.units();
    let mut rows = Vec::new();
    for (strategy, (sub, beside)) in each {
        let row = of_sub(strategy, &sub, beside, (line, &value), view);
        left.iter_mut().zip(row.figures).for_each(|(left, units)| *left -= units);
        quantity -= row.quantity.units();
        rows.push(row);
    }
    if quantity != 0 || left != [0; 5] {
        rows.push(Row { strategy: None, residual: true, quantity: Quantity::from_units(quantity), average: None, figures: left });
    }
    rows
}

fn of_sub(strategy: Option<StrategyId>, sub: &SubPosition, beside: Charged, (line, value): (&Line, &LineValue), view: View<'_>) -> Row {
    let slot = view.market.slot(line.instrument);
    let position = &sub.position;
    let priced = slot.facts.as_deref().zip(slot.price).zip(value.rate).filter(|_| value.flag != PriceFlag::Missing);
    // What cannot be valued counts nothing, as its line does.
    let worth = priced.and_then(|((facts, price), rate)| worth((position.quantity, position.cost), facts, price, slot.accrued, rate).ok());
    let worth = worth.and_then(|(worth, _)| bounded(worth).ok()).unwrap_or(Amount::ZERO);
    let net = sum(position.realized_net_base, beside.income.checked_sub(beside.fees).expect(FEW));
    Row {
        strategy,
        residual: false,
        quantity: position.quantity,
        average: slot.facts.as_deref().and_then(|facts| position.average_price(facts.multiplier)),
        figures: figures(worth, position.book_cost, net, both(sub.charged, beside)),
    }
}

/// Lines that are told together: those that are neither held nor targeted any more, by strategy, the residual last.
#[derive(Default)]
struct Together(BTreeMap<(bool, Option<StrategyId>), Figures>);

impl Together {
    fn add(&mut self, row: Row) {
        let key = (row.residual, row.strategy);
        let has_room = self.0.len() < MOST_TOGETHER || self.0.contains_key(&key);
        let sum = self.0.entry(if has_room { key } else { (true, None) }).or_default();
        sum.iter_mut().zip(row.figures).for_each(|(sum, units)| *sum += units);
    }
    fn rows(self) -> impl Iterator<Item = StrategyPosition> {
        let told = self.0.into_iter().filter(|(_, figures)| *figures != [0; 5]);
        told.map(|((residual, strategy), figures)| Row { strategy, residual, quantity: Quantity::ZERO, average: None, figures }.of(None))
    }
}
