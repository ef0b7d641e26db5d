//! Cancels and corrections: the line is folded again from the place of the execution on, without it or with what
//! it should have been, and the differences are booked. What was booked meanwhile keeps its order. The state is
//! that of a book in which the execution never was, or was right from the beginning.

use super::entry::Source;
use super::execution::{Effect, Execution, Form};
use super::history::{Kept, Place};
use super::holding::Holding;
use super::orders::Executed;
use super::portfolio::Portfolio;
use super::sums::Sums;
use super::trade::entry;
use super::trouble::Trouble;
use crate::prices::InstrumentIx;
use domain::enums::EntryKind;
use domain::fill::Fill;
use domain::ledger::LedgerEntry;
use domain::{Date, OrderId, Quantity, Timestamp};

/// A cancel or a correction, checked and not yet written.
#[derive(Debug, Clone)]
pub struct Amendment {
    /// The place of the execution.
    pub place: Place,
    /// What stands there from now on; `None` after a cancel.
    pub now: Option<Execution>,
    /// The instrument and what is held of it after it, where it is held at all.
    pub holding: Option<(InstrumentIx, Holding)>,
    /// Holdings before later executions that are no longer what they were.
    before: Vec<(Place, Holding)>,
    /// What the execution itself does now, less what it did.
    own: Effect,
    /// The same of all that was booked after it.
    later: Effect,
    settles: Option<Date>,
    sums: Sums,
    order: Option<(OrderId, Executed)>,
    entries: Vec<LedgerEntry>,
}

/// What a cancel or a correction is about.
pub struct Named<'a> {
    /// The place of the execution.
    pub place: Place,
    /// What stands there.
    pub was: &'a Execution,
    /// What is to stand there.
    pub now: Option<Execution>,
}

/// Plans an amendment.
pub fn plan(portfolio: &Portfolio, named: Named<'_>, fill: &Fill, source: &Source, now: Timestamp) -> Result<Amendment, Trouble> {
    let Refold { own, later, holding, before } = refold(portfolio, &named)?;
    let settles = named.was.settles.filter(|date| *date > now.date_utc());
    let mut both = own.clone();
    both.add(&later, 1)?;
    portfolio.cash.check(&own.movements, settles)?;
    portfolio.cash.check(&both.movements, None)?;
    if let Some(place) = portfolio.lines.find(named.was.instrument) {
        let fees = &portfolio.lines.at(place).fees;
        own.charges.iter().try_for_each(|(currency, amount)| fees.check(*currency, *amount))?;
    }
    let order = named.was.order.and_then(|order| {
        let quantity = named.now.as_ref().map_or(Quantity::ZERO, |now| now.quantity.abs());
        portfolio.orders.amended(order, named.was.quantity.abs(), quantity, fill.cum_qty).map(|executed| (order, executed))
    });
    let shown = named.now.as_ref().unwrap_or(named.was);
    let kind = if named.now.is_some() { EntryKind::Correct } else { EntryKind::Cancel };
    let mut entries = vec![entry(kind, fill, shown, &own, source)?];
    if !later.is_nothing() {
        entries.push(restated(fill, shown, &later, source)?);
    }
    Ok(Amendment {
        place: named.place,
        sums: portfolio.sums.plus(&both.change)?,
        now: named.now,
        holding,
        before,
        own,
        later,
        settles,
        order,
        entries,
    })
}

struct Refold {
    own: Effect,
    later: Effect,
    holding: Option<(InstrumentIx, Holding)>,
    before: Vec<(Place, Holding)>,
}

fn refold(portfolio: &Portfolio, named: &Named<'_>) -> Result<Refold, Trouble> {
    let (mut own, mut later, method) = (Effect::default(), Effect::default(), portfolio.method);
    if matches!(named.was.form, Form::Exchange { .. }) {
        own.add(&Holding::default().book(named.was, method)?, -1)?;
        if let Some(now) = &named.now {
            own.add(&Holding::default().book(now, method)?, 1)?;
        }
        return Ok(Refold { own, later, holding: None, before: Vec::new() });
    }
    let instrument = named.was.instrument;
    let (mut then, mut now) = (Holding::default(), Holding::default());
    let mut before = Vec::new();
    for (nth, Kept { place, before: first, execution }) in
        portfolio.history.line_from(&portfolio.changes, named.place, instrument).enumerate()
    {
        match first {
            Some(first) if nth == 0 => (then, now) = (first.clone(), first),
            Some(first) if now != first => before.push((place, now.clone())),
            _ => {}
        }
        let sum = if place == named.place { &mut own } else { &mut later };
        let instead = if place == named.place { named.now.as_ref() } else { execution.as_ref() };
        if let Some(execution) = &execution {
            sum.add(&then.book(execution, method)?, -1)?;
        }
        if let Some(execution) = instead {
            sum.add(&now.book(execution, method)?, 1)?;
        }
    }
    debug_assert_eq!(portfolio.lines.holding(instrument), then, "what is kept of a line folds to what it holds");
    Ok(Refold { own, later, holding: Some((instrument, now)), before })
}

/// What an amendment changes of later bookings: an entry that is no single execution's.
fn restated(fill: &Fill, shown: &Execution, later: &Effect, source: &Source) -> Result<LedgerEntry, Trouble> {
    let mut entry = entry(EntryKind::Restate, fill, shown, later, source)?;
    (entry.strategy, entry.venue, entry.trade_date, entry.transact_time) = (None, None, None, None);
    (entry.price, entry.fx_rate) = (None, None);
    entry.fees.retain(|fee| !fee.amount.is_zero());
    Ok(entry)
}

impl Portfolio {
    /// Writes a planned amendment.
    pub fn amend(&mut self, planned: Amendment) {
        let touched = planned.holding.map(|(ix, holding)| {
            let place = self.lines.place(ix);
            self.lines.restate(place, holding, planned.own.charges.into_iter());
            self.lines.forget_zero_fees(place);
            ix
        });
        self.cash.post(&planned.own.movements, planned.settles);
        self.cash.post(&planned.later.movements, None);
        self.cash.forget_zeros(self.base);
        self.sums = planned.sums;
        if let Some((order, executed)) = planned.order {
            self.orders.keep(order, executed);
        }
        self.changes.amend(planned.place, planned.now, planned.before);
        for entry in planned.entries {
            self.journal.add(entry, touched);
        }
        self.tie_out();
    }
}
