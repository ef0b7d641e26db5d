//! The lane's table of instruments: interned to dense numbers, in the order in which they were first named.

use super::actions::Action;
use super::clocks::{Clocks, ages_in};
use super::hours::{Hours, open_micros};
use super::rates::{Pairs, Prices, Rate};
use super::slot::Slot;
use domain::calendar::{Stretch, Trade};
use domain::corporate_action::CorporateAction;
use domain::enums::{ActionStatus, InstrumentType, MarketState};
use domain::frame::FramePrice;
use domain::instrument::Instrument;
use domain::market_status::MarketStatus;
use domain::venue::day_start;
use domain::{Currency, InstrumentId, Quantity, SmolStr, Timestamp};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An interned instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct InstrumentIx(pub u32);

impl InstrumentIx {
    /// Its place in a table.
    pub const fn at(self) -> usize {
        self.0 as usize
    }
    fn of(place: usize) -> Self {
        Self(u32::try_from(place).expect("a lane knows fewer than 2^32 instruments"))
    }
}

/// What the quick valuation reads of an instrument, in one half of a cache line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HotPrice {
    /// Units of the price; at most [`HotPrice::MAX_PRICE`].
    pub price: i64,
    /// From when the price counts as made, open time only; `i64::MAX` where the instrument has its own limit.
    pub made: i64,
    /// Until when it is usable by the instrument's own limit; `i64::MAX` where it has none.
    pub until: i64,
    /// The number of its currency where value = quantity × price, else [`HotPrice::CAREFUL`].
    pub class: u32,
}

impl HotPrice {
    /// Class of an instrument whose value needs more than one product of small numbers.
    pub const CAREFUL: u32 = u32::MAX;
    /// Largest price of the quick path: with [`HotPrice::MAX_QUANTITY`] the product stays below 2^103,
    /// so that no sum over a portfolio's lines can leave 128 bits.
    pub const MAX_PRICE: i64 = 1 << 53;
    /// Largest quantity of the quick path, in units of 10^-8.
    pub const MAX_QUANTITY: i64 = 1 << 50;

    const NONE: Self = Self { price: 0, made: i64::MAX, until: i64::MAX, class: Self::CAREFUL };
}

/// The stored part of the table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Table {
    slots: Vec<Slot>,
    venues: Vec<(SmolStr, Hours)>,
    currencies: Vec<Currency>,
    /// The instrument of each action that was announced.
    actions: BTreeMap<SmolStr, InstrumentIx>,
}

/// The table.
#[derive(Debug, Clone, Default)]
pub struct Market {
    table: Table,
    by_id: FxHashMap<InstrumentId, InstrumentIx>,
    by_venue: BTreeMap<SmolStr, u32>,
    pairs: Pairs,
    clocks: Clocks,
    hot: Vec<HotPrice>,
    changed: Vec<InstrumentIx>,
    is_changed: Vec<bool>,
    is_pair: Vec<bool>,
    pair_changed: bool,
}

impl Market {
    /// The slot of an interned instrument.
    pub fn slot(&self, ix: InstrumentIx) -> &Slot {
        &self.table.slots[ix.at()]
    }
    /// Every slot, in the order of interning.
    pub fn slots(&self) -> &[Slot] {
        &self.table.slots
    }
    /// The interned number of an id that was named before.
    pub fn find(&self, id: &InstrumentId) -> Option<InstrumentIx> {
        self.find_text(id.as_str())
    }
    /// The same of an id that is still a text.
    pub fn find_text(&self, id: &str) -> Option<InstrumentIx> {
        self.by_id.get(id).copied()
    }
    /// The interned number of an id.
    pub fn intern(&mut self, id: &InstrumentId) -> InstrumentIx {
        if let Some(ix) = self.find(id) {
            return ix;
        }
        let ix = InstrumentIx::of(self.table.slots.len());
        self.table.slots.push(Slot::new(id.clone()));
        self.index(ix);
        ix
    }
    fn index(&mut self, ix: InstrumentIx) {
        let id = self.table.slots[ix.at()].id.clone();
        self.is_pair.push(self.pairs.learn(&id, ix));
        self.by_id.insert(id, ix);
        self.hot.push(HotPrice::NONE);
        self.clocks.follow(ix, self.table.slots[ix.at()].facts.as_deref());
        self.is_changed.push(false);
    }
    /// The interned number of a currency.
    pub fn currency(&mut self, currency: Currency) -> u32 {
        let place = self.table.currencies.iter().position(|known| *known == currency).unwrap_or_else(|| {
            self.table.currencies.push(currency);
            self.table.currencies.len() - 1
        });
        u32::try_from(place).expect("fewer than 2^32 currencies")
    }

