//! One instrument: its facts, its newest quote, and the price that was accepted from it.

use super::actions::Actions;
use super::choice::{self, Chosen, Mark, Quoted};
use super::hours::Hours;
use domain::enums::{InstrumentType, PriceFlag, PriceSource};
use domain::frame::FramePrice;
use domain::instrument::Instrument;
use domain::{InstrumentId, Price, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Actions that cannot be applied which are kept by name.
const MOST_UNAPPLIED: usize = 64;

/// An instrument that somebody named: by a record of its own, a tick, a holding or a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its id.
    pub id: InstrumentId,
    /// Its facts, once they came.
    pub facts: Option<Box<Instrument>>,
    /// Whether a book of the lane ever held it: from then on the facts by which holdings are counted stay.
    booked: bool,
    /// The newest record has another currency, type, multiplier or base asset than those in force: every
    /// book that holds it is unreconciled until a record corrects that.
    pub conflict: bool,
    /// Its actions.
    pub actions: Actions,
    /// Actions that were announced and cannot be applied: every book that holds it is unreconciled.
    pub unapplied: BTreeSet<SmolStr>,
    /// The newest value of each field of its ticks.
    quote: Option<Box<FramePrice>>,
    /// The prices below as they were quoted; a split moves those, never these.
    marks: Marks,
    /// The accepted price.
    pub price: Option<Price>,
    /// When the accepted price was made.
    pub price_time: Timestamp,
    /// A price that is not believed: a jump that waits for a second opinion, or one not above zero.
    pub held: Option<Price>,
    /// The first accepted price.
    pub first: Option<Price>,
    /// Accrued interest per unit when that was accepted, and when it was given.
    first_accrued: Option<(Price, Timestamp)>,
    /// Accrued interest per unit.
    pub accrued: Option<Price>,
    /// When that was given.
    accrued_at: Timestamp,
    /// The last accepted prices of the minutes before the newest, where that is dated ahead of the clock: a day that is
    /// cut meanwhile has ended at one of these. As many as a sender's clock may run ahead, and one more.
    past: Vec<Quoted>,
    /// Its own reported states.
    pub hours: Hours,
    /// Index of its venue's hours.
    pub venue: Option<u32>,
}

/// Prices as they were quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Marks {
    accepted: Option<Mark>,
    held: Option<Mark>,
    first: Option<Mark>,
}

impl Slot {
    /// A slot of which only the name is known.
    pub fn new(id: InstrumentId) -> Self {
        Self {
            id,
            facts: None,
            booked: false,
            conflict: false,
            actions: Actions::default(),
            unapplied: BTreeSet::new(),
            quote: None,
            marks: Marks::default(),
            price: None,
            price_time: Timestamp::MIN,
            held: None,
            first: None,
            first_accrued: None,
            accrued: None,
            accrued_at: Timestamp::MIN,
            past: Vec::new(),
            hours: Hours::default(),
            venue: None,
        }
    }

    /// Notes that a book counts holdings by the facts in force.
    pub fn book(&mut self) {
        self.booked = true;
    }

    /// Takes facts over. Those by which holdings are counted stay in force once something was booked.
    pub fn describe(&mut self, mut facts: Instrument) {
        let counted = |i: &Instrument| (i.currency, i.kind, i.multiplier, i.base_asset);
        let in_force = self.facts.as_deref().filter(|_| self.booked).map(counted);
        self.conflict = in_force.is_some_and(|in_force| in_force != counted(&facts));
        if let Some(in_force) = in_force {
            (facts.currency, facts.kind, facts.multiplier, facts.base_asset) = in_force;
        }
        let before = self.facts.replace(Box::new(facts)).map_or(PriceSource::Auto, |facts| facts.price_source);
        self.choose_again(before);
    }

