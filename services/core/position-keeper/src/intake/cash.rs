//! Cash entries: checked, known by (source, entry id), booked, taken back, or waiting.

use crate::book::action::Stage;
use crate::book::booking::Booking;
use crate::book::entry::Source;
use crate::book::history::Place;
use crate::book::{Need, PortfolioIx, Trouble, treasury};
use crate::keeper::PositionKeeper;
use crate::prices::actions::Deed;
use crate::valuation::{View, appraise};
use domain::cash::CashEntry;
use domain::enums::CashKind;
use domain::reason::DeadLetterCode;
use domain::{Amount, Date, SmolStr};
use engine::Context;
use engine::dedup::{Parts, RecordId, Verdict};

/// Actions whose dividends entries say before they come, in one portfolio.
const MOST_SAID: usize = 4_096;

/// A known entry: its day, its id, its content.
type Name = (Date, RecordId, u64);

impl PositionKeeper {
    /// Books a cash entry; `late` entries pass when an operator admits them.
    pub(crate) fn try_cash(&mut self, entry: &CashEntry, source: &Source, late: bool, cx: &mut Context<'_>) -> Result<(), Trouble> {
        treasury::check(entry)?;
        let ix = self.find(&entry.portfolio_id).ok_or_else(|| Trouble::Wait(Need::Policy(entry.portfolio_id.clone())))?;
        let (id, content) = hashes(&mut self.parts, entry);
        let date = entry.effective_at.date_utc();
        let dates = cx.settings.dedup_trade_dates;
        let portfolio = self.portfolio(ix);
        let verdict = portfolio.latecomers.judge(portfolio.entries.judge_undated(date, id, content, cx.now, dates), id, content);
        super::settling::admit(verdict, late, "entry", entry.entry_id.as_str(), date)?;
        let name = (date, id, content);
        match &entry.reverses {
            Some(named) => self.reverse(ix, entry, named, source, name, cx)?,
            None => self.book_entry(ix, entry, source, name, cx)?,
        }
        if matches!(verdict, Verdict::Late { .. }) {
            self.portfolio_mut(ix).latecomers.remember(id, content);
        }
        Ok(())
    }

    fn book_entry(&mut self, ix: PortfolioIx, entry: &CashEntry, source: &Source, name: Name, cx: &mut Context<'_>) -> Result<(), Trouble> {
        let says = match self.says_dividend(ix, entry) {
            Err(Trouble::Duplicate) => {
                // It is known from now on, so that what takes it back does not wait for it.
                self.remember_entry(ix, name, NO_EFFECT, cx);
                return Err(Trouble::Duplicate);
            }
            says => says?,
        };
        let equity = self.equity_before(ix, entry, cx);
        let portfolio = self.portfolio(ix);
        let (mut planned, told) = treasury::plan(portfolio, &self.market, entry, source, equity)?;
        let touched = planned.kept.line();
        if let Some(instrument) = touched {
            planned.check_room(&portfolio.lines, instrument, cx.settings)?;
        }
        if let Booking::Payment(payment) = &mut planned.kept {
            payment.says.clone_from(&says);
        }
        let named = touched.or_else(|| planned.kept.beside());
        if let Some(instrument) = named {
            self.market.book(instrument);
        }
        let place = self.portfolio_mut(ix).book(&mut planned, |_| told);
        if let Some(instrument) = named {
            self.hold(instrument, ix);
            self.note_unrated(ix);
        }
        if let Some(action) = says {
            *self.portfolio_mut(ix).said.entry(action).or_default() += 1;
        }
        self.remember_entry(ix, name, place, cx);
        Ok(())
    }

    /// The action whose dividend an entry says, before it is known or beside another such entry, and that must not pay
    /// again. One whose action is booked here already books nothing.
    fn says_dividend(&self, ix: PortfolioIx, entry: &CashEntry) -> Result<Option<SmolStr>, Trouble> {
        let Some(action) = entry.action_id.as_ref().filter(|_| entry.kind == CashKind::Dividend) else { return Ok(None) };
        let portfolio = self.portfolio(ix);
        let instrument = self.market.of_action(action);
        if let Some(slot) = instrument.map(|instrument| self.market.slot(instrument)) {
            let other = entry.instrument_id.as_ref().filter(|named| **named != slot.id);
            let pays = slot.actions.find(action).is_none_or(|action| matches!(action.deed, Deed::Dividend { .. }));
            if let Some(other) = other {
                return Err(Trouble::invalid(format!("action {action:?} is of instrument {:?}, the entry names {other:?}", slot.id)));
            }
            if !pays {
                return Err(Trouble::invalid(format!("action {action:?} of instrument {:?} is no dividend", slot.id)));
            }
        }
        let line = instrument.and_then(|instrument| portfolio.actions.get(&instrument)?.find(action));
        match line.map(|line| line.stage) {
            // What is owed is settled by it.
            Some(Stage::Earned) if portfolio.pays_by_entries() => Ok(None),
            Some(Stage::Earned | Stage::Paid) => Err(Trouble::Duplicate),
            Some(Stage::Entries) => Ok(Some(action.clone())),
            None if portfolio.said.len() >= MOST_SAID && !portfolio.said.contains_key(action) => Err(Trouble::range(format!(
                "dividends of {MOST_SAID} actions that never came are booked, the most that a portfolio keeps: send this one without action_id"
            ))),
            None => Ok(Some(action.clone())),
        }
    }

