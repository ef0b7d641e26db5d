//! A frame: facts, then what it has of before a day cut that is held open, then actions, then market states, then prices; what waited for them is booked at once.

use crate::book::Need;
use crate::keeper::PositionKeeper;
use domain::dead_letter::DeadLetter;
use domain::frame::Frame;
use domain::{InstrumentId, Topic};
use engine::{Context, Origin, RawRecord, Refusal};

impl PositionKeeper {
    pub(crate) fn take_frame(&mut self, mut frame: Frame, origin: &Origin<'_>, cx: &mut Context<'_>) {
        // The conflator has judged by its clock; the lane's may stand as much behind it. Beyond that a price would
        // shut out every later one.
        let latest = cx.now.plus_seconds(cx.settings.future_tick_seconds.saturating_mul(2));
        frame.prices.retain(|price| price.event_time <= latest);
        let described: Vec<InstrumentId> = frame.instruments.iter().map(|facts| facts.instrument_id.clone()).collect();
        for facts in frame.instruments {
            if facts.multiplier.is_positive() && facts.lot_size.is_positive() {
                self.market.describe(facts);
            }
        }
        // By facts prices are chosen; what actions do belongs to the next day.
        self.end_cuts_before(frame.event_time, &mut frame.prices, cx);
        let told = (origin.partition, origin.offset());
        frame.actions.iter().for_each(|action| self.take_action(action, told, cx));
        // The venue of an instrument decides when its ex-date begins.
        if !frame.actions.is_empty() || !described.is_empty() {
            self.apply_due(cx);
        }
        frame.statuses.iter().for_each(|status| self.market.report(status, cx.now));
        // An instrument may bring the first of a calendar.
        if !frame.statuses.is_empty() || !described.is_empty() {
            self.announce_market(cx);
        }
        // By the earlier of both clocks: a frame that is read late was made when its prices came, and its sender's may run ahead.
        let clock = frame.event_time.min(cx.now);
        frame.prices.into_iter().for_each(|price| self.quote(price, clock));
        if cx.lane == 0 {
            frame.rejected.into_iter().for_each(|letter| reject(letter, cx));
        }
        self.book_what_waited(described, cx);
    }

    fn book_what_waited(&mut self, described: Vec<InstrumentId>, cx: &mut Context<'_>) {
        if self.waits.is_empty() {
            return;
        }
        for instrument in described {
            self.retry(&Need::Instrument(instrument), cx);
        }
        for need in self.waits.quotes() {
            let quoted = match &need {
                Need::Rate(of, quoted) => self.market.rate(*of, *quoted).is_some(),
                Need::Price(instrument) => self.market.find(instrument).is_some_and(|ix| self.market.slot(ix).price.is_some()),
                _ => false,
            };
            if quoted {
                self.retry(&need, cx);
            }
        }
    }

    /// Marks the holders of everything whose price, facts or state changed, and brings the quick table up to date.
    pub(crate) fn mark_holders(&mut self, cx: &mut Context<'_>) {
        let (changed, pair) = self.market.take_changed();
        self.mark_shadows(&changed);
        for ix in changed {
            self.market.refresh(ix, cx.now);
            if let Some(holders) = self.holders.get(ix.at()) {
                holders.iter().for_each(|holder| self.marks.change(*holder));
            }
        }
        if pair {
            self.follow_unrated(cx);
            let foreign = self.portfolios.iter().filter(|portfolio| portfolio.foreign);
            foreign.for_each(|portfolio| self.marks.change(portfolio.ix));
            self.mark_foreign_shadows();
            self.lacking_rates.iter().for_each(|ix| self.marks.look(*ix));
        }
    }
}

/// Dead-letters what the conflator could not read.
fn reject(letter: DeadLetter, cx: &mut Context<'_>) {
    let DeadLetter { topic, partition, offset, code, text, portfolio_id, timestamp, key, headers, value } = letter;
    debug_assert!(topic != Topic::Frames, "a frame carries what its sources sent");
    cx.dead_letter(RawRecord { topic, partition, offset, timestamp, key, headers, value }, portfolio_id, Refusal { code, text });
}
