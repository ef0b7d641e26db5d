//! Amounts of which a part came in another currency than the instrument's. Which rate it was turned at no record names:
//! it was looked up when the part was booked first. So the part is kept as it came, and its rate as those that it may
//! have been, until a published figure tells it.

use super::exact::{Exact, ratio, show, whole, zero};
use domain::{Currency, InstrumentId, SmolStr};
use std::collections::{BTreeMap, BTreeSet};

/// Two numbers between which one lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) low: Exact,
    pub(super) high: Exact,
}

impl Span {
    /// One number.
    pub(super) fn of(value: Exact) -> Self {
        Self { low: value.clone(), high: value }
    }
    /// The smallest that holds both.
    pub(super) fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
    /// Whether a number lies in it, or no further away than `slack`.
    pub(super) fn holds(&self, value: &Exact, slack: &Exact) -> bool {
        &self.low - slack <= *value && *value <= &self.high + slack
    }
    fn plus(&self, other: &Self) -> Self {
        Self { low: &self.low + &other.low, high: &self.high + &other.high }
    }
    /// So many times it.
    pub(super) fn times(&self, amount: &Exact) -> Self {
        let (a, b) = (&self.low * amount, &self.high * amount);
        if a <= b { Self { low: a, high: b } } else { Self { low: b, high: a } }
    }
    /// What both have in common.
    fn meet(&self, other: &Self) -> Option<Self> {
        let (low, high) = (self.low.clone().max(other.low.clone()), self.high.clone().min(other.high.clone()));
        (low <= high).then_some(Self { low, high })
    }
    fn is_wide(&self) -> bool {
        &self.high - &self.low > ratio(1, 15)
    }
    fn shown(&self) -> String {
        if self.is_wide() { format!("{} to {}", show(&self.low), show(&self.high)) } else { show(&self.low) }
    }
}

/// What was turned into an instrument's currency, each at one rate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Turned {
    /// A cash entry, by its place among the bookings.
    Entry(usize),
    /// What a dividend pays on a line; a number more each time that it is announced otherwise.
    Action(InstrumentId, SmolStr, u32),
}

/// An amount in an instrument's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Worth {
    pub(super) own: Exact,
    abroad: BTreeMap<Turned, (Currency, Exact)>,
}

impl Worth {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self::of(zero())
    }
    /// All of it in the instrument's currency.
    pub(super) fn of(own: Exact) -> Self {
        Self { own, abroad: BTreeMap::new() }
    }
    /// An amount of another currency.
    pub(super) fn abroad(by: Turned, currency: Currency, amount: Exact) -> Self {
        Self { own: zero(), abroad: BTreeMap::from([(by, (currency, amount))]) }
    }
    /// Adds another so many times.
    pub(super) fn add(&mut self, other: &Self, times: i128) {
        let times = whole(times);
        self.own += &other.own * &times;
        for (by, (currency, amount)) in &other.abroad {
            let held = self.abroad.entry(by.clone()).or_insert_with(|| (*currency, zero()));
            held.1 += amount * &times;
        }
        self.abroad.retain(|_, (_, amount)| *amount != zero());
    }
    /// The amounts that are in no other currency than they came in.
    pub(super) fn amounts(&self) -> impl Iterator<Item = &Exact> {
        std::iter::once(&self.own).chain(self.abroad.values().map(|(_, amount)| amount))
    }
}

/// Choices of rates that are tried one by one; of more, all that lies between them may be.
const MOST: usize = 1024;

/// What each was turned at: one of these. Nothing is known of one that has none.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns {
    rates: BTreeMap<Turned, Option<Vec<Span>>>,
    used: BTreeSet<Turned>,
}

