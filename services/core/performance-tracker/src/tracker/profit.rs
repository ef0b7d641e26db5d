//! What a day has earned, and where: by strategy, sector, kind of instrument and hour. Every grouping adds up to the one
//! total; what no bucket holds (what rates did to cash, above all) is its residual.
//!
//! A line has earned value at the end − value at the beginning + proceeds of its bookings. Of that, realised profit,
//! fees and income are the ledger's, the rest is what its value did. What each strategy's holding was worth is the close's.

use crate::tracker::closed::{Closed, Mark};
use crate::tracker::deeds::{Deed, Deeds};
use crate::tracker::figures::exact;
use crate::tracker::market::{Market, NO_SECTOR};
use domain::enums::{Grouping, InstrumentType};
use domain::performance::{Attribution, AttributionBucket};
use domain::{Amount, InstrumentId, Money, SmolStr, StrategyId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The bucket of what is no instrument's.
const CASH: &str = "CASH";
/// The bucket of what is of no strategy.
const NAMELESS: &str = "NONE";

/// Buckets of a grouping, at most: names are free texts, and all that ever were stand in the records of all time.
pub const MOST_BUCKETS: usize = 4_096;

/// What one bucket has earned, in the base currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gain {
    realized: Amount,
    fees: Amount,
    income: Amount,
    unrealized: Amount,
}

impl Gain {
    /// What bookings realised; the rest of what was earned is what the value did.
    fn of(deed: &Deed, earned: Amount) -> Option<Self> {
        let Deed { realized, fees, income, .. } = *deed;
        let booked = realized.checked_sub(fees).ok()?.checked_add(income).ok()?;
        Some(Self { realized, fees, income, unrealized: earned.checked_sub(booked).ok()? })
    }
    fn add(&mut self, other: &Gain) {
        let sum = |own: Amount, other: Amount| own.checked_add(other).unwrap_or(own);
        self.realized = sum(self.realized, other.realized);
        self.fees = sum(self.fees, other.fees);
        self.income = sum(self.income, other.income);
        self.unrealized = sum(self.unrealized, other.unrealized);
    }
    fn published(&self, name: &SmolStr) -> AttributionBucket {
        let [realized_gross, fees, income, unrealized] = [self.realized, self.fees, self.income, self.unrealized].map(exact);
        let total = Money::from_units(realized_gross.units() - fees.units() + income.units() + unrealized.units());
        let name = name.clone();
        AttributionBucket { name, realized_gross, fees, income, unrealized, total, allocation: None, selection: None, interaction: None }
    }
}

/// What a time has earned: the total, and the buckets of each grouping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profit {
    total: Amount,
    groups: BTreeMap<Grouping, BTreeMap<SmolStr, Gain>>,
}

/// Groupings of profit, in the order of a record.
const GROUPINGS: [Grouping; 4] = [Grouping::Strategy, Grouping::Sector, Grouping::InstrumentType, Grouping::TimeOfDay];

impl Profit {
    /// Adds that of another time.
    pub fn add(&mut self, other: &Profit) {
        self.total = self.total.checked_add(other.total).unwrap_or(self.total);
        for (grouping, buckets) in &other.groups {
            buckets.iter().for_each(|(name, gain)| self.book(*grouping, name.clone(), gain));
        }
    }
    /// The total, as published.
    pub fn total(&self) -> Money {
        exact(self.total)
    }
    /// Every grouping, as published: total = Σ buckets + residual.
    pub fn published(&self) -> Vec<Attribution> {
        let total = self.total();
        let one = |grouping: Grouping| {
            let buckets = self.groups.get(&grouping).into_iter().flatten();
            let buckets: Vec<_> = buckets.map(|(name, gain)| gain.published(name)).collect();
            let in_buckets: i128 = buckets.iter().map(|bucket| bucket.total.units()).sum();
            Attribution { grouping, buckets, residual: Money::from_units(total.units() - in_buckets), total }
        };
        GROUPINGS.into_iter().map(one).collect()
    }
    /// What has one name too many is left to the residual.
    fn book(&mut self, grouping: Grouping, bucket: SmolStr, gain: &Gain) {
        let buckets = self.groups.entry(grouping).or_default();
        if buckets.len() < MOST_BUCKETS || buckets.contains_key(&bucket) {
            buckets.entry(bucket).or_default().add(gain);
        }
    }
}

/// A day between two closes.
pub struct Between<'a> {
    /// The close before it; `None` before the first.
    pub before: Option<&'a Closed>,
    /// Its own.
    pub after: &'a Closed,
    /// What was booked since the close before.
    pub deeds: &'a Deeds,
    /// Facts of instruments.
    pub market: &'a Market,
}

