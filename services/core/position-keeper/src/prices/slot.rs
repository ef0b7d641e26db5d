//! One instrument: its facts, its newest quote, and the price that was accepted from it.

use super::choice;
use super::hours::Hours;
use domain::enums::{InstrumentType, PriceFlag, PriceSource};
use domain::frame::FramePrice;
use domain::instrument::Instrument;
use domain::{InstrumentId, Price, SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An instrument that somebody named: by a record of its own, a tick, a holding or a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Its id.
    pub id: InstrumentId,
    /// Its facts, once they came.
    pub facts: Option<Box<Instrument>>,
    /// A later record changed currency, type, multiplier or base asset: the first ones stay in force,
    /// and every book that holds it is unreconciled.
    pub conflict: bool,
    /// Splits that were announced and not applied.
    pub unapplied: BTreeSet<SmolStr>,
    /// The newest value of each field of its ticks.
    quote: Option<Box<FramePrice>>,
    /// The accepted price.
    pub price: Option<Price>,
    /// When the accepted price was made.
    pub price_time: Timestamp,
    /// A price that is not believed: a jump that waits for a second opinion, or one not above zero.
    pub held: Option<Price>,
    /// The first accepted price.
    pub first: Option<Price>,
    /// Accrued interest per unit.
    pub accrued: Option<Price>,
    /// Its own reported states.
    pub hours: Hours,
    /// Index of its venue's hours.
    pub venue: Option<u32>,
}

impl Slot {
    /// A slot of which only the name is known.
    pub fn new(id: InstrumentId) -> Self {
        Self {
            id,
            facts: None,
            conflict: false,
            unapplied: BTreeSet::new(),
            quote: None,
            price: None,
            price_time: Timestamp::MIN,
            held: None,
            first: None,
            accrued: None,
            hours: Hours::default(),
            venue: None,
        }
    }

    /// Takes facts over. Those by which holdings are counted stay as they came first.
    pub fn describe(&mut self, mut facts: Instrument) {
        if let Some(first) = &self.facts {
            let counted = |i: &Instrument| (i.currency, i.kind, i.multiplier, i.base_asset);
            if counted(first) != counted(&facts) {
                self.conflict = true;
                (facts.currency, facts.kind, facts.multiplier, facts.base_asset) = counted(first);
            }
        }
        self.facts = Some(Box::new(facts));
    }

    /// Takes a quote in; returns whether the accepted price, its time or the accrued interest changed.
    pub fn quote(&mut self, update: FramePrice) -> bool {
        let merged = match &mut self.quote {
            Some(quote) => quote.merge(&update),
            None => {
                self.quote = Some(Box::new(update));
                true
            }
        };
        if !merged {
            return false;
        }
        let Some(quote) = self.quote.as_deref() else { return false };
        let accrued = quote.accrued.filter(|accrued| accrued.fits_wire());
        let accrues = accrued != self.accrued;
        self.accrued = accrued;
        let source = self.facts.as_ref().map_or(PriceSource::Auto, |facts| facts.price_source);
        let (chosen, time) = (choice::choose(quote, source), quote.event_time);
        chosen.is_some_and(|price| self.accept(price, time)) || accrues
    }

    /// Accepts a price unless it jumps; a jump is accepted when the next price agrees with it. A price that
    /// is not above zero is held back until another comes: nothing is valued or planned on it.
    fn accept(&mut self, price: Price, time: Timestamp) -> bool {
        if !price.is_positive() {
            let news = self.held.is_none();
            self.held = Some(price);
            return news;
        }
        let guard = self.facts.as_ref().and_then(|facts| facts.max_jump_bp);
        if let (Some(limit), Some(last)) = (guard, self.price) {
            let agreed = self.held.is_some_and(|held| choice::within(price, held, limit));
            if !agreed && !choice::within(price, last, limit) {
                let news = self.held.is_none();
                self.held = Some(price);
                return news;
            }
        }
        let changed = self.price != Some(price) || self.price_time != time || self.held.is_some();
        self.held = None;
        self.price = Some(price);
        self.price_time = time;
        self.first = self.first.or(Some(price));
        changed
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

    fn facts(jump: &str) -> Instrument {
        let json = format!(r#"{{"instrument_id":"A","type":"EQUITY","currency":"USD","max_jump_bp":{jump}}}"#);
        serde_json::from_str(&json).unwrap()
    }
    fn tick(last: &str, time: i64) -> FramePrice {
        FramePrice {
            instrument_id: "A".parse().unwrap(),
            bid: None,
            ask: None,
            last: last.parse().ok(),
            mark: None,
            accrued: None,
            volume: None,
            venue: None,
            event_time: Timestamp::from_micros(time),
            sequence: None,
        }
    }

    #[test]
    fn a_jump_is_held_until_another_price_agrees_with_it() {
        let mut slot = Slot::new("A".parse().unwrap());
        slot.describe(facts("1000"));
        assert!(slot.quote(tick("100", 1)));
        assert!(slot.quote(tick("150", 2)));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("100".into(), PriceFlag::Held));
        assert!(slot.quote(tick("101", 3)));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("101".into(), PriceFlag::Fresh));
        slot.quote(tick("150", 4));
        slot.quote(tick("155", 5));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("155".into(), PriceFlag::Fresh));
        assert!(!slot.quote(tick("1", 1)), "late");
    }

    #[test]
    fn a_price_that_is_not_above_zero_is_held_until_another_comes() {
        let mut slot = Slot::new("A".parse().unwrap());
        assert!(slot.quote(tick("100", 1)));
        assert!(slot.quote(tick("-1", 2)));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("100".into(), PriceFlag::Held));
        assert!(slot.quote(tick("101", 3)));
        assert_eq!((slot.price.unwrap().to_string(), slot.flag(false)), ("101".into(), PriceFlag::Fresh));
        let mut new = Slot::new("A".parse().unwrap());
        new.quote(tick("0", 1));
        assert_eq!((new.price, new.flag(false)), (None, PriceFlag::Missing));
    }

    #[test]
    fn facts_by_which_holdings_are_counted_do_not_change() {
        let mut slot = Slot::new("A".parse().unwrap());
        slot.describe(facts("null"));
        let mut other = facts("null");
        other.currency = "EUR".parse().unwrap();
        other.sector = Some("Energy".into());
        slot.describe(other);
        assert!(slot.conflict);
        let held = slot.facts.unwrap();
        assert_eq!((held.currency.as_str(), held.sector.as_deref()), ("USD", Some("Energy")));
    }
}
