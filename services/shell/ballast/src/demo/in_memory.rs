//! The story without any server: the whole cluster in this thread, on the in-memory log.

use super::screen::{Screen, legend, rows, say};
use super::story::{self, Comeback};
use crate::journeys::{self, Day, Observed, balanced, traded};
use crate::memory::cluster::{Cluster, ClusterSettings, Death, Member, Recovery};
use crate::print::counted;
use engine::Settings;
use std::collections::BTreeMap;
use std::path::Path;

/// Days between the kills of the second half, which go on to the end.
const KILL_EVERY: usize = 100;

/// Runs both journeys and tells them.
pub fn run(data: &Path) -> anyhow::Result<()> {
    let days = journeys::both(data)?;
    say("Two portfolios on real data, in this process, without any server:");
    say(&format!("  {}: 9,367 published executions, long and short, against the published positions and cash", traded::PORTFOLIO));
    say(&format!("  {}: AAPL, GOOG, IBM, MSFT with targets and bands; orders are filled at the next close", balanced::PORTFOLIO));
    legend();
    // Days are the finest time there is here: every change may be published.
    let core = Settings { snapshot_interval_ms: 0, ..Settings::default() };
    let mut cluster = Cluster::new(ClusterSettings { core, ..ClusterSettings::default() });
    let mut observed = Observed::new();
    let mut screen = Screen::new(days.len());
    for (index, day) in days.iter().enumerate() {
        strike(&mut cluster, &mut screen, index, days.len(), day);
        live(&mut cluster, &mut observed, day)?;
        if screen.due(index + 1) {
            screen.show(index + 1, day.date, &rows(&observed, |_| 0));
        }
    }
    let took = screen.elapsed();
    story::portfolios(&observed);
    story::examples(&observed);
    story::comebacks(&comebacks(&cluster));
    story::counts(&observed, days.len(), days.iter().filter(|day| day.oracle.is_some()).count(), took);
    look_next();
    Ok(())
}

fn live(cluster: &mut Cluster, observed: &mut Observed, day: &Day) -> anyhow::Result<()> {
    for dated in &day.inputs {
        cluster.publish(&dated.input, dated.time)?;
    }
    cluster.run_until_quiet()?;
    for (topic, partition, record) in cluster.news() {
        observed.take(&topic, partition, &record);
    }
    Ok(observed.check(day)?)
}

/// In the middle both stateful services die, each in another way; from then on every hundred days again.
fn strike(cluster: &mut Cluster, screen: &mut Screen, index: usize, days: usize, day: &Day) {
    if index < days / 2 || !(index - days / 2).is_multiple_of(KILL_EVERY) {
        return;
    }
    let keeper = cluster.lane_of(traded::PORTFOLIO);
    let rebalancer = cluster.lane_of(balanced::PORTFOLIO);
    cluster.doom(Member::PositionKeeper, keeper, 0, Death::Unsent);
    cluster.kill(Member::Rebalancer, rebalancer);
    if index == days / 2 {
        screen.event(&format!(
            "{}: the position-keeper is killed while it commits, the rebalancer between two steps; both again every {KILL_EVERY} days",
            day.date
        ));
    }
}

/// Every recovery of a lane in one line.
fn comebacks(cluster: &Cluster) -> Vec<Comeback> {
    let mut lanes: BTreeMap<(Member, i32), Vec<Recovery>> = BTreeMap::new();
    for (member, lane, recovery) in cluster.recoveries() {
        lanes.entry((member, lane)).or_default().push(recovery);
    }
    let told = |((member, lane), recoveries): (&(Member, i32), &Vec<Recovery>)| Comeback {
        who: format!("{member:?}, lane {lane}"),
        took: recoveries.iter().map(|recovery| recovery.took).max().unwrap_or_default(),
        how: format!(
            "the longest of {} recoveries from a checkpoint; {} replayed in all, every digest equal",
            recoveries.len(),
            counted(recoveries.iter().map(|recovery| recovery.replayed).sum(), "step")
        ),
    };
    lanes.iter().map(told).collect()
}

fn look_next() {
    story::heading("Where to look next");
    say("  make demo              the same story on a real Kafka and a real Postgres, with real processes that are killed");
    say("  ballast replay --help  the whole core on lines of JSON: how to try a policy");
    say("  README.md              what it is, and how to connect");
}
