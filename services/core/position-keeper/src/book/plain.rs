//! The usual trade, booked without what other bookings need and it has not: rates, lots, strategies, orders, splits,
//! payments that are no cash. Every figure is made by the rules of [`Position`], cash and sums that all bookings go by;
//! what is left out here would add nothing. Whatever is not usual, and whatever leaves its range, is no plain trade:
//! it is planned as all others are, which tells why it cannot be booked.

use super::across;
use super::booking::Booking;
use super::cash::Movement;
use super::closings::net_of;
use super::entry::{Source, money};
use super::execution::{Charge, Execution};
use super::history::Place;
use super::lots::keeps_lots;
use super::notes::{Noted, Notes};
use super::portfolio::Portfolio;
use super::position::{Outcome, Position, Trade, signed};
use super::sums::Sums;
use super::trade::value;
use super::trouble::bounded;
use crate::prices::{InstrumentIx, Market};
use domain::enums::InstrumentType;
use domain::fill::FillRef;
use domain::ids::small_text;
use domain::instrument::Instrument;
use domain::{Amount, Date, FxRate, Money, Quantity, Timestamp};

/// A plain trade, checked and not yet written.
#[derive(Debug, Clone)]
pub struct Plain {
    instrument: InstrumentIx,
    place: usize,
    position: Position,
    quantity: Quantity,
    gross: Amount,
    fee: Option<Money>,
    realized: Amount,
    /// What the trade came to that it closes.
    net: Option<Money>,
    movement: Movement,
    sums: Sums,
    /// When its cash settles, where that lies ahead.
    pub settles: Option<Date>,
}

/// Plans a checked trade on a line that its portfolio has; `None` where it is not plain.
pub fn plan(
    portfolio: &Portfolio,
    market: &Market,
    (fill, instrument): (&FillRef<'_>, InstrumentIx),
    most_lines: usize,
    now: Timestamp,
) -> Option<Plain> {
    let facts = market.slot(instrument).facts.as_deref()?;
    let fee = fee_of(portfolio, facts, fill)?;
    if keeps_lots(portfolio.method) || across::concern(portfolio, market, instrument, fill.trade_date) {
        return None;
    }
    let place = portfolio.lines.find(instrument)?;
    let line = portfolio.lines.at(place);
    if !line.subs.is_empty() || !line.lots.is_empty() {
        return None;
    }
    portfolio.lines.check_room(instrument, most_lines).ok()?;
    let gross = value(facts, fill.quantity, fill.price).ok()?;
    let quantity = fill.signed_quantity().ok()?;
    let paid = bounded(fee.unwrap_or(Money::ZERO).into()).ok()?;
    line.fees.check(fill.currency, paid).ok()?;
    let mut position = line.position;
    let outcome = trade(&mut position, quantity, gross, paid)?;
    let bought = signed(-quantity.signum(), gross).ok()?;
    let amount = bought.checked_sub(paid).ok()?;
    let movement = Movement { currency: fill.currency, amount, book: amount };
    let settles = fill.settle_date.filter(|date| *date > now.date_utc());
    portfolio.cash.check_one(&movement, settles).ok()?;
    let book_cost = position.book_cost.checked_sub(line.position.book_cost).ok()?;
    let change = Sums { realized_gross: outcome.realized, fees: paid, book_cost, book_cash: amount, ..Sums::default() };
    let sums = portfolio.sums.plus(&change).ok()?;
    let realized = bounded(outcome.realized).ok()?;
    let net = if outcome.closed.is_zero() { None } else { Some(net_of(realized, paid).ok()?) };
    Some(Plain { instrument, place, position, quantity, gross, fee, realized, net, movement, sums, settles })
}

/// The fee of a fill that has one at most, in its own currency, which is that of instrument and portfolio; `None` where
/// the fill says more.
fn fee_of(portfolio: &Portfolio, facts: &Instrument, fill: &FillRef<'_>) -> Option<Option<Money>> {
    let says_more = fill.fx_rate.is_some()
        || fill.order_id.is_some()
        || fill.strategy.is_some()
        || fill.gross_amount.is_some()
        || fill.accrued_interest.is_some();
    let is_other = fill.currency != facts.currency
        || fill.currency != portfolio.base
        || facts.base_asset == Some(fill.currency)
        || matches!(facts.kind, InstrumentType::Fx | InstrumentType::Future);
    if says_more || is_other {
        return None;
    }
    match fill.fees.as_slice() {
        [] => Some(None),
        [fee] if fee.currency == fill.currency => Some(Some(fee.amount)),
        _ => None,
    }
}

/// Takes the trade and its fee into a position, in the base currency; `None` where it ends one cycle and begins another.
fn trade(position: &mut Position, quantity: Quantity, gross: Amount, fee: Amount) -> Option<Outcome> {
    let outcome = position.trade(Trade { quantity, gross, book_gross: gross }, None).ok()?;
    if outcome.opened && !outcome.closed.is_zero() {
        return None;
    }
    position.charge(fee, Amount::ZERO, (fee, Amount::ZERO)).ok()?;
    let net = outcome.book_realized.checked_sub(fee).ok()?;
    position.realized_net_base = bounded(position.realized_net_base.checked_add(net).ok()?).ok()?;
    // At a rate of one both are the same, as all their parts are.
    (outcome.realized == outcome.book_realized).then_some(outcome)
}

impl Plain {
    /// What its ledger entry will be made of.
    fn noted(&self, fill: &FillRef<'_>, source: &Source) -> Noted {
        Noted {
            id: small_text(fill.exec_id),
            venue: fill.venue.map(small_text),
            source: *source,
            instrument: self.instrument,
            trade_date: fill.trade_date,
            at: fill.transact_time,
            currency: fill.currency,
            quantity: self.quantity,
            price: fill.price,
            cash: (!self.movement.amount.is_zero()).then(|| money(self.movement.amount)),
            realized: money(self.realized),
            fee: self.fee,
            net: self.net,
        }
    }

    /// Writes what is kept of it over another execution.
    fn keep(&self, fill: &FillRef<'_>, execution: &mut Execution) {
        execution.instrument = self.instrument;
        (execution.trade_date, execution.settles) = (fill.trade_date, fill.settle_date);
        (execution.quantity, execution.price, execution.gross) = (self.quantity, fill.price, self.gross);
        (execution.currency, execution.rate) = (fill.currency, FxRate::ONE);
        execution.fees.clear();
        if let Some(amount) = self.fee {
            let local = Amount::from(amount);
            execution.fees.push(Charge { currency: fill.currency, amount, local, book: local, held: None });
        }
    }
}

impl Portfolio {
    /// Writes a planned plain trade, and among the notes what its ledger entry will be made of; its place. `room` holds the
    /// last one that was kept, or a blank execution.
    pub fn book_plain(&mut self, plain: &Plain, (fill, source): (&FillRef<'_>, &Source), room: &mut Booking, notes: &mut Notes) -> Place {
        if let Booking::Execution(execution) = room {
            plain.keep(fill, execution);
        }
        self.days.touch(Some(fill.trade_date));
        let line = self.lines.at_mut(plain.place);
        let place = self.history.push(&self.changes, Some(line), None, room);
        let fee = plain.fee.map(|amount| (fill.currency, Amount::from(amount)));
        self.lines.book(plain.place, &plain.position, None, &fee);
        let line = self.lines.at_mut(plain.place);
        line.newest = line.newest.max(Some(fill.trade_date));
        self.cash.post_one(&plain.movement, plain.settles);
        self.sums = plain.sums;
        self.journal.note(plain.noted(fill, source), notes);
        self.tie_out();
        place
    }
}