impl Turns {
    /// Whether something was turned by one: what it is stays from then on.
    pub(super) fn is_used(&self, by: &Turned) -> bool {
        self.used.contains(by)
    }
    /// Notes that an amount was booked.
    pub(super) fn mark(&mut self, worth: &Worth) {
        self.used.extend(worth.abroad.keys().cloned());
    }
    /// Notes which rates one may have been turned at.
    pub(super) fn learn(&mut self, by: Turned, rates: Option<Vec<Span>>) {
        self.rates.insert(by, rates);
    }
    /// What an amount may be; `None` where a rate of it is not known at all.
    pub(super) fn values(&self, worth: &Worth) -> Option<Vec<Span>> {
        let mut values = vec![Span::of(worth.own.clone())];
        for (by, (_, amount)) in &worth.abroad {
            let parts: Vec<Span> = self.rates.get(by)?.as_ref()?.iter().map(|rate| rate.times(amount)).collect();
            values = if values.len() * parts.len() <= MOST {
                values.iter().flat_map(|sum| parts.iter().map(|part| sum.plus(part))).collect()
            } else {
                vec![hull(values)?.plus(&hull(parts)?)]
            };
        }
        Some(values)
    }
    /// Where a published amount differs from the model.
    pub(super) fn differs(&self, name: &str, told: &Exact, model: &Worth, slack: &Exact) -> Option<String> {
        let values = self.values(model)?;
        let agrees = values.iter().any(|value| value.holds(told, slack));
        (!agrees).then(|| format!("{name} {}, the model {}", show(told), hull(values).map_or_else(String::new, |span| span.shown())))
    }
    /// Whether nothing at all is known of a rate of it.
    pub(super) fn is_open(&self, worth: &Worth) -> bool {
        self.values(worth).is_none()
    }
    /// Takes from a published amount what the one rate is that is not known closely, where there is just one.
    pub(super) fn narrow(&mut self, worth: &Worth, told: &Exact, slack: &Exact) {
        let is_wide = |by: &Turned| !matches!(self.rates.get(by), Some(Some(rates)) if rates.len() == 1 && !rates[0].is_wide());
        let mut wide = worth.abroad.iter().filter(|(by, _)| is_wide(by));
        let (Some((by, (_, amount))), None) = (wide.next(), wide.next()) else { return };
        let mut rest = worth.clone();
        rest.abroad.remove(by);
        let Some(rest) = self.values(&rest).and_then(hull) else { return };
        let left = Span { low: told - rest.high - slack, high: told - rest.low + slack };
        let by_told = left.times(&(whole(1) / amount));
        let known = self.rates.get(by).cloned().flatten().unwrap_or_else(|| vec![by_told.clone()]);
        let agreeing: Vec<Span> = known.iter().filter_map(|rate| rate.meet(&by_told)).collect();
        self.rates.insert(by.clone(), Some(if agreeing.is_empty() { known } else { agreeing }));
    }
}

/// The smallest that holds all.
fn hull(spans: Vec<Span>) -> Option<Span> {
    spans.into_iter().reduce(Span::hull)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::story::v;

    fn euro(place: usize, amount: i128) -> Worth {
        Worth::abroad(Turned::Entry(place), v("EUR"), whole(amount))
    }

    #[test]
    fn a_published_amount_tells_the_one_rate_that_is_not_known() {
        let mut turns = Turns::default();
        turns.learn(Turned::Entry(1), Some(vec![Span::of(ratio(11, 1)), Span::of(ratio(12, 1))]));
        let mut worth = euro(1, 10);
        worth.add(&Worth::of(whole(5)), 1);
        assert_eq!(turns.values(&worth), Some(vec![Span::of(whole(16)), Span::of(whole(17))]));
        assert!(turns.differs("income", &whole(17), &worth, &zero()).is_none());
        assert_eq!(turns.differs("income", &ratio(165, 1), &worth, &zero()).unwrap(), "income 16.5, the model 16 to 17");
        turns.narrow(&worth, &whole(17), &zero());
        assert_eq!(turns.values(&euro(1, 2)), Some(vec![Span::of(ratio(24, 1))]));
        // What is taken back goes at the rate at which it came.
        worth.add(&euro(1, 10), -1);
        assert_eq!(turns.values(&worth), Some(vec![Span::of(whole(5))]));
    }

    #[test]
    fn of_two_that_are_not_known_none_is_told() {
        let mut turns = Turns::default();
        let mut both = euro(1, 10);
        both.add(&euro(2, 10), 1);
        assert!(turns.is_open(&both) && turns.differs("income", &whole(1), &both, &zero()).is_none());
        turns.narrow(&both, &whole(22), &zero());
        assert!(turns.is_open(&both));
        turns.narrow(&euro(1, 10), &whole(11), &zero());
        turns.narrow(&both, &whole(22), &zero());
        assert_eq!(turns.values(&euro(2, 1)), Some(vec![Span::of(ratio(11, 1))]));
    }
}
