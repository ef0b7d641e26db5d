//! Amounts that were booked, and what of them a closed day contains. Closes are asked about in the order of their steps, so
//! that each amount is taken in once, and a close costs what was dated after its day and no more. It judges nothing.

use super::exact::{Exact, zero};
use super::positions::read_to;
use domain::portfolio_close::PortfolioClose;
use domain::{Date, Timestamp, Topic};
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

/// By what an amount belongs to a day.
#[derive(Debug, Clone, Copy)]
pub(super) enum On {
    /// A date, up to the day's.
    Day(Date),
    /// A moment, before the day's cut.
    Moment(Timestamp),
}

/// One amount of something.
#[derive(Debug, Clone)]
pub(super) struct Dated<K> {
    /// The step that booked it.
    pub(super) step: i64,
    /// The record that it is of.
    pub(super) cause: (Topic, i32, i64),
    pub(super) on: On,
    pub(super) of: K,
    pub(super) amount: Exact,
}

impl<K> Dated<K> {
    /// Whether a close that was made in its own step contains it.
    fn is_in(&self, close: &PortfolioClose) -> bool {
        let (topic, partition, offset) = self.cause;
        let dated = match self.on {
            On::Day(day) => day <= close.date,
            On::Moment(moment) => close.cut_at.is_some_and(|cut| moment < cut),
        };
        dated && offset < read_to(&close.input_offsets, topic, partition)
    }
}

/// A sum, and of how many amounts.
#[derive(Debug, Clone)]
pub(super) struct Sum {
    pub(super) amount: Exact,
    pub(super) count: i128,
}

type Sums<K> = BTreeMap<K, Sum>;

fn add<K: Ord + Clone>(sums: &mut Sums<K>, of: &K, (amount, count): (&Exact, i128)) {
    let sum = sums.entry(of.clone()).or_insert_with(|| Sum { amount: zero(), count: 0 });
    sum.amount += amount;
    sum.count += count;
}

/// Sums of all, and of each date.
#[derive(Debug)]
struct ByDate<D, K> {
    all: Sums<K>,
    dates: BTreeMap<D, Sums<K>>,
}

impl<D: Ord, K: Ord + Clone> ByDate<D, K> {
    fn none() -> Self {
        Self { all: Sums::new(), dates: BTreeMap::new() }
    }
    fn take(&mut self, date: D, of: &K, amount: &Exact) {
        add(&mut self.all, of, (amount, 1));
        add(self.dates.entry(date).or_default(), of, (amount, 1));
    }
    /// Adds the sums of all that is not dated later.
    fn put(&self, sums: &mut Sums<K>, later: impl RangeBounds<D>) {
        self.all.iter().for_each(|(of, sum)| add(sums, of, (&sum.amount, sum.count)));
        for (of, sum) in self.dates.range(later).flat_map(|(_, sums)| sums) {
            add(sums, of, (&-&sum.amount, -sum.count));
        }
    }
}

/// The amounts of one portfolio.
#[derive(Debug)]
pub(super) struct Running<K> {
    /// By step.
    amounts: Vec<Dated<K>>,
    taken: usize,
    days: ByDate<Date, K>,
    moments: ByDate<Timestamp, K>,
}

impl<K: Ord + Clone> Running<K> {
    /// None of these is taken in yet.
    pub(super) fn of(mut amounts: Vec<Dated<K>>) -> Self {
        amounts.sort_by_key(|amount| amount.step);
        Self { amounts, taken: 0, days: ByDate::none(), moments: ByDate::none() }
    }

    /// Sums of what a close contains that a step has made; no later step has been asked about.
    pub(super) fn by(&mut self, close: &PortfolioClose, step: i64) -> Sums<K> {
        while let Some(Dated { on, of, amount, .. }) = self.amounts.get(self.taken).filter(|amount| amount.step < step) {
            match on {
                On::Day(day) => self.days.take(*day, of, amount),
                On::Moment(moment) => self.moments.take(*moment, of, amount),
            }
            self.taken += 1;
        }
        let mut sums = Sums::new();
        self.days.put(&mut sums, (Bound::Excluded(close.date), Bound::Unbounded));
        if let Some(cut) = close.cut_at {
            self.moments.put(&mut sums, cut..);
        }
        let own = self.amounts[self.taken..].iter().take_while(|amount| amount.step == step);
        own.filter(|amount| amount.is_in(close)).for_each(|Dated { of, amount, .. }| add(&mut sums, of, (amount, 1)));
        sums.retain(|_, sum| sum.count > 0);
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::exact::whole;
    use crate::verify::story::v;
    use domain::snapshot::InputOffset;

    fn close(date: &str, read: i64) -> PortfolioClose {
        let cut = format!("{date}T22:00:00Z");
        let close = format!(
            r#"{{"portfolio_id":"P","date":"{date}","version":1,"equity":"0","net_external_flow":"0","positions":[],"cash":[],"complete":true,"incomplete_reason":null,"provisional":false,"restates":null,"cut_at":"{cut}"}}"#
        );
        let close: PortfolioClose = serde_json::from_str(&close).unwrap();
        PortfolioClose { input_offsets: vec![InputOffset { topic: Topic::Fills, partition: 0, offset: read }], ..close }
    }

    #[test]
    fn a_day_contains_what_is_dated_by_then_and_was_booked() {
        let amount = |step, offset, on, amount| Dated { step, cause: (Topic::Fills, 0, offset), on, of: "USD", amount: whole(amount) };
        let day = |date: &str| On::Day(v(date));
        let mut running = Running::of(vec![
            amount(3, 3, day("2026-01-05"), 1000),
            amount(1, 0, day("2026-01-05"), 1),
            amount(1, 1, day("2026-01-07"), 10),
            amount(2, 2, On::Moment(v("2026-01-06T21:59:59Z")), 100),
            amount(3, 4, day("2026-01-06"), 10_000),
            amount(4, 5, On::Moment(v("2026-01-06T22:00:00Z")), 100_000),
        ]);
        let mut sum = |date, read, step| running.by(&close(date, read), step).remove("USD").map(|sum| (sum.amount, sum.count));
        assert_eq!(sum("2026-01-04", 9, 1), None);
        assert_eq!(sum("2026-01-05", 1, 1), Some((whole(1), 1)), "its own step had read so far");
        assert_eq!(sum("2026-01-06", 2, 2), Some((whole(1), 1)));
        assert_eq!(sum("2026-01-06", 4, 3), Some((whole(1101), 3)));
        assert_eq!(sum("2026-01-05", 5, 3), Some((whole(1001), 2)), "an earlier day is closed again");
        assert_eq!(sum("2026-01-06", 9, 9), Some((whole(11_101), 4)));
        assert_eq!(sum("2026-01-07", 9, 9), Some((whole(111_111), 6)));
    }
}
