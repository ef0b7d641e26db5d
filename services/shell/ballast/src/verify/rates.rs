//! What the counting frames say of rates of exchange, and of what bonds have accrued: which of them a step may have
//! booked by. A step has several windows, and in which of them something was booked no record says.
//!
//! The price of a pair is chosen here anew from the fields that ticks gave. Where one is guarded against jumps it is
//! known as far as all that could have been accepted; where its source changed, or frames were deleted, not at all.

use super::exact::{Exact, Published, ratio, rounded, whole, zero};
use super::facts::Facts;
use super::worth::Span;
use domain::enums::PriceSource;
use domain::frame::FramePrice;
use domain::instrument::Instrument;
use domain::{Currency, InstrumentId};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Decimals of a price and of a rate.
const PRICE: u32 = 10;
const RATE: u32 = 12;

/// The offsets of the first frame that a step reads, and of the first that it does not.
pub(super) type Frames = (i64, i64);

/// What one of a currency was in another, in a step.
type Question = (Frames, Currency, Currency);

/// The accepted prices of a pair, each from the frame at an offset on; `None` where they cannot be told.
type Accepted = Option<BTreeMap<i64, Span>>;

/// Rates by frames.
#[derive(Debug, Default)]
pub(super) struct Rates {
    pairs: BTreeMap<(Currency, Currency), Accepted>,
    /// Frames that price a pair.
    moved: BTreeSet<i64>,
    accrued: BTreeMap<InstrumentId, BTreeMap<i64, Exact>>,
    cut: bool,
    /// What was asked before.
    asked: RefCell<BTreeMap<Question, Option<Vec<Span>>>>,
}

/// A rate at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    None,
    Unknown,
    Rate(Span),
}

/// One step of a way from one currency to another: by a pair's price, or by one divided by it.
struct Leg {
    price: Span,
    inverse: bool,
}

impl Leg {
    fn factor(&self) -> Span {
        if self.inverse { Span { low: whole(1) / &self.price.high, high: whole(1) / &self.price.low } } else { self.price.clone() }
    }
}

/// Which way there is.
enum Way {
    None,
    Unknown,
    By(Leg),
}

impl Rates {
    /// Chooses the price of every pair.
    pub(super) fn of(facts: &Facts) -> Self {
        let mut rates = Self { cut: facts.is_cut(), ..Self::default() };
        for (id, states) in facts.states() {
            if let Some(pair) = pair_of(id) {
                rates.moved.extend(states.iter().map(|(offset, _)| *offset));
                rates.pairs.insert(pair, accepted(states, &facts.described(id)));
            }
            let accrued = states.iter().map(|(offset, state)| (*offset, state.accrued.map_or_else(zero, Published::exact)));
            rates.accrued.insert(id.clone(), accrued.collect());
        }
        rates
    }

    /// What one of a currency was in another, at the beginning of a step and behind each of its frames that prices a
    /// pair; `None` where it cannot be told.
    pub(super) fn during(&self, frames: Frames, of: Currency, quoted: Currency) -> Option<Vec<Span>> {
        if self.cut && of != quoted {
            return None;
        }
        let asked = (frames, of, quoted);
        if let Some(found) = self.asked.borrow().get(&asked) {
            return found.clone();
        }
        let found = self.moments(frames).map(|before| self.at(before, of, quoted)).try_fold(Vec::new(), |mut spans, found| {
            match found {
                Found::Unknown => return None,
                Found::Rate(span) if !spans.contains(&span) => spans.push(span),
                Found::Rate(_) | Found::None => {}
            }
            Some(spans)
        });
        let found = found.filter(|spans| !spans.is_empty());
        self.asked.borrow_mut().insert(asked, found.clone());
        found
    }

    /// Whether there may be no rate behind all that was read.
    pub(super) fn may_lack(&self, before: i64, of: Currency, quoted: Currency) -> bool {
        !matches!(self.at(before, of, quoted), Found::Rate(_))
    }

    /// What one of a currency was turned into of an instrument's at each moment of a step, both by way of the base; the
    /// rate of the first may be told.
    pub(super) fn turn(
        &self,
        frames: Frames,
        (of, local, base): (Currency, Currency, Currency),
        told: Option<&Exact>,
    ) -> Option<Vec<Span>> {
        if self.cut && !(of == base && local == base) {
            return None;
        }
        let mut turned = Vec::new();
        for before in self.moments(frames) {
            let (of, local) = match (self.at(before, of, base), self.at(before, local, base)) {
                (Found::Unknown, _) | (_, Found::Unknown) => return None,
                (Found::Rate(of), Found::Rate(local)) if told.is_none_or(|told| of.holds(told, &zero())) => (of, local),
                _ => continue,
            };
            let of = told.map_or(of, |told| Span::of(told.clone()));
            let rate = Span { low: of.low / local.high, high: of.high / local.low };
            if !turned.contains(&rate) {
                turned.push(rate);
            }
        }
        (!turned.is_empty()).then_some(turned)
    }