    /// Takes a booked entry back: the state is that of a book in which it never was.
    fn reverse(
        &mut self,
        ix: PortfolioIx,
        entry: &CashEntry,
        named: &SmolStr,
        source: &Source,
        name: Name,
        cx: &mut Context<'_>,
    ) -> Result<(), Trouble> {
        let id = id_of(&mut self.parts, &entry.source, named);
        let portfolio = self.portfolio(ix);
        let found = portfolio.entries.newest_first().find_map(|date| portfolio.entries.place(date, id));
        let place = found.ok_or_else(|| Trouble::Wait(Need::Entry(entry.source.clone(), named.clone())))?;
        let was = self.reversible(ix, place, named)?;
        treasury::agrees(entry, &was, &self.market)?;
        self.cost += self.portfolio(ix).reach(place);
        let equity = self.equity_before(ix, entry, cx);
        let planned = treasury::plan_reversal(self.portfolio(ix), &self.market, entry, (place, &was), source, equity)?;
        self.write_amendment(ix, planned, cx)?;
        // What it had settled is owed again, and paid where entries do that no longer.
        self.owe_again(ix, &was, cx);
        self.unsay(ix, &was, cx);
        self.remember_entry(ix, name, NO_BOOKING, cx);
        Ok(())
    }

    fn reversible(&self, ix: PortfolioIx, place: Place, named: &str) -> Result<Booking, Trouble> {
        if place == NO_BOOKING {
            return Err(Trouble::invalid(format!("entry {named:?} takes another one back: send that one again under an id of its own")));
        }
        if place == NO_EFFECT {
            return Err(Trouble::Duplicate);
        }
        match self.portfolio(ix).booked_at(place) {
            Some(Some(was)) => Ok(was),
            Some(None) => Err(Trouble::refuse(
                DeadLetterCode::DuplicateConflict,
                format!("entry {named:?} is taken back already: DISCARD this record"),
            )),
            None => Err(Trouble::refuse(
                DeadLetterCode::LateReference,
                format!("entry {named:?} has left the window: send the opposite entry under an id of its own, then DISCARD this record"),
            )),
        }
    }

    /// The equity before a flow, where every price is there.
    fn equity_before(&self, ix: PortfolioIx, entry: &CashEntry, cx: &Context<'_>) -> Option<Amount> {
        let appraisal = treasury::is_flow(entry).then(|| appraise(self.portfolio(ix), View { market: &self.market, now: cx.now }))?;
        appraisal.unpriced.is_empty().then_some(appraisal.equity)
    }

    fn remember_entry(&mut self, ix: PortfolioIx, (date, id, content): Name, place: Place, cx: &Context<'_>) {
        let dates = cx.settings.dedup_trade_dates;
        let portfolio = self.portfolio_mut(ix);
        if portfolio.entries.record(date, id, content, place, dates)
            && let Some(oldest) = portfolio.entries.oldest()
        {
            portfolio.payments.forget_before(&mut portfolio.payment_changes, oldest);
            if portfolio.fills.is_empty() {
                portfolio.history.forget_before(&mut portfolio.changes, oldest);
            }
        }
        self.booked(ix);
    }
}

/// The place of an entry that takes another one back: it booked nothing of its own.
const NO_BOOKING: Place = Place::MAX;
/// The place of a dividend that its action has booked already: to take it back changes nothing either.
const NO_EFFECT: Place = Place::MAX - 1;

fn id_of(parts: &mut Parts, source: &str, entry_id: &str) -> RecordId {
    parts.start().part(source.as_bytes()).part(entry_id.as_bytes()).id()
}

fn hashes(parts: &mut Parts, entry: &CashEntry) -> (RecordId, u64) {
    let id = id_of(parts, &entry.source, &entry.entry_id);
    let content = parts
        .start()
        .number(entry.kind.index() as i128)
        .part(entry.currency.as_str().as_bytes())
        .number(entry.amount.units())
        .optional(entry.reverses.as_ref().map(|text| text.as_bytes()))
        .optional(entry.instrument_id.as_ref().map(|id| id.as_str().as_bytes()))
        .optional(entry.quantity.map(|quantity| quantity.units().to_le_bytes()).as_ref().map(|bytes| bytes.as_slice()))
        .optional(entry.total_cost.map(|cost| cost.units().to_le_bytes()).as_ref().map(|bytes| bytes.as_slice()))
        .optional(entry.action_id.as_ref().map(|text| text.as_bytes()))
        .optional(entry.strategy.as_ref().map(|id| id.as_str().as_bytes()))
        .number(i128::from(entry.effective_at.micros()))
        .content();
    (id, content)
}
