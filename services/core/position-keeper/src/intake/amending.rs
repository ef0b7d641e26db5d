//! Cancels and corrections of executions: the execution that they name, by its own id or by that of a
//! correction of it; one that has not come is awaited, one that cannot be known any more is refused.

use super::Waits;
use super::fills::{ask_once, check_rate, hashes, id_of};
use super::settling::admit;
use crate::book::amend::{self, Amendment, Named};
use crate::book::booking::Booking;
use crate::book::entry::Source;
use crate::book::execution::{Effect, Execution};
use crate::book::history::Place;
use crate::book::trade::{Terms, entry, facts_of};
use crate::book::{Need, Portfolio, PortfolioIx, Trouble};
use crate::keeper::PositionKeeper;
use domain::enums::{EntryKind, ExecType, Side};
use domain::fill::{Fill, FillRef};
use domain::reason::DeadLetterCode;
use domain::{Date, Input, PortfolioId, Quantity, SmolStr};
use engine::Context;
use engine::dedup::Verdict;
use engine::waiting::Waiting;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Checks the reference alone.
pub(super) fn check(fill: &FillRef<'_>) -> Result<(), Trouble> {
    match fill.exec_ref_id {
        None => Err(Trouble::invalid(format!("a {} names its execution in exec_ref_id, which is missing", fill.exec_type))),
        Some(named) if !domain::ids::is_id(named) => Err(Trouble::range("exec_ref_id has 1 to 128 bytes and no control characters")),
        Some(named) if named == fill.exec_id => {
            Err(Trouble::invalid(format!("a {} has an id of its own: exec_id and exec_ref_id are both {named:?}", fill.exec_type)))
        }
        Some(_) => Ok(()),
    }
}

impl PositionKeeper {
    /// Books a checked cancel or correction.
    pub(super) fn try_amend(&mut self, fill: &Fill, source: &Source, cx: &mut Context<'_>) -> Result<(), Trouble> {
        let ix = self.find(&fill.portfolio_id).ok_or_else(|| Trouble::Wait(Need::Policy(fill.portfolio_id.clone())))?;
        let view = fill.view();
        check_rate(&view, self.portfolio(ix).base)?;
        let (id, content) = hashes(&mut self.parts, &view);
        let dates = cx.settings.dedup_trade_dates;
        match self.portfolio(ix).fills.judge(fill.trade_date, id, content, cx.now, dates) {
            Verdict::Late { oldest } => return Err(late(fill, &format!("it is dated {}, before {oldest}", fill.trade_date))),
            verdict => admit(verdict, false, "execution", fill.exec_id.as_str(), fill.trade_date)?,
        }
        let place = self.named_by(ix, fill)?;
        self.cost += self.portfolio(ix).reach(place);
        let (was, now) = self.amended(ix, place, fill)?;
        let portfolio = self.portfolio(ix);
        let told =
            |kind: EntryKind, effect: &Effect| entry(kind, (&view, &fill.instrument_id, source), now.as_ref().unwrap_or(&was), effect);
        let settles = was.settles.filter(|date| *date > cx.now.date_utc());
        let (order, stood) = (was.order, Booking::Execution(was.clone()));
        let mut planned = amend::plan(portfolio, Named { place, was: &stood, now: now.clone().map(Booking::Execution), settles }, told)?;
        planned.order = match order {
            Some(order) => portfolio.orders.amended(order, (&view, &was), now.as_ref())?.map(|executed| (order, executed)),
            None => None,
        };
        self.write_amendment(ix, planned, cx)?;
        if let Some(order) = order {
            ask_once(&mut self.portfolios[ix.at()].requests, SmolStr::new(order.to_string()));
        }
        self.wake_to_settle(ix, cx);
        self.remember(ix, fill.trade_date, (id, content, place), dates);
        self.booked(ix);
        Ok(())
    }

    /// Writes a planned amendment where lines and lots have room for it.
    pub(super) fn write_amendment(&mut self, ix: PortfolioIx, planned: Amendment, cx: &Context<'_>) -> Result<(), Trouble> {
        let portfolio = self.portfolio(ix);
        if let Some((instrument, holding)) = &planned.holding {
            portfolio.lines.check_room(*instrument, cx.settings.max_lines)?;
            portfolio.lines.check_lots(*instrument, |_| holding.lots.len(), cx.settings.max_lots)?;
        }
        self.portfolio_mut(ix).amend(planned);
        Ok(())
    }

    /// The place of the execution that a record names: of its own trade date; else of the newest before it that may be
    /// meant; else that of its own trade date which a record of a later one has corrected under this name. Ids are unique
    /// within a date only: one that differs may be another, and the right one still to come.
    fn named_by(&mut self, ix: PortfolioIx, fill: &Fill) -> Result<Place, Trouble> {
        let named = fill.exec_ref_id.clone().unwrap_or_default();
        let portfolio = &self.portfolios[ix.at()];
        let dates = || portfolio.fills.newest_first();
        let earlier = dates().filter(|date| *date < fill.trade_date);
        let later = dates().take_while(|date| *date > fill.trade_date);
        for date in std::iter::once(fill.trade_date).chain(earlier).chain(later) {
            let place = portfolio.fills.place(date, id_of(&mut self.parts, &fill.source, date, &named));
            let fits = |place: &Place| match date.cmp(&fill.trade_date) {
                Ordering::Equal => true,
                Ordering::Less => self.may_mean(portfolio, fill, *place),
                Ordering::Greater => began_on(portfolio, *place) == Some(fill.trade_date) && self.may_mean(portfolio, fill, *place),
            };
            if let Some(place) = place.filter(fits) {
                return Ok(place);
            }
        }
        Err(Trouble::Wait(Need::Execution(fill.source.clone(), named)))
    }

