//! The journeys on a whole cluster in memory: every day equals the oracle, every rule of the rebalanced
//! portfolio holds, and whoever is killed when, the topics hold the same bytes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use ballast::journeys::{self, Day, Observed, balanced, traded};
use ballast::memory::cluster::{Cluster, ClusterSettings, Death, Member};
use domain::enums::RebalanceStatus;
use engine::Settings;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data")
}

fn cluster() -> Cluster {
    Cluster::new(ClusterSettings {
        core: Settings { snapshot_interval_ms: 0, ..Settings::default() },
        checkpoint_ms: 2,
        ..ClusterSettings::default()
    })
}

/// Publishes a day, lets it be digested, and checks it.
fn live(cluster: &mut Cluster, observed: &mut Observed, day: &Day) {
    for dated in &day.inputs {
        cluster.publish(&dated.input, dated.time).unwrap();
    }
    cluster.run_until_quiet().unwrap();
    for (topic, partition, record) in cluster.news() {
        observed.take(&topic, partition, &record);
    }
    observed.check(day).unwrap();
}

#[test]
fn the_traded_book_equals_the_oracle_on_every_day() {
    let days = traded::days(&data()).unwrap();
    let (mut cluster, mut observed) = (cluster(), Observed::new());
    days.iter().for_each(|day| live(&mut cluster, &mut observed, day));
    assert_eq!(days.iter().filter(|day| day.oracle.is_some()).count(), 1506);
    assert_eq!(observed.counts(), (9367 + 1, 0), "every execution and the deposit are booked once");
}

#[test]
fn the_balanced_portfolio_stays_in_its_bands_and_out_of_debt() {
    let days = balanced::days(&data()).unwrap();
    let (mut cluster, mut observed) = (cluster(), Observed::new());
    days.iter().for_each(|day| live(&mut cluster, &mut observed, day));
    assert_eq!(days.len(), 2015 + 1);
    let completed = observed.events(RebalanceStatus::Completed);
    assert!(completed >= 10, "only {completed} cycles were completed in eight years");
    assert_eq!(observed.open_orders(balanced::PORTFOLIO), 0);
    assert_eq!(observed.orders().count() as u64, observed.counts().1, "every order is filled in one piece");
}

/// A small generator of test choices; the seed is printed by whoever fails.
struct Choices(u64);

impl Choices {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
    fn death(&mut self) -> Option<Death> {
        match self.below(3) {
            0 => None,
            1 => Some(Death::Unsent),
            _ => Some(Death::Unheard),
        }
    }
    fn strike(&mut self, cluster: &mut Cluster, torn: bool) {
        let members = [Member::Conflator, Member::PositionKeeper, Member::Rebalancer, Member::PaperRouter];
        let member = members[usize::try_from(self.below(4)).unwrap()];
        let portfolio = if self.below(2) == 0 { traded::PORTFOLIO } else { balanced::PORTFOLIO };
        let lane = cluster.lane_of(portfolio);
        let commits = u32::try_from(self.below(3)).unwrap();
        match self.death() {
            _ if torn => cluster.doom(member, lane, commits, Death::Torn(usize::try_from(self.below(3)).unwrap())),
            Some(death) => cluster.doom(member, lane, commits, death),
            None => cluster.kill(member, lane),
        }
    }
}

/// What lies on every topic, by partition: keys, values and headers.
type Bytes = BTreeMap<(String, i32), Vec<(Option<Vec<u8>>, Option<Vec<u8>>, Vec<u8>)>>;

fn everything(cluster: &Cluster) -> Bytes {
    let headers =
        |record: &ballast::stored::StoredRecord| record.headers.iter().flat_map(|h| [h.name.as_bytes(), &h.value].concat()).collect();
    let log = cluster.log();
    let records = |name: &str, partition| {
        log.read(name, partition, 0).into_iter().map(|record| (record.key.clone(), record.value.clone(), headers(&record))).collect()
    };
    log.places().into_iter().map(|(name, partition)| ((name.to_string(), partition), records(&name, partition))).collect()
}

/// The first days in which both portfolios are at work.
fn some_days(count: usize) -> Vec<Day> {
    let mut days = journeys::both(&data()).unwrap();
    let start = days.iter().position(|day| day.portfolios.contains(&balanced::PORTFOLIO)).unwrap();
    let opening = days.remove(0);
    let mut some: Vec<_> = days.drain(start - 1..).take(count).collect();
    // The book starts in the middle of its record, so that only its rules hold, not its oracle.
    some.iter_mut().for_each(|day| day.oracle = None);
    some.insert(0, opening);
    some
}

fn lived(days: &[Day], seed: Option<u64>, torn: bool) -> (Cluster, Observed) {
    let (mut cluster, mut observed) = (cluster(), Observed::new());
    let mut choices = Choices(seed.unwrap_or(1));
    for (index, day) in days.iter().enumerate() {
        if seed.is_some() && index > 1 && choices.below(2) == 0 {
            choices.strike(&mut cluster, torn);
        }
        live(&mut cluster, &mut observed, day);
    }
    (cluster, observed)
}

#[test]
fn kills_leave_no_trace_in_any_topic() {
    let days = some_days(150);
    let (calm, _) = lived(&days, None, false);
    let expected = everything(&calm);
    assert!(calm.recoveries().is_empty());
    for seed in 1..=8_u64 {
        let seed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (struck, _) = lived(&days, Some(seed), false);
        assert!(struck.recoveries().len() > 20, "seed {seed:#x} killed too few");
        let found = everything(&struck);
        for (place, records) in &expected {
            let other = found.get(place).unwrap_or_else(|| panic!("seed {seed:#x}: {place:?} is empty"));
            let first = records.iter().zip(other).position(|(a, b)| a != b);
            assert!(first.is_none() && records.len() == other.len(), "seed {seed:#x}: {place:?} differs at record {first:?}");
        }
        assert_eq!(expected.len(), found.len(), "seed {seed:#x}: there is more than without kills");
    }
}

#[test]
fn torn_commits_are_executed_again_and_count_once() {
    let days = some_days(150);
    let (_, calm) = lived(&days, None, false);
    for seed in 1..=4_u64 {
        let (struck, observed) = lived(&days, Some(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), true);
        assert!(struck.recoveries().iter().any(|(.., recovery)| recovery.dangling), "seed {seed}: no step was torn");
        assert_eq!(observed.counts(), calm.counts(), "seed {seed}");
        let books =
            |observed: &Observed| observed.snapshots().map(|s| (s.portfolio_id.clone(), s.total_value, s.version)).collect::<Vec<_>>();
        assert_eq!(books(&observed), books(&calm), "seed {seed}");
    }
}
