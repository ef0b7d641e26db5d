//! Corporate actions: announced by frames, applied when their ex-date begins at the venue, and at once where that
//! has passed. Every book that holds the instrument, or has held it, follows.

use crate::book::action::{LineAction, LineActions, Stage};
use crate::book::booking::Booking;
use crate::book::entry::{charged, legs, money};
use crate::book::execution::Effect;
use crate::book::follow::{self, Blocked};
use crate::book::payment::Payment;
use crate::book::trouble::bounded;
use crate::book::{PortfolioIx, Trouble};
use crate::drift::Request;
use crate::keeper::{PositionKeeper, TIMER_ACTIONS};
use crate::prices::actions::Deed;
use crate::prices::{Action, InstrumentIx};
use domain::corporate_action::CorporateAction;
use domain::enums::{DriftCause, EntryKind};
use domain::ledger::{Cause, LedgerEntry};
use domain::venue::day_start;
use domain::{Money, SmolStr, Timestamp, Topic};
use engine::Context;

/// An action as its books are told of it: its id, what stood before, and the place of the frame that told of it.
#[derive(Clone, Copy)]
struct News<'a> {
    id: &'a SmolStr,
    before: Option<&'a Action>,
    told: (i32, i64),
}

/// Days for which an order from before a split may stand.
const RECENT_DAYS: i32 = 10;

impl PositionKeeper {
    /// Takes an announcement in; `told` is partition and offset of its frame.
    pub(crate) fn take_action(&mut self, action: &CorporateAction, told: (i32, i64), cx: &mut Context<'_>) {
        let before = self.market.find(&action.instrument_id).and_then(|ix| self.market.slot(ix).actions.find(&action.action_id).cloned());
        let Some((ix, begun)) = self.market.announce(action, told, cx.now) else { return };
        for id in &begun {
            let before = before.as_ref().filter(|_| *id == action.action_id);
            self.follow_action(ix, News { id, before, told }, cx);
        }
    }

    /// Applies what has become due, and sets the timer for what becomes due next.
    pub(crate) fn apply_due(&mut self, cx: &mut Context<'_>) {
        for (ix, id) in self.market.begin_due(cx.now) {
            let Some(action) = self.market.slot(ix).actions.find(&id).cloned() else { continue };
            self.follow_action(ix, News { id: &id, before: None, told: action.told }, cx);
        }
        match self.market.next_action() {
            Some(due) if cx.timers.get(TIMER_ACTIONS, "") != Some(due) => cx.timers.set(due, TIMER_ACTIONS, ""),
            Some(_) => {}
            None => cx.timers.clear(TIMER_ACTIONS, ""),
        }
    }

    /// Books follow that could not for want of a rate.
    pub(crate) fn follow_unrated(&mut self, cx: &mut Context<'_>) {
        for ix in std::mem::take(&mut self.unrated) {
            let behind = self.portfolio(ix).actions.iter().filter(|(_, actions)| !actions.unrated.is_empty());
            let unrated: Vec<_> = behind.flat_map(|(line, actions)| actions.unrated.iter().map(|id| (*line, id.clone()))).collect();
            for (instrument, id) in unrated {
                let told = self.market.slot(instrument).actions.find(&id).map_or((0, 0), |action| action.told);
                self.follow_in(ix, instrument, News { id: &id, before: None, told }, cx);
            }
            self.note_unrated(ix);
        }
    }

    /// Notes whether a portfolio has lines that wait for a rate.
    pub(crate) fn note_unrated(&mut self, ix: PortfolioIx) {
        if self.portfolio(ix).actions.values().any(|actions| !actions.unrated.is_empty()) {
            self.unrated.insert(ix);
        }
    }

    fn follow_action(&mut self, instrument: InstrumentIx, news: News<'_>, cx: &mut Context<'_>) {
        let action = self.market.slot(instrument).actions.find(news.id).or(news.before);
        // Of old ones that change nothing no order can know.
        let recent = action.is_some_and(|action| action.ex_date >= cx.now.date_utc().plus_days(-RECENT_DAYS));
        let is_dividend = action.is_some_and(|action| matches!(action.deed, Deed::Dividend { .. }));
        for ix in self.holders.get(instrument.at()).cloned().unwrap_or_default() {
            let changed = self.follow_in(ix, instrument, news, cx);
            if self.portfolio(ix).policy.is_some() && !is_dividend && (changed || recent) {
                let moved = Some(self.market.slot(instrument).id.clone());
                let request = Request { cause: DriftCause::Action, id: Some(news.id.clone()), instrument: moved, told: false };
                self.portfolio_mut(ix).requests.push(request);
            }
            self.marks.change(ix);
        }
    }

