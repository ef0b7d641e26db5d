//! Corporate actions: announced by frames, applied when their ex-date begins at the venue, and at once where that
//! has passed. Every book that holds the instrument, or has held it, follows.

use crate::book::entry::{legs, money};
use crate::book::execution::Effect;
use crate::book::resplit::{self, Blocked};
use crate::book::split::LineSplit;
use crate::book::trouble::bounded;
use crate::book::{PortfolioIx, Trouble};
use crate::drift::Request;
use crate::keeper::{PositionKeeper, TIMER_ACTIONS};
use crate::prices::{InstrumentIx, Split};
use domain::corporate_action::CorporateAction;
use domain::enums::{DriftCause, EntryKind};
use domain::ledger::{Cause, CurrencyAmount, LedgerEntry};
use domain::venue::day_start;
use domain::{Money, SmolStr, Timestamp, Topic};
use engine::Context;

impl PositionKeeper {
    /// Takes an announcement in; `told` is partition and offset of its frame.
    pub(crate) fn take_action(&mut self, action: &CorporateAction, told: (i32, i64), cx: &mut Context<'_>) {
        let before = self.market.find(&action.instrument_id).and_then(|ix| self.market.slot(ix).splits.find(&action.action_id).cloned());
        if let Some(ix) = self.market.announce(action, told, cx.now) {
            self.follow_split(ix, &action.action_id, before.as_ref(), told, cx);
        }
    }

    /// Applies what has become due, and sets the timer for what becomes due next.
    pub(crate) fn apply_due(&mut self, cx: &mut Context<'_>) {
        for (ix, id) in self.market.begin_due(cx.now) {
            let Some(split) = self.market.slot(ix).splits.find(&id).cloned() else { continue };
            self.follow_split(ix, &id, None, split.told, cx);
        }
        match self.market.next_split() {
            Some(due) if cx.timers.get(TIMER_ACTIONS, "") != Some(due) => cx.timers.set(due, TIMER_ACTIONS, ""),
            Some(_) => {}
            None => cx.timers.clear(TIMER_ACTIONS, ""),
        }
    }

    /// Books follow that could not for want of a rate.
    pub(crate) fn follow_owed(&mut self, cx: &mut Context<'_>) {
        for at in 0..self.portfolios.len() {
            let ix = PortfolioIx::of(at);
            let owing = self.portfolios[at].splits.iter().filter(|(_, splits)| !splits.owed.is_empty());
            let owed: Vec<_> = owing.flat_map(|(line, splits)| splits.owed.iter().map(|id| (*line, id.clone()))).collect();
            for (instrument, id) in owed {
                let told = self.market.slot(instrument).splits.find(&id).map_or((0, 0), |split| split.told);
                self.follow_in(ix, instrument, &id, None, told, cx);
            }
        }
    }

    fn follow_split(&mut self, instrument: InstrumentIx, id: &SmolStr, before: Option<&Split>, told: (i32, i64), cx: &mut Context<'_>) {
        for ix in self.holders.get(instrument.at()).cloned().unwrap_or_default() {
            self.follow_in(ix, instrument, id, before, told, cx);
            if self.portfolio(ix).policy.is_some() {
                let moved = Some(self.market.slot(instrument).id.clone());
                let request = Request { cause: DriftCause::Action, id: Some(id.clone()), instrument: moved };
                self.portfolio_mut(ix).requests.push(request);
            }
            self.marks.change(ix);
        }
    }

