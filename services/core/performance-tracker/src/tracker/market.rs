//! What the tracker knows of the market: facts of instruments, a price for each of their days, splits and dividends.
//! It values no portfolio; what a holding was worth at a cut is in the portfolio's close.

mod actions;
mod history;
mod rates;

use crate::tracker::market::actions::Actions;
use domain::calendar::Calendar;
use domain::close::Close;
use domain::enums::{InstrumentType, PriceSource};
use domain::frame::{Frame, FramePrice};
use domain::instrument::Instrument;
use domain::{Currency, Date, InstrumentId, Price, SmolStr, Timestamp};
use engine::ImageError;
use engine::image::{from_bytes, to_bytes};
use history::{History, Today};
use rates::Pairs;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub use history::TotalReturn;

/// The sector of instruments that name none.
pub const NO_SECTOR: &str = "NONE";

/// Facts of an instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Sector.
    pub sector: Option<SmolStr>,
    /// Kind.
    pub kind: InstrumentType,
    /// Currency of its price.
    pub currency: Currency,
    /// Venue.
    pub venue: Option<SmolStr>,
    source: PriceSource,
    calendar: Option<SmolStr>,
}

/// One instrument: what changes with a tick stands apart from what changes once a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Known {
    past: Past,
    today: Option<Today>,
}

/// What changes seldom.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Past {
    facts: Option<Facts>,
    history: History,
    actions: Actions,
}

/// The end of a portfolio's day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The day.
    pub day: Date,
    /// Its last moment is before this one.
    pub at: Timestamp,
}

/// Every instrument.
#[derive(Debug, Default)]
pub struct Market {
    known: BTreeMap<InstrumentId, Known>,
    pairs: Pairs,
    dirty: BTreeSet<SmolStr>,
}

/// Keys of what changes once a day, and with every tick.
const PAST: &str = "h/";
const TODAY: &str = "t/";

impl Market {
    /// Facts of an instrument.
    pub fn facts(&self, id: &InstrumentId) -> Option<&Facts> {
        self.known.get(id)?.past.facts.as_ref()
    }
    /// Its sector, as it is shown.
    pub fn sector(&self, id: &InstrumentId) -> SmolStr {
        let sector = self.facts(id).and_then(|facts| facts.sector.clone());
        sector.unwrap_or(SmolStr::new_static(NO_SECTOR))
    }

    /// Takes in what a frame says.
    pub fn take(&mut self, frame: &Frame) {
        frame.instruments.iter().for_each(|instrument| self.learn(instrument));
        for action in &frame.actions {
            let id = action.instrument_id.clone();
            self.past_mut(&id).actions.take(action);
        }
        frame.prices.iter().for_each(|price| self.quote(price));
        frame.closes.iter().for_each(|close| self.close(close));
    }

    fn past_mut(&mut self, id: &InstrumentId) -> &mut Past {
        self.dirty.insert(SmolStr::new(format!("{PAST}{id}")));
        &mut self.known_mut(id).past
    }
    fn known_mut(&mut self, id: &InstrumentId) -> &mut Known {
        if !self.known.contains_key(id) {
            self.pairs.learn(id);
        }
        self.known.entry(id.clone()).or_default()
    }

    fn learn(&mut self, instrument: &Instrument) {
        let facts = Facts {
            sector: instrument.sector.clone(),
            kind: instrument.kind,
            currency: instrument.currency,
            venue: instrument.venue.clone(),
            source: instrument.price_source,
            calendar: instrument.calendar.clone(),
        };
        self.past_mut(&instrument.instrument_id).facts = Some(facts);
    }

    fn quote(&mut self, price: &FramePrice) {
        let known = self.known_mut(&price.instrument_id);
        let (source, venue) = known.past.facts.as_ref().map_or((PriceSource::Auto, None), |facts| (facts.source, facts.venue.as_deref()));
        let over = match &mut known.today {
            Some(today) => today.quote(price, venue, source),
            None => {
                known.today = Some(Today::new(price.clone(), venue, source));
                None
            }
        };
        if let Some((date, level)) = over {
            known.past.history.day(date, level);
            self.dirty.insert(SmolStr::new(format!("{PAST}{}", price.instrument_id)));
        }
        self.dirty.insert(SmolStr::new(format!("{TODAY}{}", price.instrument_id)));
    }