    /// Takes an instrument's facts in.
    pub fn describe(&mut self, facts: Instrument) -> InstrumentIx {
        let ix = self.intern(&facts.instrument_id);
        let venue = facts.venue.clone().map(|venue| self.venue(&venue));
        self.currency(facts.currency);
        let slot = &mut self.table.slots[ix.at()];
        slot.venue = venue;
        slot.describe(facts);
        self.clocks.follow(ix, self.table.slots[ix.at()].facts.as_deref());
        self.mark_changed(ix);
        ix
    }
    /// Notes that a book of the lane holds an instrument.
    pub fn book(&mut self, ix: InstrumentIx) {
        self.table.slots[ix.at()].book();
    }
    fn venue(&mut self, name: &SmolStr) -> u32 {
        if let Some(venue) = self.by_venue.get(name) {
            return *venue;
        }
        let venue = u32::try_from(self.table.venues.len()).expect("fewer than 2^32 venues");
        self.table.venues.push((name.clone(), Hours::default()));
        self.by_venue.insert(name.clone(), venue);
        venue
    }
    /// Takes an announcement in that a frame told of; the instrument and the actions that its books have to follow.
    pub fn announce(&mut self, action: &CorporateAction, told: (i32, i64), now: Timestamp) -> Option<(InstrumentIx, Vec<SmolStr>)> {
        let known = self.table.actions.get(&action.action_id).copied();
        if known.is_none() && action.status == ActionStatus::Cancelled {
            return None;
        }
        let ix = self.intern(&action.instrument_id);
        self.mark_changed(ix);
        if let Some(known) = known.filter(|known| *known != ix) {
            // An id names one action of one instrument: which of both is meant, is not ours to guess. The action stays
            // in force where it is, and the books of both wait for a record that says which.
            self.table.slots[ix.at()].doubt(&action.action_id, action.status == ActionStatus::New);
            self.table.slots[known.at()].doubt(&action.action_id, true);
            self.mark_changed(known);
            return None;
        }
        let now_told = Action::of(action, told);
        let slot = &mut self.table.slots[ix.at()];
        let heard = slot.actions.hear(&action.action_id, now_told.clone());
        let stands = action.status == ActionStatus::New;
        slot.doubt(&action.action_id, stands && (now_told.is_none() || heard.full || slot.kind() == InstrumentType::Fx));
        if stands {
            self.table.actions.insert(action.action_id.clone(), ix);
        } else {
            self.table.actions.remove(&action.action_id);
        }
        if !heard.changed {
            return None;
        }
        let mut begun = self.begin(ix, now);
        self.table.slots[ix.at()].split();
        if heard.withdrawn && !begun.contains(&action.action_id) {
            begun.insert(0, action.action_id.clone());
        }
        Some((ix, begun))
    }
    /// Puts the actions of an instrument into effect that are due, and pays dividends; their ids.
    fn begin(&mut self, ix: InstrumentIx, now: Timestamp) -> Vec<SmolStr> {
        let slot = &mut self.table.slots[ix.at()];
        if slot.actions.is_quiet() || slot.kind() == InstrumentType::Fx {
            return Vec::new();
        }
        let venue = slot.facts.as_ref().and_then(|facts| facts.venue.clone());
        let begun = slot.actions.begin(|day| day_start(venue.as_deref(), day), now);
        if !begun.is_empty() {
            slot.split();
            self.mark_changed(ix);
        }
        begun
    }
    /// Puts every action into effect that is due, in the order of the instruments' ids and of ex-dates.
    pub fn begin_due(&mut self, now: Timestamp) -> Vec<(InstrumentIx, SmolStr)> {
        let all = (0..self.table.slots.len()).map(InstrumentIx::of).collect::<Vec<_>>();
        let mut begun: Vec<_> = all.into_iter().flat_map(|ix| self.begin(ix, now).into_iter().map(move |id| (ix, id))).collect();
        // In which order a lane has heard of instruments concerns no portfolio.
        begun.sort_by(|(one, _), (other, _)| self.slot(*one).id.cmp(&self.slot(*other).id));
        begun
    }
    /// When the next announced action takes effect, or is paid.
    pub fn next_action(&self) -> Option<Timestamp> {
        let due = |slot: &Slot| {
            let venue = slot.facts.as_ref().and_then(|facts| facts.venue.as_deref());
            slot.actions.next_due(|day| day_start(venue, day)).filter(|_| slot.kind() != InstrumentType::Fx)
        };
        self.table.slots.iter().filter_map(due).min()
    }
    /// The instrument of an action that was announced.
    pub fn of_action(&self, id: &str) -> Option<InstrumentIx> {
        self.table.actions.get(id).copied()
    }
    /// Takes a quote in that comes at `clock`.
    pub fn quote(&mut self, update: FramePrice, clock: Timestamp) -> InstrumentIx {
        let ix = self.intern(&update.instrument_id);
        if self.table.slots[ix.at()].quote(update, clock) {
            self.mark_changed(ix);
        }
        ix
    }
    /// Whether an instrument is a currency pair.
    pub fn is_pair(&self, ix: InstrumentIx) -> bool {
        self.is_pair[ix.at()]
    }
    /// Takes a market's state in that comes at `now`.
    pub fn report(&mut self, status: &MarketStatus, now: Timestamp) {
        if let Some(id) = &status.instrument_id {
            let ix = self.intern(id);
            if self.table.slots[ix.at()].hours.report(status.status, status.effective_at, now) {
                self.mark_changed(ix);
            }
        } else if let Some(name) = &status.venue {
            let venue = self.venue(name);
            if self.table.venues[venue as usize].1.report(status.status, status.effective_at, now) {
                self.mark_venue(venue);
            }
        }
    }
    fn mark_venue(&mut self, venue: u32) {
        for place in 0..self.table.slots.len() {
            if self.table.slots[place].venue == Some(venue) {
                self.mark_changed(InstrumentIx::of(place));
            }
        }
    }
    fn mark_changed(&mut self, ix: InstrumentIx) {
        if !std::mem::replace(&mut self.is_changed[ix.at()], true) {
            self.changed.push(ix);
        }
        self.pair_changed |= self.is_pair[ix.at()];
    }
    /// Instruments changed since the last call, and whether a pair was among them.
    pub fn take_changed(&mut self) -> (Vec<InstrumentIx>, bool) {
        let changed = std::mem::take(&mut self.changed);
        changed.iter().for_each(|ix| self.is_changed[ix.at()] = false);
        (changed, std::mem::take(&mut self.pair_changed))
    }