    /// Makes one line follow what stands of a split now.
    fn follow_in(
        &mut self,
        ix: PortfolioIx,
        instrument: InstrumentIx,
        id: &SmolStr,
        before: Option<&Split>,
        told: (i32, i64),
        cx: &mut Context<'_>,
    ) {
        let portfolio = self.portfolio(ix);
        if portfolio.lines.holding(instrument).newest.is_none() && !portfolio.splits.contains_key(&instrument) {
            // Nothing was ever booked: its first booking finds what stands then.
            return;
        }
        let stands = self.market.slot(instrument).splits.find(id).cloned();
        let known = portfolio.splits.get(&instrument).and_then(|splits| splits.followed.iter().find(|split| split.split.id == *id));
        let as_known = match (&stands, known) {
            (Some(stands), Some(known)) => known.split.is_as(stands),
            (None, None) => true,
            _ => false,
        };
        if as_known {
            return self.note_behind(ix, instrument, id, |_| ());
        }
        let now = stands.as_ref().map(|split| LineSplit::of(split, &self.market, instrument, portfolio.base)).transpose();
        let Ok(now) = now else {
            return self.note_behind(ix, instrument, id, |splits| _ = splits.owed.insert(id.clone()));
        };
        let shown = stands.as_ref().or(before).or(known.map(|known| &known.split)).cloned();
        let entry =
            |kind: EntryKind, effect: &Effect| self.entry_of(kind, instrument, (id, shown.as_ref(), told), now.as_ref(), effect, cx.now);
        match resplit::plan(portfolio, instrument, (id, now.clone()), entry) {
            Ok(planned) if self.has_room(ix, instrument, planned.holding().lots.len(), cx) => {
                self.portfolio_mut(ix).resplit(planned);
                self.booked(ix);
            }
            Ok(_) | Err(Blocked::Beyond | Blocked::Trouble(_)) => {
                self.note_behind(ix, instrument, id, |splits| _ = splits.beyond.insert(id.clone()));
            }
        }
    }

    fn has_room(&self, ix: PortfolioIx, instrument: InstrumentIx, lots: usize, cx: &Context<'_>) -> bool {
        let lines = &self.portfolio(ix).lines;
        let fits = lines.check_room(instrument, cx.settings.max_lines).is_ok();
        fits && lines.check_lots(instrument, |_| lots, cx.settings.max_lots).is_ok()
    }

    /// Notes how far a line is behind an action: not at all, but for what `note` says.
    fn note_behind(
        &mut self,
        ix: PortfolioIx,
        instrument: InstrumentIx,
        id: &SmolStr,
        note: impl FnOnce(&mut crate::book::split::LineSplits),
    ) {
        let splits = self.portfolio_mut(ix).splits.entry(instrument).or_default();
        splits.beyond.remove(id);
        splits.owed.remove(id);
        note(splits);
        self.marks.change(ix);
    }

    fn entry_of(
        &self,
        kind: EntryKind,
        instrument: InstrumentIx,
        (id, split, (partition, offset)): (&SmolStr, Option<&Split>, (i32, i64)),
        line: Option<&LineSplit>,
        effect: &Effect,
        now: Timestamp,
    ) -> Result<LedgerEntry, Trouble> {
        let slot = self.market.slot(instrument);
        let venue = slot.facts.as_ref().and_then(|facts| facts.venue.clone());
        let start = split.map_or(now, |split| day_start(venue.as_deref(), split.ex_date));
        Ok(LedgerEntry {
            kind,
            cause: Cause { topic: Topic::Frames, partition, offset, id: id.clone() },
            instrument_id: Some(slot.id.clone()),
            strategy: None,
            venue: None,
            trade_date: split.map(|split| split.ex_date),
            effective_at: start,
            transact_time: None,
            quantity_change: effect.quantity,
            price: split.and_then(|split| split.cash_in_lieu),
            fx_rate: line.filter(|_| !effect.movements.iter().all(|moved| moved.amount.is_zero())).map(|line| line.rate),
            cash: legs(&effect.movements),
            realized_gross: money(bounded(effect.realized)?),
            fees: effect.charges.iter().map(|(currency, amount)| CurrencyAmount { currency: *currency, amount: money(*amount) }).collect(),
            income: money(bounded(effect.income)?),
            external_flow: Money::ZERO,
            equity_before: None,
        })
    }
}
