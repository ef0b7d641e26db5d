//! Cancels, corrections and reversals: the line is folded again from the place of the booking on, without it or with
//! what it should have been, and the differences are booked. What was booked meanwhile keeps its order. The state is
//! that of a book in which the booking never was, or was right from the beginning. Which record asks for it is not
//! known here.

use super::attribution::{Attribution, Share};
use super::booking::Booking;
use super::execution::Effect;
use super::fold::Folding;
use super::history::{Kept, Place};
use super::holding::Holding;
use super::orders::Executed;
use super::payment::Payment;
use super::portfolio::Portfolio;
use super::sums::Sums;
use super::trouble::Trouble;
use crate::prices::InstrumentIx;
use domain::enums::EntryKind;
use domain::ledger::LedgerEntry;
use domain::{Date, OrderId};

/// An amendment, checked and not yet written.
#[derive(Debug, Clone)]
pub struct Amendment {
    /// The place of the booking.
    pub place: Place,
    /// What stands there from now on; `None` after a cancel.
    pub now: Option<Booking>,
    /// The instrument and what is held of it after it, where it changes a line.
    pub holding: Option<(InstrumentIx, Holding)>,
    /// The same without the actions that no booking has followed.
    unsplit: Option<Holding>,
    /// A payment that is taken back, where it was booked beside an instrument.
    beside: Option<Payment>,
    /// The order whose execution it was, after it.
    pub order: Option<(OrderId, Executed)>,
    /// The oldest day that it changes.
    concerned: Option<Date>,
    /// Holdings before later bookings that are no longer what they were.
    before: Vec<(Place, Holding)>,
    /// What the booking itself does now, less what it did.
    own: Effect,
    /// The same of all that was booked after it.
    later: Effect,
    settles: Option<Date>,
    sums: Sums,
    entries: Vec<LedgerEntry>,
}

/// What an amendment is about.
pub struct Named<'a> {
    /// The place of the booking.
    pub place: Place,
    /// What stands there.
    pub was: &'a Booking,
    /// What is to stand there.
    pub now: Option<Booking>,
    /// When its cash settles, where that lies ahead.
    pub settles: Option<Date>,
}

/// Plans an amendment; `told` makes the ledger entry of a kind and an effect.
pub fn plan(portfolio: &Portfolio, named: Named<'_>, told: impl Fn(EntryKind, &Effect) -> LedgerEntry) -> Result<Amendment, Trouble> {
    let Refold { own, later, holding, unsplit, before } = refold(portfolio, &named)?;
    let mut both = own.clone();
    both.add(&later, 1)?;
    portfolio.cash.check(&own.movements, named.settles)?;
    portfolio.cash.check(&both.movements, None)?;
    portfolio.receivables.check(&both.owed()?, None)?;
    if let Some(place) = named.was.line().and_then(|instrument| portfolio.lines.find(instrument)) {
        let fees = &portfolio.lines.at(place).fees;
        own.charges.iter().try_for_each(|(currency, amount)| fees.check(*currency, *amount))?;
    }
    let beside = match named.was {
        Booking::Payment(payment) => Some(payment).filter(|payment| payment.of.is_some()),
        _ => None,
    };
    beside.map_or(Ok(()), |payment| portfolio.check_beside(payment, -1))?;
    let kind = if named.now.is_some() { EntryKind::Correct } else { EntryKind::Cancel };
    own.check_told()?;
    later.check_told()?;
    let mut entries = vec![told(kind, &own)];
    if !later.is_nothing() {
        entries.push(restated(told(EntryKind::Restate, &later)));
    }
    Ok(Amendment {
        place: named.place,
        concerned: portfolio.days.concerned(named.was),
        sums: portfolio.sums.plus(&both.change)?,
        now: named.now,
        holding,
        unsplit,
        beside: beside.cloned(),
        order: None,
        before,
        own,
        later,
        settles: named.settles,
        entries,
    })
}

struct Refold {
    own: Effect,
    later: Effect,
    holding: Option<(InstrumentIx, Holding)>,
    unsplit: Option<Holding>,
    before: Vec<(Place, Holding)>,
}