    /// Chooses anew by the facts in force, when the price was chosen by another source before.
    fn choose_again(&mut self, before: PriceSource) {
        let (Some(quote), Some(facts)) = (self.quote.as_deref(), self.facts.as_deref()) else { return };
        let chosen = choice::choose(quote, facts.price_source, &self.actions);
        let moved = choice::choose(quote, before, &self.actions).map(|chosen| chosen.origin) != chosen.map(|chosen| chosen.origin);
        match chosen {
            // Without a book nothing was counted by the old source: it is as if it had never been.
            _ if moved && !self.booked => {
                (self.price, self.price_time, self.held, self.first) = (None, Timestamp::MIN, None, None);
                self.marks = Marks::default();
                self.past.clear();
                if let Some(chosen) = chosen {
                    self.accept(chosen);
                }
            }
            Some(chosen) if moved => _ = self.accept(chosen),
            // A wider limit lets in what a narrower one held; the same price again is no second opinion.
            Some(chosen) if self.held == Some(chosen.price) && !self.jumps(chosen.price) => _ = self.accept(chosen),
            _ => {}
        }
    }

    /// Takes a quote in that comes at `clock`; returns whether the accepted price, its time or the accrued interest changed.
    pub fn quote(&mut self, update: FramePrice, clock: Timestamp) -> bool {
        let known = self.quoted();
        let changed = self.take(update);
        self.keep_past(known, clock);
        changed
    }

    /// Keeps the price that was accepted before, where one that is ahead of the clock has taken its place.
    fn keep_past(&mut self, known: Option<Quoted>, clock: Timestamp) {
        let Some(newest) = self.quoted().map(|quoted| quoted.newest()) else { return };
        if newest <= clock {
            self.past.clear();
        } else if let Some(known) = known.filter(|known| known.newest().end_of_minute() <= newest) {
            self.past.push(known);
            // No day will be cut any more before what the clock has passed but for the last.
            let passed = self.past.iter().take_while(|past| past.newest() <= clock).count();
            self.past.drain(..passed.saturating_sub(1));
        }
    }

    fn take(&mut self, update: FramePrice) -> bool {
        let source = self.facts.as_ref().map_or(PriceSource::Auto, |facts| facts.price_source);
        let given = update.accrued.map(|_| update.event_time);
        // A price is new only where the update gives a field that it comes from.
        let (chosen, accrued) = match &mut self.quote {
            Some(quote) => {
                if !quote.merge(&update) {
                    return false;
                }
                (choice::choose(quote, source, &self.actions).filter(|chosen| chosen.origin.given_by(&update)), quote.accrued)
            }
            None => {
                let quote = self.quote.insert(Box::new(update));
                (choice::choose(quote, source, &self.actions), quote.accrued)
            }
        };
        let accrued = accrued.filter(|accrued| accrued.fits_wire());
        let accrues = accrued != self.accrued;
        (self.accrued, self.accrued_at) = (accrued, given.unwrap_or(self.accrued_at));
        chosen.is_some_and(|chosen| self.accept(chosen)) || accrues
    }

    /// Whether a price lies beyond the limit of the last accepted one.
    fn jumps(&self, price: Price) -> bool {
        let guard = self.facts.as_ref().and_then(|facts| facts.max_jump_bp);
        matches!((guard, self.price), (Some(limit), Some(last)) if !choice::within(price, last, limit))
    }

    /// Accepts a price unless it jumps; a jump is accepted when the next price agrees with it. A price that
    /// is not above zero is held back until another comes: nothing is valued or planned on it.
    fn accept(&mut self, chosen: Chosen) -> bool {
        let (price, time) = (chosen.price, chosen.mark.time());
        if !price.is_positive() {
            return self.hold(chosen);
        }
        let guard = self.facts.as_ref().and_then(|facts| facts.max_jump_bp);
        let agreed = guard.zip(self.held).is_some_and(|(limit, held)| choice::within(price, held, limit));
        if !agreed && self.jumps(price) {
            return self.hold(chosen);
        }
        let changed = self.price != Some(price) || self.price_time != time || self.held.is_some();
        (self.held, self.marks.held) = (None, None);
        (self.price, self.marks.accepted) = (Some(price), Some(chosen.mark));
        self.price_time = time;
        if self.first.is_none() {
            (self.first, self.marks.first) = (Some(price), Some(chosen.mark));
            self.first_accrued = self.accrued_as_given();
        }
        changed
    }