    /// Whether a record may mean what was booked at a place, by what it says of it: of a quantity senders repeat the first
    /// one or that of a correction.
    fn may_mean(&self, portfolio: &Portfolio, fill: &Fill, place: Place) -> bool {
        let Some(Booking::Execution(first)) = portfolio.history.first_at(&portfolio.changes, place) else { return true };
        let same = self.market.slot(first.instrument).id == fill.instrument_id
            && first.currency == fill.currency
            && first.quantity.is_negative() != (fill.side == Side::Buy);
        let now = || portfolio.booked_at(place).flatten().and_then(|now| if let Booking::Execution(now) = now { Some(now) } else { None });
        let is_said = |quantity: Quantity| quantity.abs() == fill.quantity;
        let says_how_many = is_cancel(fill) && !fill.quantity.is_zero();
        same && (!says_how_many || is_said(first.quantity) || now().is_some_and(|now| is_said(now.quantity)))
    }

    /// What stands at a place, and what is to stand there.
    fn amended(&self, ix: PortfolioIx, place: Place, fill: &Fill) -> Result<(Execution, Option<Execution>), Trouble> {
        let portfolio = self.portfolio(ix);
        let named = fill.exec_ref_id.as_deref().unwrap_or_default();
        let was = match portfolio.booked_at(place) {
            Some(Some(Booking::Execution(was))) => was,
            Some(None) => {
                return Err(Trouble::refuse(
                    DeadLetterCode::DuplicateConflict,
                    format!(
                        "execution {named:?} is cancelled already: nothing is left to {}",
                        if is_cancel(fill) { "cancel" } else { "correct" }
                    ),
                ));
            }
            _ => return Err(late(fill, &format!("execution {named:?} has left the window"))),
        };
        let other = |what: &str| {
            let advice = if is_cancel(fill) {
                "name the execution that is meant, with what it says"
            } else {
                "a correction keeps instrument, currency and side: cancel that execution and book anew"
            };
            Trouble::invalid(format!("the {} names execution {named:?}, which has another {what}: {advice}", fill.exec_type))
        };
        if self.market.slot(was.instrument).id != fill.instrument_id {
            return Err(other("instrument"));
        }
        if was.currency != fill.currency {
            return Err(other("currency"));
        }
        if was.quantity.is_negative() == (fill.side == Side::Buy) {
            return Err(other("side"));
        }
        if is_cancel(fill) {
            return Ok((was, None));
        }
        let (_, facts) = facts_of(&self.market, fill)?;
        let terms = Terms { market: &self.market, facts, base: portfolio.base, method: portfolio.method, rate: was.rate, stood: &was.fees };
        let right = terms.execution(&fill.view(), was.instrument)?;
        // One that names none says nothing of the strategy, as it says nothing of the order.
        let (id, order, strategy) = (was.id.clone(), was.order, right.strategy.clone().or_else(|| was.strategy.clone()));
        let now = Execution { id, trade_date: was.trade_date, settles: was.settles, order, strategy, ..right };
        Ok((was, Some(now)))
    }

    /// Takes in what has waited for an execution that was booked now, and for what is booked with it.
    pub(crate) fn wake_named(&mut self, input: &Input, cx: &mut Context<'_>) {
        let Some((portfolio, name)) = name_of(input) else { return };
        if !self.waits.awaits(portfolio) {
            return;
        }
        let named =
            |waits: &mut Waits, name: &Need| waits.take_named(portfolio, name).into_iter().map(|waiting| (waiting.record.offset, waiting));
        // In the order of their log, however the one names the other.
        let mut due: BTreeMap<i64, Waiting> = named(&mut self.waits, &name).collect();
        while let Some((_, waiting)) = due.pop_first() {
            if let Some((_, name)) = self.try_again(portfolio, waiting, cx).as_ref().and_then(name_of) {
                due.extend(named(&mut self.waits, &name));
            }
        }
        // What names an execution of dates that have left the window will never find it.
        if std::mem::take(&mut self.aged) {
            for waiting in self.waits.take_all_named(portfolio) {
                self.try_again(portfolio, waiting, cx);
            }
        }
        self.mark_by_id(portfolio);
    }
}

/// Under what name a record that was booked is awaited by what names it.
fn name_of(input: &Input) -> Option<(&PortfolioId, Need)> {
    match input {
        Input::Fill(fill) => Some((&fill.portfolio_id, Need::Execution(fill.source.clone(), fill.exec_id.clone()))),
        Input::Cash(entry) => Some((&entry.portfolio_id, Need::Entry(entry.source.clone(), entry.entry_id.clone()))),
        _ => None,
    }
}

/// The trade date of what was booked at a place first: a correction keeps it, whatever its own is.
fn began_on(portfolio: &Portfolio, place: Place) -> Option<Date> {
    match portfolio.history.first_at(&portfolio.changes, place)? {
        Booking::Execution(first) => Some(first.trade_date),
        _ => None,
    }
}

fn is_cancel(fill: &Fill) -> bool {
    fill.exec_type == ExecType::Cancel
}

fn late(fill: &Fill, why: &str) -> Trouble {
    let text =
        format!("a {} of an execution that is not known any more ({why}): book the difference, then DISCARD this record", fill.exec_type);
    Trouble::refuse(DeadLetterCode::LateReference, text)
}