    /// Makes one line follow what stands of an action now; whether it changed.
    fn follow_in(&mut self, ix: PortfolioIx, instrument: InstrumentIx, news: News<'_>, cx: &mut Context<'_>) -> bool {
        let (portfolio, id) = (self.portfolio(ix), news.id);
        let newest = portfolio.lines.find(instrument).and_then(|place| portfolio.lines.at(place).newest);
        if newest.is_none() && !portfolio.actions.contains_key(&instrument) {
            // Nothing was ever booked: its first booking finds what stands then.
            return false;
        }
        let stands = self.market.slot(instrument).actions.find(id).filter(|action| action.concerns_books()).cloned();
        let known = portfolio.actions.get(&instrument).and_then(|actions| actions.find(id)).cloned();
        let as_known = match (&stands, &known) {
            (Some(stands), Some(known)) => known.action.is_as(stands) && (known.stage == Stage::Entries) == portfolio.is_said(stands),
            (None, None) => true,
            _ => false,
        };
        if as_known {
            self.note_behind(ix, instrument, id, |_| ());
            self.pay_in(ix, instrument, news, cx);
            return false;
        }
        let now = stands.as_ref().map(|action| LineAction::of(action, &self.market, instrument, portfolio.base)).transpose();
        let Ok(now) = now else {
            self.note_behind(ix, instrument, id, |actions| _ = actions.unrated.insert(id.clone()));
            return false;
        };
        let now = now.map(|line| self.staged(ix, line, known.as_ref()));
        let entry =
            |kind: EntryKind, effect: &Effect| self.entry_of(kind, (instrument, known.as_ref(), now.as_ref()), news, effect, cx.now);
        match follow::plan(portfolio, instrument, (id, now.clone()), entry) {
            Ok(planned) if self.has_room(ix, instrument, planned.holding().lots.len(), cx) => {
                self.portfolio_mut(ix).follow_action(planned);
                self.booked(ix);
                self.pay_in(ix, instrument, news, cx);
                true
            }
            Ok(_) | Err(Blocked::Beyond | Blocked::Trouble(_)) => {
                self.note_behind(ix, instrument, id, |actions| _ = actions.beyond.insert(id.clone()));
                false
            }
        }
    }

    /// An action that is new to a line is earned first and paid then; one that was paid stays so.
    fn staged(&self, ix: PortfolioIx, line: LineAction, known: Option<&LineAction>) -> LineAction {
        let line = line.due(&self.market, self.portfolio(ix));
        let stage = match (line.stage, known.map(|known| known.stage)) {
            (Stage::Paid, Some(Stage::Paid)) => Stage::Paid,
            (Stage::Paid, _) => Stage::Earned,
            // It was paid before entries were what pays.
            (Stage::Earned, Some(Stage::Paid)) if self.market.slot(line.instrument).actions.is_paid(&line.action.id) => Stage::Paid,
            (stage, _) => stage,
        };
        LineAction { stage, ..line }
    }

    /// Pays every dividend that a portfolio is owed and whose day has begun: entries do it no longer.
    pub(crate) fn pay_owed(&mut self, ix: PortfolioIx, cx: &mut Context<'_>) {
        let lines = self.portfolio(ix).actions.iter();
        let earned = lines.flat_map(|(instrument, actions)| actions.followed.iter().map(move |line| (*instrument, line)));
        let owed: Vec<_> = earned.filter(|(_, line)| line.stage == Stage::Earned).map(|(at, line)| (at, line.action.clone())).collect();
        for (instrument, action) in owed {
            self.pay_in(ix, instrument, News { id: &action.id, before: None, told: action.told }, cx);
        }
    }

    /// What a payment had settled before it was taken back is owed, also of a line that is paid by its action.
    pub(crate) fn owe_again(&mut self, ix: PortfolioIx, was: &Booking, cx: &mut Context<'_>) {
        let Booking::Payment(Payment { of: Some(of), settles, .. }) = was else { return };
        if settles.is_empty() {
            return;
        }
        if let Some(actions) = self.portfolio_mut(ix).actions.get_mut(&of.instrument) {
            let settled = |line: &&mut LineAction| settles.iter().any(|earned| earned.action == line.action.id);
            actions
                .followed
                .iter_mut()
                .filter(settled)
                .filter(|line| line.stage == Stage::Paid)
                .for_each(|line| line.stage = Stage::Earned);
        }
        self.pay_owed(ix, cx);
    }