fn refold(portfolio: &Portfolio, named: &Named<'_>) -> Result<Refold, Trouble> {
    let (mut own, mut later, method) = (Effect::default(), Effect::default(), portfolio.method);
    let Some(instrument) = named.was.line() else {
        // What moves from one strategy to another is told of both.
        let moves = named.now.as_ref().is_some_and(|now| now.named() != named.was.named());
        for (booking, sign) in [(Some(named.was), -1), (named.now.as_ref(), 1)] {
            let Some(booking) = booking else { continue };
            let mut effect = Holding::default().book(booking, method)?;
            if moves {
                effect.by_strategy = Some(Box::new(Attribution::whole(booking.named().cloned(), Share::of(&effect))));
            }
            own.add(&effect, sign)?;
        }
        return Ok(Refold { own, later, holding: None, unsplit: None, before: Vec::new() });
    };
    let actions = portfolio.actions.get(&instrument).map_or(&[][..], |actions| &actions.followed);
    let (mut then, mut now) = (Folding::new(Holding::default(), actions, method), Folding::new(Holding::default(), actions, method));
    let (mut before, mut of_actions) = (Vec::new(), Effect::default());
    for (nth, Kept { place, before: first, booking }) in
        portfolio.history.line_from(&portfolio.changes, named.place, instrument).enumerate()
    {
        match first {
            Some(first) if nth == 0 => (then.holding, now.holding) = (first.clone(), first),
            Some(first) if now.holding != first => before.push((place, now.holding.clone())),
            _ => {}
        }
        let sum = if place == named.place { &mut own } else { &mut later };
        let instead = if place == named.place { named.now.as_ref() } else { booking.as_ref() };
        if let Some(booking) = &booking {
            then.settle(booking.date(), |_, effect| of_actions.add(effect, -1))?;
            sum.add(&then.book(booking, |_, effect| of_actions.add(effect, -1))?, -1)?;
        }
        if let Some(booking) = instead {
            now.settle(booking.date(), |_, effect| of_actions.add(effect, 1))?;
            sum.add(&now.book(booking, |_, effect| of_actions.add(effect, 1))?, 1)?;
        }
    }
    let stood = then.end(|_, effect| of_actions.add(effect, -1))?;
    let stands = now.end(|_, effect| of_actions.add(effect, 1))?;
    later.add(&of_actions, 1)?;
    debug_assert_eq!(portfolio.lines.holding(instrument), stood, "what is kept of a line folds to what it holds");
    let floats = now.floating().next().is_some();
    let unsplit = floats.then_some(now.holding);
    Ok(Refold { own, later, holding: Some((instrument, stands)), unsplit, before })
}

/// What an amendment changes of later bookings: an entry that is no single booking's.
pub fn restated(mut entry: LedgerEntry) -> LedgerEntry {
    (entry.strategy, entry.venue, entry.trade_date, entry.transact_time) = (None, None, None, None);
    (entry.price, entry.fx_rate) = (None, None);
    entry.fees.retain(|fee| !fee.amount.is_zero());
    entry
}

impl Portfolio {
    /// Writes a planned amendment.
    pub fn amend(&mut self, planned: Amendment) {
        let unsplit = planned.unsplit;
        self.days.touch(planned.concerned);
        let touched = planned.holding.map(|(ix, holding)| {
            if let Some(actions) = self.actions.get_mut(&ix) {
                actions.unsplit = unsplit;
            }
            let place = self.lines.place(ix);
            self.lines.restate(place, holding, &planned.own.charges);
            self.lines.forget_zero_fees(place);
            ix
        });
        self.cash.post(&planned.own.movements, planned.settles);
        self.cash.post(&planned.later.movements, None);
        self.cash.forget_zeros(self.base);
        if let Some(ix) = touched {
            self.accrue(ix, &planned.later);
        }
        self.sums = planned.sums;
        if let Some((order, executed)) = planned.order {
            self.orders.keep(order, executed);
        }
        let touched = touched.or_else(|| self.put_payment(planned.beside.as_ref()?, &planned.own, -1));
        self.amend_history(planned.place, planned.now, planned.before);
        for entry in planned.entries {
            self.journal.add(entry, touched);
        }
        self.tie_out();
    }
}