    /// What a bond had accrued at some moment of a step.
    pub(super) fn accrued(&self, frames: Frames, id: &InstrumentId) -> Option<Span> {
        let Some(told) = self.accrued.get(id).filter(|_| !self.cut) else { return (!self.cut).then(|| Span::of(zero())) };
        let first = told.range(..frames.0).next_back().map_or_else(zero, |(_, accrued)| accrued.clone());
        let later = told.range(frames.0..frames.1.max(frames.0)).map(|(_, accrued)| Span::of(accrued.clone()));
        Some(later.fold(Span::of(first), Span::hull))
    }

    fn moments(&self, (from, to): Frames) -> impl Iterator<Item = i64> {
        std::iter::once(from).chain(self.moved.range(from..to.max(from)).map(|offset| offset + 1))
    }

    /// The pair, else its inverse, else by the first currency in the alphabet that both have a pair with.
    fn at(&self, before: i64, of: Currency, quoted: Currency) -> Found {
        if of == quoted {
            return Found::Rate(Span::of(whole(1)));
        }
        match self.leg(before, of, quoted) {
            Way::By(leg) => Found::Rate(at_scale(&leg.factor())),
            Way::Unknown => Found::Unknown,
            Way::None => self.cross(before, of, quoted),
        }
    }

    fn cross(&self, before: i64, of: Currency, quoted: Currency) -> Found {
        let other = |(a, b): &(Currency, Currency)| if *a == of { Some(*b) } else { (*b == of).then_some(*a) };
        let middles: BTreeSet<Currency> = self.pairs.keys().filter_map(other).filter(|middle| *middle != quoted).collect();
        for middle in middles {
            match (self.leg(before, of, middle), self.leg(before, middle, quoted)) {
                (Way::None, _) | (_, Way::None) => {}
                (Way::By(first), Way::By(second)) => {
                    let (first, second) = (first.factor(), second.factor());
                    match usable(at_scale(&Span { low: first.low * second.low, high: first.high * second.high })) {
                        Found::None => {}
                        found => return found,
                    }
                }
                _ => return Found::Unknown,
            }
        }
        Found::None
    }

    /// The pair, else its inverse, where it is a rate, rounded: of a price that is too large or too small for one there
    /// is none.
    fn leg(&self, before: i64, of: Currency, quoted: Currency) -> Way {
        for (price, inverse) in [(self.price(before, of, quoted), false), (self.price(before, quoted, of), true)] {
            let leg = match price {
                Found::None => continue,
                Found::Unknown => return Way::Unknown,
                Found::Rate(price) => Leg { price, inverse },
            };
            match usable(at_scale(&leg.factor())) {
                Found::None => {}
                Found::Unknown => return Way::Unknown,
                Found::Rate(_) => return Way::By(leg),
            }
        }
        Way::None
    }

    fn price(&self, before: i64, of: Currency, quoted: Currency) -> Found {
        match self.pairs.get(&(of, quoted)) {
            None => Found::None,
            Some(None) => Found::Unknown,
            Some(Some(accepted)) => accepted.range(..before).next_back().map_or(Found::None, |(_, span)| Found::Rate(span.clone())),
        }
    }
}

/// What a rounded number is as a rate: above nothing, and with digits that a record can hold.
fn usable(rounded: Span) -> Found {
    let (nothing, limit) = (zero(), whole(10_i128.pow(28 - RATE)));
    if rounded.high <= nothing || rounded.low >= limit {
        Found::None
    } else if rounded.low > nothing && rounded.high < limit {
        Found::Rate(rounded)
    } else {
        Found::Unknown
    }
}

/// Rounded where a rate is.
fn at_scale(span: &Span) -> Span {
    Span { low: rounded(&span.low, RATE), high: rounded(&span.high, RATE) }
}

/// The currencies of an id such as `EUR/USD`.
pub(super) fn pair_of(id: &InstrumentId) -> Option<(Currency, Currency)> {
    let (of, quoted) = id.as_str().split_once('/')?;
    Some((Currency::new(of).ok()?, Currency::new(quoted).ok()?)).filter(|(of, quoted)| of != quoted)
}

/// What the accepted price was from each frame on. One that is not above zero is never accepted; a guard may keep an
/// older one.
fn accepted(states: &[(i64, FramePrice)], described: &[(i64, &Instrument)]) -> Accepted {
    let source = described.first().map_or(PriceSource::Auto, |(_, facts)| facts.price_source);
    let by_default = matches!(source, PriceSource::Auto | PriceSource::Unknown);
    let known_first = described.first().zip(states.first()).is_none_or(|((told, _), (priced, _))| told <= priced);
    if described.iter().any(|(_, facts)| facts.price_source != source) || !(by_default || known_first) {
        return None;
    }
    let guarded = described.iter().any(|(_, facts)| facts.max_jump_bp.is_some());
    let mut accepted: BTreeMap<i64, Span> = BTreeMap::new();
    for (offset, state) in states {
        let Some(price) = chosen(state, source).filter(|price| *price > zero()).map(Span::of) else { continue };
        let before = accepted.last_key_value().filter(|_| guarded).map(|(_, span)| span.clone());
        accepted.insert(*offset, before.map_or(price.clone(), |before| before.hull(price)));
    }
    Some(accepted)
}