    /// An entry that said a dividend is taken back: where it was the last one, its action books it.
    pub(crate) fn unsay(&mut self, ix: PortfolioIx, was: &Booking, cx: &mut Context<'_>) {
        let Booking::Payment(Payment { says: Some(id), .. }) = was else { return };
        let said = &mut self.portfolio_mut(ix).said;
        match said.get_mut(id) {
            Some(entries) if *entries > 1 => return *entries -= 1,
            _ => _ = said.remove(id),
        }
        let Some(instrument) = self.market.of_action(id) else { return };
        if let Some(told) = self.market.slot(instrument).actions.find(id).map(|action| action.told) {
            self.follow_in(ix, instrument, News { id, before: None, told }, cx);
        }
    }

    /// Pays a dividend that a line is owed, where its day has begun.
    fn pay_in(&mut self, ix: PortfolioIx, instrument: InstrumentIx, news: News<'_>, cx: &mut Context<'_>) {
        let portfolio = self.portfolio(ix);
        if portfolio.pays_by_entries() {
            return;
        }
        let line = portfolio.actions.get(&instrument).and_then(|actions| actions.find(news.id));
        let Some(line) = line.filter(|line| line.stage == Stage::Earned && self.market.slot(instrument).actions.is_paid(news.id)) else {
            return;
        };
        let entry = |kind: EntryKind, effect: &Effect| self.entry_of(kind, (instrument, None, Some(line)), news, effect, cx.now);
        match follow::pay(portfolio, instrument, news.id, entry) {
            Ok(planned) => {
                self.portfolio_mut(ix).pay_dividend(instrument, news.id, planned);
                self.booked(ix);
            }
            Err(_) => self.note_behind(ix, instrument, news.id, |actions| _ = actions.beyond.insert(news.id.clone())),
        }
    }

    fn has_room(&self, ix: PortfolioIx, instrument: InstrumentIx, lots: usize, cx: &Context<'_>) -> bool {
        let lines = &self.portfolio(ix).lines;
        let fits = lines.check_room(instrument, cx.settings.max_lines).is_ok();
        fits && lines.check_lots(instrument, |_| lots, cx.settings.max_lots).is_ok()
    }

    /// Notes how far a line is behind an action: not at all, but for what `note` says.
    fn note_behind(&mut self, ix: PortfolioIx, instrument: InstrumentIx, id: &SmolStr, note: impl FnOnce(&mut LineActions)) {
        let actions = self.portfolio_mut(ix).actions.entry(instrument).or_default();
        actions.beyond.remove(id);
        actions.unrated.remove(id);
        note(actions);
        self.note_unrated(ix);
        self.marks.change(ix);
    }

    fn entry_of(
        &self,
        kind: EntryKind,
        (instrument, known, now): (InstrumentIx, Option<&LineAction>, Option<&LineAction>),
        News { id, told: (partition, offset), .. }: News<'_>,
        effect: &Effect,
        clock: Timestamp,
    ) -> Result<LedgerEntry, Trouble> {
        let slot = self.market.slot(instrument);
        let venue = slot.facts.as_ref().and_then(|facts| facts.venue.clone());
        let line = now.or(known);
        let (price, day) = match line.map(|line| (&line.action.deed, line.action.ex_date)) {
            Some((Deed::Split { cash_in_lieu, .. }, ex_date)) => (*cash_in_lieu, Some(ex_date)),
            Some((Deed::Dividend { per_share, pay_date, .. }, ex_date)) => {
                (Some(*per_share), Some(if kind == EntryKind::CashDividend { *pay_date } else { ex_date }))
            }
            Some((Deed::Symbol(_), ex_date)) => (None, Some(ex_date)),
            None => (None, None),
        };
        effect.check_parts()?;
        let moves = !effect.movements.iter().all(|moved| moved.amount.is_zero()) || !effect.dividends.is_empty();
        let mut entry = LedgerEntry {
            kind,
            cause: Cause { topic: Topic::Frames, partition, offset, id: id.clone() },
            instrument_id: Some(slot.id.clone()),
            strategy: None,
            venue: None,
            trade_date: line.map(|line| line.action.ex_date),
            effective_at: day.map_or(clock, |day| day_start(venue.as_deref(), day)),
            transact_time: None,
            quantity_change: effect.quantity,
            price,
            fx_rate: line.filter(|_| moves).map(|line| line.rate),
            cash: legs(&effect.movements),
            realized_gross: money(bounded(effect.realized)?),
            fees: charged(&effect.charges),
            income: money(bounded(effect.income)?),
            external_flow: Money::ZERO,
            equity_before: None,
            by_strategy: effect.told_parts(),
            closed_trades: effect.closings.told(),
            in_base: None,
        };
        entry.in_base = effect.in_base(&entry);
        Ok(entry)
    }
}