    fn hold(&mut self, chosen: Chosen) -> bool {
        let news = self.held.is_none();
        (self.held, self.marks.held) = (Some(chosen.price), Some(chosen.mark));
        news
    }

    /// Values every kept price anew: the actions in effect have changed.
    pub fn split(&mut self) {
        let value = |mark: Option<Mark>| mark.and_then(|mark| mark.value(&self.actions));
        let positive = |mark: Option<Mark>| value(mark).filter(|price| price.is_positive());
        (self.price, self.held, self.first) = (positive(self.marks.accepted), value(self.marks.held), positive(self.marks.first));
    }
    /// Accrued interest per unit, and when it was given.
    pub fn accrued_as_given(&self) -> Option<(Price, Timestamp)> {
        self.accrued.map(|accrued| (accrued, self.accrued_at))
    }
    /// The accepted price as it was quoted, with accrued interest.
    pub fn quoted(&self) -> Option<Quoted> {
        Some(Quoted { mark: self.marks.accepted?, accrued: self.accrued_as_given() })
    }
    /// The last accepted price that was made before a moment, which is the end of a minute.
    pub fn quoted_before(&self, moment: Timestamp) -> Option<Quoted> {
        self.past.iter().copied().chain(self.quoted()).rev().find(|quoted| quoted.is_before(moment))
    }
    /// The first accepted price as it was quoted, with the accrued interest of then.
    pub fn first_quoted(&self) -> Option<Quoted> {
        Some(Quoted { mark: self.marks.first?, accrued: self.first_accrued })
    }

    /// Bid and ask of the newest quote in today's units, where it has both, above zero and not crossed, and neither was
    /// made more than `age` seconds before the accepted price.
    pub fn bid_and_ask(&self, age: i64) -> Option<(Price, Price)> {
        let quote = self.quote.as_deref()?;
        let oldest = self.price.map(|_| self.price_time.plus_seconds(-age))?;
        let side = |(price, made): (Price, Timestamp)| {
            let price = self.actions.price(price, made).filter(|_| made >= oldest)?;
            Some(price).filter(|price| price.is_positive() && price.fits_wire())
        };
        let (bid, ask) = (side(quote.bid_at()?)?, side(quote.ask_at()?)?);
        (bid <= ask).then_some((bid, ask))
    }

    /// Notes an action that cannot be applied, or that it is no longer there; some are named, the rest follow them.
    pub fn doubt(&mut self, action: &SmolStr, stands: bool) {
        if !stands {
            self.unapplied.remove(action);
        } else if self.unapplied.len() < MOST_UNAPPLIED {
            self.unapplied.insert(action.clone());
        }
    }
    /// Whether holdings of it may differ from what others count.
    pub fn doubtful(&self) -> bool {
        self.conflict || !self.unapplied.is_empty()
    }
    /// The kind; OTHER while nothing is known of it.
    pub fn kind(&self) -> InstrumentType {
        self.facts.as_ref().map_or(InstrumentType::Other, |facts| facts.kind)
    }
    /// The oldest usable price in seconds, where the instrument names one.
    pub fn max_age_seconds(&self) -> Option<i64> {
        self.facts.as_ref().and_then(|facts| facts.max_price_age_seconds)
    }
    /// The fitness of its price, given whether it is too old.
    pub fn flag(&self, stale: bool) -> PriceFlag {
        match (self.price, stale, self.held) {
            (None, ..) => PriceFlag::Missing,
            (_, true, _) => PriceFlag::Stale,
            (_, _, Some(_)) => PriceFlag::Held,
            _ => PriceFlag::Fresh,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(9);

    fn facts(jump: &str) -> Instrument {
        let json = format!(r#"{{"instrument_id":"A","type":"EQUITY","currency":"USD","max_jump_bp":{jump}}}"#);
        serde_json::from_str(&json).unwrap()
    }
    fn tick(last: &str, time: i64) -> FramePrice {
        FramePrice { last: last.parse().ok(), ..FramePrice::empty("A".parse().unwrap(), Timestamp::from_micros(time)) }
    }

    #[test]
    fn a_jump_is_held_until_another_price_agrees_with_it() {
        let mut slot = Slot::new("A".parse().unwrap());
        slot.describe(facts("1000"));
        assert!(slot.quote(tick("100", 1), NOW));
        assert!(slot.quote(tick("150", 2), NOW));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("100".into(), PriceFlag::Held));
        assert!(slot.quote(tick("101", 3), NOW));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("101".into(), PriceFlag::Fresh));
        slot.quote(tick("150", 4), NOW);
        slot.quote(tick("155", 5), NOW);
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("155".into(), PriceFlag::Fresh));
        assert!(!slot.quote(tick("1", 1), NOW), "late");
    }

