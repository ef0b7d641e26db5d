//! Whose the holdings of a close were: what each strategy held of an instrument, valued as its position is, and what all of
//! them leave of it. The rows of one instrument add up to its position exactly as they are published.

use super::{Closing, Part};
use crate::book::asof::AsOf;
use crate::book::days::Lack;
use crate::book::entry::money;
use crate::prices::InstrumentIx;
use crate::valuation::worth;
use domain::portfolio_close::{ClosedPosition, ClosedStrategy};
use domain::{Amount, InstrumentId, Money, Quantity, StrategyId};

/// Rows of a close, at most: with all names at their longest they fit, and eleven closes of them into what is kept of a
/// portfolio's days.
pub const MOST_ROWS: usize = 8_000;

/// The rows, by instrument id and strategy; `None` where they are too many. What is lacking of an instrument that is none of
/// the positions is noted.
pub(super) fn rows(part: &mut Part<'_>, asof: &AsOf, positions: &[ClosedPosition]) -> Option<Vec<ClosedStrategy>> {
    let (closing, limit) = (part.closing, part.limit);
    if asof.strategies.values().map(|held| held.len() + 1).sum::<usize>() > MOST_ROWS {
        return None;
    }
    let mut lines: Vec<_> = asof.strategies.iter().map(|(ix, held)| (&closing.market.slot(*ix).id, *ix, held)).collect();
    lines.sort_by_key(|(id, ..)| *id);
    let mut rows = Vec::new();
    for (id, ix, held) in lines {
        let first = rows.len();
        let value = values(closing, ix, limit);
        rows.extend(held.iter().map(|(strategy, held)| {
            let figures = Figures { quantity: held.0, cost: money(held.1), value: value(held) };
            figures.of(id, strategy.clone(), false)
        }));
        let position = positions.binary_search_by(|position| position.instrument_id.cmp(id)).ok().map(|at| &positions[at]);
        if position.is_none() && !held.is_empty() {
            note_what_lacks(part, ix, rows[first..].iter().all(|row| row.value.is_some()));
        }
        rows.extend(Figures::left(position, &rows[first..]).map(|left| left.of(id, None, true)));
    }
    Some(rows)
}

/// Notes what a position of it would be said to lack.
fn note_what_lacks(part: &mut Part<'_>, ix: InstrumentIx, is_valued: bool) {
    let (closing, currency) = (part.closing, part.closing.market.slot(ix).facts.as_ref().map(|facts| facts.currency));
    let found = currency.and_then(|of| closing.rate(of));
    let own = closing.priced(ix).map(|priced| (ix, priced.made));
    part.note_ages(own.into_iter().chain(closing.ages(found.as_ref())));
    match currency {
        _ if is_valued => {}
        _ if own.is_none() => part.lack(Lack::Price(ix)),
        Some(currency) if found.is_none() => part.lack(Lack::Rate(currency)),
        _ => _ = part.lacks.insert(Lack::Value(ix)),
    }
}

/// What units of an instrument are worth that have cost so much.
fn values<'a>(closing: &'a Closing<'_>, ix: InstrumentIx, limit: i128) -> impl Fn(&(Quantity, Amount)) -> Option<Money> + 'a {
    let facts = closing.market.slot(ix).facts.as_deref();
    let known = facts.zip(closing.priced(ix)).zip(facts.and_then(|facts| closing.rate(facts.currency)));
    move |held| {
        let ((facts, priced), found) = known.as_ref()?;
        let (value, _) = worth(*held, facts, priced.price, priced.accrued, found.rate).ok()?;
        (value.units().unsigned_abs() <= limit.unsigned_abs()).then(|| money(value))
    }
}

/// The figures of a row.
struct Figures {
    quantity: Quantity,
    cost: Money,
    value: Option<Money>,
}

impl Figures {
    fn of(self, id: &InstrumentId, strategy: Option<StrategyId>, residual: bool) -> ClosedStrategy {
        let Self { quantity, cost, value } = self;
        ClosedStrategy { instrument_id: id.clone(), strategy, residual, quantity, cost, value }
    }

    /// What rows leave of their position; `None` where that is nothing.
    fn left(position: Option<&ClosedPosition>, rows: &[ClosedStrategy]) -> Option<Self> {
        let left = |of_position: &dyn Fn(&ClosedPosition) -> i128, of_row: &dyn Fn(&ClosedStrategy) -> i128| {
            position.map_or(0, of_position) - rows.iter().map(of_row).sum::<i128>()
        };
        let quantity = left(&|position| position.quantity.units(), &|row| row.quantity.units());
        let cost = left(&|position| position.cost.unwrap_or_default().units(), &|row| row.cost.units());
        let value = left(&|position| position.value.units(), &|row| row.value.unwrap_or_default().units());
        let is_valued = rows.iter().all(|row| row.value.is_some());
        let value = Some(value).filter(|_| is_valued);
        let is_nothing = quantity == 0 && cost == 0 && value.is_none_or(|value| value == 0);
        let (quantity, cost, value) = (Quantity::from_units(quantity), Money::from_units(cost), value.map(Money::from_units));
        (!is_nothing).then_some(Self { quantity, cost, value })
    }
}