    /// Units of `quoted` for one of `of`; `None` where no pair, inverse or cross has a price.
    pub fn rate(&self, of: Currency, quoted: Currency) -> Option<Rate> {
        self.rate_by(|ix| self.slot(ix).price, of, quoted)
    }
    /// The same, by other prices than those of now.
    pub fn rate_by(&self, price: impl Prices, of: Currency, quoted: Currency) -> Option<Rate> {
        self.pairs.rate(price, of, quoted)
    }

    /// The reported hours of an instrument's venue.
    fn venue_hours(&self, slot: &Slot) -> Option<&Hours> {
        slot.venue.and_then(|venue| self.table.venues.get(venue as usize)).map(|(_, hours)| hours).filter(|hours| !hours.is_empty())
    }
    /// What the calendar of an instrument says of a moment, where its venue never reported anything: a market that speaks
    /// for itself needs no calendar.
    fn scheduled(&self, ix: InstrumentIx, at: Timestamp) -> Option<Stretch> {
        if self.venue_hours(self.slot(ix)).is_some() { None } else { self.clocks.around(ix, at) }
    }
    /// The state of an instrument's market: its own halt or close, else its venue's state or what its calendar says, else
    /// its own. What was reported of the instrument itself since its calendar's last opening or close is newer than that.
    /// Where a report or a calendar leaves it open which, nothing is traded: closed.
    pub fn market_state(&self, ix: InstrumentIx, now: Timestamp) -> MarketState {
        let slot = self.slot(ix);
        let own = slot.hours.state(now);
        let venue = self.venue_hours(slot);
        if matches!(own, MarketState::Halted | MarketState::Closed) {
            return own;
        }
        if slot.hours.is_unsure(now) || venue.is_some_and(|hours| hours.is_unsure(now)) {
            return MarketState::Closed;
        }
        match (venue.map(|hours| hours.state(now)), self.scheduled(ix, now)) {
            (Some(venue), _) if venue != MarketState::Unknown => venue,
            (_, Some(stretch)) if !slot.hours.is_said_since(stretch.from, now) => match stretch.trade {
                Trade::Open => MarketState::Open,
                Trade::Closed | Trade::Unknown => MarketState::Closed,
            },
            _ => own,
        }
    }
    /// Microseconds of open time since the price was made.
    pub fn age_micros(&self, ix: InstrumentIx, now: Timestamp) -> i64 {
        let slot = self.slot(ix);
        let venue = self.venue_hours(slot);
        if venue.is_none() && self.clocks.has(ix) {
            return self.clocks.open_micros(ix, &slot.hours, slot.price_time, now);
        }
        if venue.is_none() && slot.hours.is_empty() {
            return now.since(slot.price_time).max(0);
        }
        let none = Hours::default();
        open_micros(&slot.hours, venue.unwrap_or(&none), slot.price_time, now)
    }
    /// From when a price counts as made, open time only. One from a sender's clock that runs ahead counts from its
    /// own moment, whenever that is asked: a lane put back from an image must find the same.
    fn made(&self, ix: InstrumentIx, now: Timestamp) -> i64 {
        now.micros().saturating_sub(self.age_micros(ix, now)).max(self.slot(ix).price_time.micros())
    }
    /// Whether an instrument's price is older than it may be; the limit of the instrument comes first.
    pub fn is_stale(&self, ix: InstrumentIx, max_age_seconds: i64, now: Timestamp) -> bool {
        let limit = self.slot(ix).max_age_seconds().unwrap_or(max_age_seconds).saturating_mul(1_000_000);
        self.age_micros(ix, now) > limit
    }
    /// When a price that is fresh at `now` goes stale; `None` while its market is closed, and when it is stale.
    pub fn stale_at(&self, ix: InstrumentIx, max_age_seconds: i64, now: Timestamp) -> Option<Timestamp> {
        let slot = self.slot(ix);
        let limit = slot.max_age_seconds().unwrap_or(max_age_seconds).saturating_mul(1_000_000);
        let due = self.made(ix, now).saturating_add(limit);
        (now.micros() <= due && self.ages(ix, now)).then(|| Timestamp::from_micros(due))
    }
    fn ages(&self, ix: InstrumentIx, now: Timestamp) -> bool {
        let slot = self.slot(ix);
        match self.scheduled(ix, now) {
            Some(stretch) => ages_in(&stretch, &slot.hours, now),
            None => slot.hours.ages(now) && self.venue_hours(slot).is_none_or(|hours| hours.ages(now)),
        }
    }
    /// The next announced change of any market after `now`, or the next opening or close by a calendar.
    pub fn next_market_change(&self, now: Timestamp) -> Option<Timestamp> {
        let venues = self.table.venues.iter().filter_map(|(_, hours)| hours.next_change(now));
        let own = self.table.slots.iter().filter_map(|slot| slot.hours.next_change(now));
        venues.chain(own).chain(self.clocks.next_change(now)).min()
    }
    /// Looks the calendars up as of now.
    pub fn set_clocks(&mut self, now: Timestamp) {
        self.clocks.set(now);
    }
    /// Marks every instrument whose market may change state by itself, its announced change being due.
    pub fn mark_reported(&mut self) {
        for place in 0..self.table.slots.len() {
            let (slot, ix) = (&self.table.slots[place], InstrumentIx::of(place));
            if self.clocks.has(ix) || !slot.hours.is_empty() || self.venue_hours(slot).is_some() {
                self.mark_changed(ix);
            }
        }
    }