    #[test]
    fn a_price_that_is_not_above_zero_is_held_until_another_comes() {
        let mut slot = Slot::new("A".parse().unwrap());
        assert!(slot.quote(tick("100", 1), NOW));
        assert!(slot.quote(tick("-1", 2), NOW));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("100".into(), PriceFlag::Held));
        assert!(slot.quote(tick("101", 3), NOW));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("101".into(), PriceFlag::Fresh));
        // Only the chosen price is judged: a bid of nothing and an ask have a middle.
        assert!(slot.quote(FramePrice { bid: "0".parse().ok(), ask: "10".parse().ok(), ..tick("", 4) }, NOW));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("5".into(), PriceFlag::Fresh));
        let mut new = Slot::new("A".parse().unwrap());
        new.quote(tick("0", 1), NOW);
        assert_eq!((new.price, new.flag(false)), (None, PriceFlag::Missing));
    }

    #[test]
    fn a_tick_confirms_and_renews_only_what_it_gives() {
        let mut slot = Slot::new("A".parse().unwrap());
        slot.describe(facts("1000"));
        slot.quote(tick("100", 1), NOW);
        slot.quote(tick("150", 2), NOW);
        assert!(!slot.quote(FramePrice { volume: "5".parse().ok(), ..tick("", 3) }, NOW));
        assert!(!slot.quote(FramePrice { bid: "150".parse().ok(), ..tick("", 4) }, NOW));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("100".into(), PriceFlag::Held));
        assert_eq!(slot.price_time, Timestamp::from_micros(1), "nothing gave that price again");
        assert!(slot.quote(tick("150", 5), NOW));
        assert_eq!((slot.price.unwrap().to_string(), slot.price_time), ("150".into(), Timestamp::from_micros(5)));
    }

    #[test]
    fn a_price_is_chosen_again_when_the_instrument_comes_after_its_ticks() {
        let of = |source: &str, jump: &str| {
            let json =
                format!(r#"{{"instrument_id":"A","type":"EQUITY","currency":"USD","price_source":"{source}","max_jump_bp":{jump}}}"#);
            serde_json::from_str::<Instrument>(&json).unwrap()
        };
        let mut slot = Slot::new("A".parse().unwrap());
        slot.quote(FramePrice { mark: "30".parse().ok(), ..tick("20", 1) }, NOW);
        assert_eq!(slot.price.unwrap().to_string(), "30");
        slot.describe(of("LAST", "100"));
        assert_eq!((slot.price, slot.first, slot.held), ("20".parse().ok(), "20".parse().ok(), None));
        slot.describe(of("BID", "100"));
        assert_eq!(slot.price, None, "no bid was given");
        slot.describe(of("LAST", "100"));
        slot.book();
        slot.quote(tick("21", 2), NOW);
        slot.describe(of("LAST", "100"));
        assert_eq!((slot.price, slot.held), ("20".parse().ok(), "21".parse().ok()), "the same facts confirm nothing");
        slot.describe(of("LAST", "1000"));
        assert_eq!((slot.price, slot.held), ("21".parse().ok(), None), "a wider limit lets it in");
        slot.describe(of("MARK", "1000"));
        assert_eq!((slot.price, slot.held), ("21".parse().ok(), "30".parse().ok()), "a book holds it: the guard stands");
    }

    #[test]
    fn a_price_ahead_of_the_clock_hides_none_of_the_minute_before() {
        let minute = |n: i64| Timestamp::from_micros(n * 60_000_000);
        let mut slot = Slot::new("A".parse().unwrap());
        let before =
            |slot: &Slot, n: i64| slot.quoted_before(minute(n)).and_then(|quoted| quoted.mark.value(&slot.actions)).map(|p| p.to_string());
        slot.quote(tick("100", 59_000_000), minute(1));
        slot.quote(tick("101", 59_500_000), minute(1));
        for (price, time) in [("102", 70_000_000), ("103", 80_000_000), ("104", 130_000_000)] {
            slot.quote(tick(price, time), Timestamp::from_micros(59_600_000));
        }
        assert_eq!([before(&slot, 1), before(&slot, 2), before(&slot, 3)], ["101", "103", "104"].map(|text| Some(text.to_owned())));
        slot.quote(tick("105", 140_000_000), minute(3));
        assert_eq!((before(&slot, 1), before(&slot, 3).as_deref()), (None, Some("105")), "the clock has passed it");
    }

    #[test]
    fn a_quote_is_both_sides_uncrossed_and_no_older_than_the_price_by_more_than_its_age() {
        let second = |n: i64| Timestamp::from_micros(n * 1_000_000);
        let sides =
            |bid: &str, ask: &str, time: i64| FramePrice { bid: bid.parse().ok(), ask: ask.parse().ok(), ..tick("", time * 1_000_000) };
        let mut slot = Slot::new("A".parse().unwrap());
        let told = |slot: &Slot| slot.bid_and_ask(10).map(|(bid, ask)| format!("{bid} {ask}"));
        slot.quote(sides("9", "11", 1), NOW);
        assert_eq!(told(&slot).as_deref(), Some("9 11"));
        slot.quote(FramePrice { mark: "10".parse().ok(), ..tick("", 11_000_000) }, NOW);
        assert_eq!((slot.price_time, told(&slot).as_deref()), (second(11), Some("9 11")));
        slot.quote(FramePrice { mark: "10".parse().ok(), ..tick("", 11_000_001) }, NOW);
        assert_eq!(told(&slot), None, "older than the price by more than ten seconds");
        for (bid, ask, shown) in [("11", "11", Some("11 11")), ("11.0000000001", "11", None), ("0", "11", None), ("-1", "11", None)] {
            slot.quote(sides(bid, ask, 12), NOW);
            assert_eq!(told(&slot).as_deref(), shown, "{bid} {ask}");
        }
        let mut half = Slot::new("A".parse().unwrap());
        half.quote(FramePrice { bid: "9".parse().ok(), ..tick("10", 1) }, NOW);
        assert_eq!(told(&half), None);
    }

    #[test]
    fn the_newest_facts_hold_until_something_is_booked() {
        let mut slot = Slot::new("A".parse().unwrap());
        let euro = || Instrument { currency: "EUR".parse().unwrap(), sector: Some("Energy".into()), ..facts("null") };
        slot.describe(euro());
        slot.describe(facts("null"));
        assert_eq!((slot.facts.as_ref().unwrap().currency.as_str(), slot.conflict), ("USD", false));
        slot.book();
        slot.describe(euro());
        let held = slot.facts.as_ref().unwrap();
        assert_eq!((held.currency.as_str(), held.sector.as_deref(), slot.conflict), ("USD", Some("Energy"), true));
        slot.describe(facts("null"));
        assert!(!slot.conflict, "a record that corrects it ends the conflict");
    }
}