impl Between<'_> {
    /// What the day has earned.
    pub fn profit(&self) -> Profit {
        let before = self.before.map_or(0, |close| close.equity.units());
        let total = Money::from_units(self.after.equity.units() - before - self.after.flow.units());
        let mut profit = Profit { total: Amount::from(total), ..Profit::default() };
        let lines = self.instruments().map(Some).chain(self.deeds.lines.keys().map(Option::as_ref));
        let lines: BTreeSet<Option<&InstrumentId>> = lines.collect();
        for line in lines {
            self.line(line, &mut profit);
        }
        for (hour, deed) in &self.deeds.hours {
            let earned = deed.realized.checked_sub(deed.fees).and_then(|net| net.checked_add(deed.income));
            if let Some(gain) = earned.ok().and_then(|earned| Gain::of(deed, earned)) {
                let bucket = smol_str::format_smolstr!("{hour:02}:00-{:02}:00", hour + 1);
                profit.book(Grouping::TimeOfDay, bucket, &gain);
            }
        }
        profit
    }

    fn instruments(&self) -> impl Iterator<Item = &InstrumentId> {
        self.before.into_iter().chain([self.after]).flat_map(Closed::lines)
    }

    fn line(&self, line: Option<&InstrumentId>, profit: &mut Profit) {
        let none = Deed::default();
        let deed = self.deeds.lines.get(&line.cloned()).unwrap_or(&none);
        let (before, after) = (self.mark(self.before, line), self.mark(Some(self.after), line));
        let earned = Amount::from(after.value).checked_sub(before.value.into()).and_then(|change| change.checked_add(deed.proceeds));
        let Some(gain) = earned.ok().and_then(|earned| Gain::of(deed, earned)) else { return };
        if gain != Gain::default() {
            let (sector, kind) = match line {
                None => (SmolStr::new_static(CASH), InstrumentType::Cash.symbol()),
                Some(id) => (self.market.sector(id), self.market.facts(id).map_or(NO_SECTOR, |facts| facts.kind.symbol())),
            };
            profit.book(Grouping::Sector, sector, &gain);
            profit.book(Grouping::InstrumentType, SmolStr::new_static(kind), &gain);
        }
        self.strategies(line, (before, after), &gain, profit);
    }

    fn mark(&self, close: Option<&Closed>, line: Option<&InstrumentId>) -> Mark {
        close.and_then(|close| close.marks.get(line?)).copied().unwrap_or_default()
    }

    /// A line in which no strategies are told apart is nameless; of any other each strategy has what its own holding did.
    fn strategies(&self, line: Option<&InstrumentId>, marks: (Mark, Mark), whole: &Gain, profit: &mut Profit) {
        let before = self.before.map_or_else(|| Some(BTreeMap::new()), |close| close.by_strategy(line));
        let after = self.after.by_strategy(line);
        // What closes do not say is left to the residual.
        let (Some(before), Some(after)) = (before, after) else { return };
        let acted = self.deeds.strategies.range((line.cloned(), None)..).take_while(|(owner, _)| owner.0.as_ref() == line);
        let acted: BTreeMap<Option<&StrategyId>, &Deed> = acted.map(|((_, strategy), deed)| (strategy.as_ref(), deed)).collect();
        let owners: BTreeSet<Option<&StrategyId>> = before.keys().chain(after.keys()).chain(acted.keys()).copied().collect();
        let all = self.deeds.lines.get(&line.cloned());
        let nameless = |close: &BTreeMap<_, Money>| close.get(&None).copied().unwrap_or_default();
        let is_whole = acted.get(&None).map(|deed| deed.realized) == all.map(|deed| deed.realized)
            && (nameless(&before), nameless(&after)) == (marks.0.value, marks.1.value);
        if owners.iter().all(Option::is_none) && is_whole {
            if *whole != Gain::default() {
                profit.book(Grouping::Strategy, SmolStr::new_static(NAMELESS), whole);
            }
            return;
        }
        for strategy in owners {
            let deed = acted.get(&strategy).copied().copied().unwrap_or_default();
            let worth = |close: &BTreeMap<_, Money>| Amount::from(close.get(&strategy).copied().unwrap_or_default());
            let change = worth(&after).checked_sub(worth(&before));
            let earned = change.and_then(|change| change.checked_add(deed.proceeds));
            let gain = earned.ok().and_then(|earned| Gain::of(&deed, earned));
            if let Some(gain) = gain.filter(|gain| strategy.is_some() || *gain != Gain::default()) {
                let name = strategy.map_or(SmolStr::new_static(NAMELESS), |id| SmolStr::new(id.as_str()));
                profit.book(Grouping::Strategy, name, &gain);
            }
        }
    }
}