/// The price that a source takes from a quote.
fn chosen(quote: &FramePrice, source: PriceSource) -> Option<Exact> {
    let mid = || Some(rounded(&((quote.bid?.exact() + quote.ask?.exact()) * ratio(5, 1)), PRICE));
    match source {
        PriceSource::Auto | PriceSource::Unknown => {
            quote.mark.map(Published::exact).or_else(mid).or_else(|| quote.last.map(Published::exact))
        }
        PriceSource::Mark => quote.mark.map(Published::exact),
        PriceSource::Mid => mid(),
        PriceSource::Last => quote.last.map(Published::exact),
        PriceSource::Bid => quote.bid.map(Published::exact),
        PriceSource::Ask => quote.ask.map(Published::exact),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::story::v;

    fn quoted(id: &str, prices: &[(i64, &str)]) -> ((Currency, Currency), Accepted) {
        let state = |last: &str| FramePrice { last: Some(v(last)), ..FramePrice::empty(v(id), v("2026-01-05T00:00:00Z")) };
        let states: Vec<_> = prices.iter().map(|(offset, last)| (*offset, state(last))).collect();
        (pair_of(&v(id)).unwrap(), accepted(&states, &[]))
    }
    fn rates(pairs: &[(&str, &[(i64, &str)])]) -> Rates {
        let moved = pairs.iter().flat_map(|(_, prices)| prices.iter().map(|(offset, _)| *offset)).collect();
        Rates { pairs: pairs.iter().map(|(id, prices)| quoted(id, prices)).collect(), moved, ..Rates::default() }
    }
    fn at(rates: &Rates, frames: Frames, of: &str, quoted: &str) -> Option<Vec<String>> {
        let spans = rates.during(frames, v(of), v(quoted))?;
        Some(spans.iter().map(|span| crate::verify::exact::show(&span.low)).collect())
    }

    #[test]
    fn a_rate_is_the_pair_or_its_inverse_or_one_cross() {
        let two = rates(&[("EUR/USD", &[(0, "1.25")]), ("USD/JPY", &[(0, "150")])]);
        assert_eq!(at(&two, (1, 1), "EUR", "USD").unwrap(), ["1.25"]);
        assert_eq!(at(&two, (1, 1), "USD", "EUR").unwrap(), ["0.8"]);
        assert_eq!(at(&two, (1, 1), "EUR", "JPY").unwrap(), ["187.5"]);
        assert_eq!(at(&two, (1, 1), "JPY", "EUR").unwrap(), ["0.005333333333"]);
        assert_eq!(at(&two, (1, 1), "CHF", "EUR"), None);
        assert_eq!(at(&two, (0, 0), "EUR", "USD"), None, "no frame was read yet");
    }

    #[test]
    fn a_price_too_large_or_too_small_for_a_rate_is_none() {
        let huge = "12345678901234567";
        let lone = rates(&[("EUR/USD", &[(0, huge)])]);
        assert_eq!(at(&lone, (1, 1), "EUR", "USD"), None);
        assert_eq!(at(&lone, (1, 1), "USD", "EUR"), None, "one divided by it is below the last decimal");
        assert!(lone.may_lack(1, v("EUR"), v("USD")) && !lone.may_lack(1, v("EUR"), v("EUR")));
        let other = rates(&[("EUR/USD", &[(0, huge)]), ("USD/EUR", &[(0, "0.5")])]);
        assert_eq!(at(&other, (1, 1), "EUR", "USD").unwrap(), ["2"], "the pair the other way round");
        let cross = rates(&[("EUR/USD", &[(0, huge)]), ("EUR/CHF", &[(0, "2")]), ("CHF/USD", &[(0, "3")])]);
        assert_eq!(at(&cross, (1, 1), "EUR", "USD").unwrap(), ["6"]);
        assert!(!cross.may_lack(1, v("EUR"), v("USD")) && cross.may_lack(0, v("EUR"), v("USD")));
    }

    #[test]
    fn within_a_step_a_rate_may_be_each_that_stood() {
        let moving = rates(&[("EUR/USD", &[(0, "1.25"), (2, "1.5"), (5, "2")])]);
        assert_eq!(at(&moving, (1, 4), "EUR", "USD").unwrap(), ["1.25", "1.5"]);
        let turn = |told: Option<Exact>| moving.turn((1, 4), (v("EUR"), v("USD"), v("USD")), told.as_ref());
        assert_eq!(turn(None), Some(vec![Span::of(ratio(125, 2)), Span::of(ratio(15, 1))]));
        assert_eq!(turn(Some(ratio(15, 1))), Some(vec![Span::of(ratio(15, 1))]));
        assert_eq!(turn(Some(whole(2))), None);
    }
}