    /// What the quick valuation reads, by place.
    pub fn hot(&self) -> &[HotPrice] {
        &self.hot
    }
    /// Brings the quick table up to date for one instrument, as of `now`.
    pub fn refresh(&mut self, ix: InstrumentIx, now: Timestamp) {
        let hot = self.hot_of(ix, now);
        self.hot[ix.at()] = hot;
    }
    fn hot_of(&self, ix: InstrumentIx, now: Timestamp) -> HotPrice {
        let slot = self.slot(ix);
        let (Some(facts), Some(price)) = (&slot.facts, slot.price) else { return HotPrice::NONE };
        let small = i64::try_from(price.units()).ok().filter(|units| *units <= HotPrice::MAX_PRICE);
        let plain = facts.multiplier == Quantity::ONE && !matches!(facts.kind, InstrumentType::Future | InstrumentType::Bond);
        let (Some(price), true, true) = (small, plain && slot.held.is_none(), self.ages(ix, now)) else {
            return HotPrice::NONE;
        };
        let class = self.table.currencies.iter().position(|c| *c == facts.currency).and_then(|place| u32::try_from(place).ok());
        let made = self.made(ix, now);
        let (made, until) = match facts.max_price_age_seconds {
            Some(own) => (i64::MAX, made.saturating_add(own.saturating_mul(1_000_000))),
            None => (made, i64::MAX),
        };
        HotPrice { price, made, until, class: class.unwrap_or(HotPrice::CAREFUL) }
    }

    /// The stored part.
    pub fn image(&self) -> Vec<u8> {
        engine::image::to_bytes(&self.table)
    }
    /// The table of a stored part, derived parts rebuilt as of `now`.
    pub fn restore(bytes: &[u8], now: Timestamp) -> Result<Self, engine::ImageError> {
        const WHAT: &str = "the instrument table";
        let table: Table = engine::image::from_bytes(WHAT, bytes)?;
        let venues = table.slots.iter().filter_map(|slot| slot.venue).all(|venue| (venue as usize) < table.venues.len());
        if !venues || table.actions.values().any(|ix| ix.at() >= table.slots.len()) {
            return Err(engine::ImageError::new(WHAT, "it names an instrument or a venue that is not in it"));
        }
        let mut market = Market { table, ..Market::default() };
        for place in 0..market.table.slots.len() {
            market.index(InstrumentIx::of(place));
        }
        market.clocks.set(now);
        market.by_venue = (0..).zip(&market.table.venues).map(|(ix, (name, _))| (name.clone(), ix)).collect();
        for place in 0..market.table.slots.len() {
            market.refresh(InstrumentIx::of(place), now);
        }
        Ok(market)
    }
}