    fn close(&mut self, close: &Close) {
        // A close in another currency than the instrument's is of another listing.
        let facts = self.facts(&close.instrument_id);
        if facts.is_some_and(|facts| facts.currency != close.currency) {
            return;
        }
        self.past_mut(&close.instrument_id).history.official(close.date, close.close);
    }

    /// Units of `base` for one of `of` on a day, by the prices of that day or of the days just before it.
    pub fn rate(&self, of: Currency, base: Currency, day: Date) -> Option<f64> {
        self.pairs.rate(of, base, &|pair| self.known.get(pair)?.level_near(day))
    }

    /// What one unit of an instrument has come to in a currency, dividends and splits within, up to a day.
    pub fn total_return(&self, id: &InstrumentId, base: Currency, cut: &Cut) -> TotalReturn {
        let Some(known) = self.known.get(id) else { return TotalReturn::default() };
        let currency = known.past.facts.as_ref().map_or(base, |facts| facts.currency);
        let calendar = known.past.facts.as_ref().and_then(|facts| facts.calendar.as_deref()).and_then(Calendar::named);
        // What is quoted on a holiday is no day of its own. An official close of it says that there was one.
        let is_day = |date: Date| calendar.and_then(|calendar| calendar.has_session(date)) != Some(false);
        let levels = known.levels(cut, is_day);
        history::total_return(&levels, &known.past.actions, |of, day| self.rate(of.unwrap_or(currency), base, day))
    }
}

impl Known {
    /// Prices of the days that count, and of those with an official close.
    fn levels(&self, cut: &Cut, is_day: impl Fn(Date) -> bool) -> Vec<(Date, f64)> {
        let today = self.today.as_ref().and_then(|today| today.level_before(cut.at));
        let levels = self.past.history.levels(today.filter(|(date, _)| !self.past.history.is_official(*date)), cut.day);
        levels.into_iter().filter(|(date, _)| is_day(*date) || self.past.history.is_official(*date)).collect()
    }
    fn level_near(&self, day: Date) -> Option<f64> {
        self.past.history.near(self.quoted(), day)
    }
    /// The quote of the newest day, where no official close stands for it.
    fn quoted(&self) -> Option<(Date, Price)> {
        self.today.as_ref().and_then(Today::level).filter(|(date, _)| !self.past.history.is_official(*date))
    }
}

/// The image of the market: `h/<instrument>` what changes once a day, `t/<instrument>` the quote of the day.
impl Market {
    /// Keys of every entity.
    pub fn entity_keys(&self) -> impl Iterator<Item = SmolStr> + '_ {
        let today = self.known.iter().filter(|(_, known)| known.today.is_some());
        let past = self.known.iter().filter(|(_, known)| known.past != Past::default());
        let past = past.map(|(id, _)| SmolStr::new(format!("{PAST}{id}")));
        past.chain(today.map(|(id, _)| SmolStr::new(format!("{TODAY}{id}"))))
    }
    /// One entity as bytes.
    pub fn entity(&self, key: &str) -> Option<Vec<u8>> {
        if let Some(id) = key.strip_prefix(PAST) {
            let past = &self.known.get(id)?.past;
            return (*past != Past::default()).then(|| to_bytes(past));
        }
        self.known.get(key.strip_prefix(TODAY)?)?.today.as_ref().map(to_bytes)
    }
    /// Puts an entity back; whether it is one of the market's.
    pub fn restore(&mut self, key: &str, bytes: &[u8]) -> Result<bool, ImageError> {
        let (kind, id) = key.split_at(PAST.len().min(key.len()));
        if kind != PAST && kind != TODAY {
            return Ok(false);
        }
        let id = InstrumentId::new(id).map_err(|error| ImageError::new(key, error))?;
        let known = self.known_mut(&id);
        if kind == PAST {
            known.past = from_bytes(key, bytes)?;
        } else {
            known.today = Some(from_bytes(key, bytes)?);
        }
        Ok(true)
    }
    /// Keys that have changed.
    pub fn take_dirty(&mut self) -> BTreeSet<SmolStr> {
        std::mem::take(&mut self.dirty)
    }
}
