//! The story on real servers: topics made, every role a process of its own, the days published one after
//! another, and the two stateful services killed in the middle.

use super::digestion::source_of;
use super::ground;
use super::processes::Processes;
use super::publisher::InputPublisher;
use super::screen::{Screen, legend, rows, say};
use super::story::{self, Comeback};
use super::watcher::Watcher;
use crate::cli::VerifyArgs;
use crate::commands;
use crate::config::Config;
use crate::journeys::{self, Day, balanced, traded};
use crate::stop::Stop;
use crate::tables::Tables;
use anyhow::bail;
use domain::Topic;
use engine::Role;
use engine::partition::lane_of;
use position_keeper::PositionKeeper;
use rebalancer::Rebalancer;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a day may take before the demo gives up: a recovery included.
const PATIENCE: Duration = Duration::from_secs(60);
/// One look at the topics.
const LOOK: Duration = Duration::from_millis(20);
/// Between two looks at whether every process lives.
const ALIVE: Duration = Duration::from_millis(500);

/// What differs from the defaults: history at full speed instead of the machine's clock, commits as soon as a day's
/// records and their frame may have come.
const COMMON: [&str; 6] = [
    "pacing.clock=event",
    "pacing.commit_ms=8",
    "pacing.busy_commit_ms=0",
    "pacing.window_ms=10",
    "pacing.checkpoint_ms=2000",
    "core.snapshot_interval_ms=0",
];
/// Roles, with settings of their own: the rebalancer reads little, and says at once that it has read it; nobody waits for
/// the performance-tracker, which takes several days at once.
const ROLES: [(&str, &[&str]); 6] = [
    ("conflator", &[]),
    ("position-keeper", &[]),
    ("rebalancer", &["pacing.idle_commit_ms=0"]),
    ("paper-router", &[]),
    ("performance-tracker", &["pacing.window_ms=1000", "pacing.commit_ms=1000", "pacing.busy_commit_ms=1000"]),
    ("projector", &[]),
];

/// Runs both journeys and tells them. `given` are the settings of the command line, for the processes too.
pub fn run(config: &Config, given: &[String], data: &Path, logs: &Path, stop: &Stop) -> anyhow::Result<()> {
    let began = Instant::now();
    let days = journeys::both(data)?;
    say("Two portfolios on real data, on a real Kafka and a real Postgres:");
    say(&format!("  {}: 9,367 published executions, long and short, against the published positions and cash", traded::PORTFOLIO));
    say(&format!("  {}: AAPL, GOOG, IBM, MSFT with targets and bands; orders are filled at the next close", balanced::PORTFOLIO));
    ground::prepare(config)?;
    let mut demo = Demo::start(config, given, logs, days.len())?;
    say(&format!(
        "  topics, tables and {} processes are there after {} s; their logs: {}",
        ROLES.len(),
        began.elapsed().as_secs(),
        logs.display()
    ));
    legend();
    demo.live_all(&days, stop)?;
    let took = demo.screen.elapsed();
    demo.processes.finish(|role| role != crate::project::NAME);
    demo.store_all(stop)?;
    demo.processes.finish(|_| true);
    let observed = &demo.watcher.observed;
    story::portfolios(observed);
    story::examples(observed);
    story::comebacks(&demo.comebacks);
    story::counts(observed, days.len(), days.iter().filter(|day| day.oracle.is_some()).count(), took);
    let sound = verified(config)?;
    look_next(config);
    if sound { Ok(()) } else { bail!("an invariant is broken; see the table above") }
}

struct Demo<'a> {
    config: &'a Config,
    processes: Processes,
    publisher: InputPublisher,
    watcher: Watcher,
    screen: Screen,
    portfolios: [(&'static str, i32); 2],
    comebacks: Vec<Comeback>,
}

impl<'a> Demo<'a> {
    fn start(config: &'a Config, given: &[String], logs: &Path, days: usize) -> anyhow::Result<Self> {
        let common = given.iter().cloned().chain(COMMON.map(str::to_owned)).collect();
        let mut processes = Processes::new(logs, common)?;
        for (role, settings) in ROLES {
            processes.start(role, settings)?;
        }
        let portfolios = [traded::PORTFOLIO, balanced::PORTFOLIO].map(|name| (name, lane_of(name.as_bytes(), config.lanes)));
        let publisher = InputPublisher::open(config)?;
        let watcher = Watcher::open(config)?;
        Ok(Self { config, processes, publisher, watcher, screen: Screen::new(days), portfolios, comebacks: Vec::new() })
    }

    fn live_all(&mut self, days: &[Day], stop: &Stop) -> anyhow::Result<()> {
        let mut killed = false;
        for (index, day) in days.iter().enumerate() {
            self.publisher.send(&day.inputs, self.config, &mut self.watcher.digestion)?;
            // In the middle, once orders are open: their fills are on the way when both services die.
            if !killed && index >= days.len() / 2 && self.watcher.observed.open_orders(balanced::PORTFOLIO) > 0 {
                killed = true;
                self.kill(index, day, stop)?;
            }
            self.digest(index, day, stop)?;
            self.watcher.observed.check(day)?;
        }
        if !killed {
            bail!("no order was open on any day of the second half, so that nothing was killed: the demo has not shown what it tells");
        }
        Ok(())
    }

    /// Waits until the day is digested.
    fn digest(&mut self, index: usize, day: &Day, stop: &Stop) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut alive = Instant::now();
        // What is shown last is of every portfolio, also of one that the last day says nothing about.
        let last = self.screen.is_last(index + 1);
        while !(self.is_digested(day) && (!last || self.all_is_digested())) {
            self.look(stop)?;
            if alive.elapsed() > ALIVE {
                alive = Instant::now();
                self.processes.all_alive()?;
            }
            if started.elapsed() > PATIENCE {
                bail!("{} is not digested after {PATIENCE:?}: look into the logs of the processes", day.date);
            }
        }
        if self.screen.due(index + 1) {
            self.show(index, day);
        }
        Ok(())
    }

    /// Waits until the tables hold what the others have published before they ended.
    fn store_all(&mut self, stop: &Stop) -> anyhow::Result<()> {
        let (tables, started) = (Tables::open(self.config)?, Instant::now());
        let topics: Vec<&str> = Topic::ALL.iter().map(|topic| topic.name()).collect();
        loop {
            self.look(stop)?;
            let stored = tables.ask(|store| store.offsets(&topics))?;
            let end = |topic: &str, partition| self.watcher.digestion.end_of(topic, partition);
            if stored.iter().all(|stored| stored.next_offset >= end(&stored.topic, stored.partition)) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                bail!("the tables do not hold what was published after {PATIENCE:?}: look into the projector's log");
            }
        }
    }

    fn is_digested(&self, day: &Day) -> bool {
        let concerned: Vec<_> = self.portfolios.iter().copied().filter(|(name, _)| day.portfolios.contains(name)).collect();
        self.watcher.digestion.is_digested(&concerned, &self.watcher.observed)
    }

    fn all_is_digested(&self) -> bool {
        self.watcher.digestion.is_digested(&self.portfolios, &self.watcher.observed)
    }

    fn look(&mut self, stop: &Stop) -> anyhow::Result<()> {
        if stop.asked() {
            bail!("interrupted");
        }
        self.watcher.look(LOOK)
    }

    fn show(&mut self, index: usize, day: &Day) {
        let Watcher { digestion, observed, .. } = &self.watcher;
        let lag = |name: &str| {
            let lane = self.portfolios.iter().find(|(portfolio, _)| *portfolio == name).map_or(0, |(_, lane)| *lane);
            digestion.lag(lane, observed.open_orders(name))
        };
        self.screen.show(index + 1, day.date, &rows(observed, lag));
    }

    /// SIGKILL to both services while a day is on its way; how long until each has committed again.
    fn kill(&mut self, index: usize, day: &Day, stop: &Stop) -> anyhow::Result<()> {
        self.screen.event(&format!("{}: SIGKILL to the position-keeper and the rebalancer, while fills are on their way", day.date));
        let lane = self.portfolios[1].1;
        let killed = Instant::now();
        let roles = [PositionKeeper::NAME, Rebalancer::NAME];
        roles.iter().try_for_each(|role| self.processes.kill(role))?;
        // What the dead have committed is seen first: whatever comes later is their successors' work.
        self.look(stop)?;
        self.look(stop)?;
        let before = self.newest_steps(lane);
        roles.iter().try_for_each(|role| self.processes.restart(role))?;
        let mut back = [None, None];
        while back.contains(&None) && !self.is_digested(day) {
            self.look(stop)?;
            for (index, (now, before)) in self.newest_steps(lane).into_iter().zip(before).enumerate() {
                if now > before {
                    back[index].get_or_insert(killed.elapsed());
                }
            }
            if killed.elapsed() > PATIENCE {
                bail!("the services are not back {PATIENCE:?} after the kill: look into their logs");
            }
        }
        let digested = killed.elapsed();
        for (role, back) in roles.into_iter().zip(back) {
            let took = back.unwrap_or(digested);
            self.comebacks.push(Comeback { who: role.to_owned(), took, how: "from SIGKILL to its next committed step".to_owned() });
        }
        self.digest(index, day, stop)?;
        self.comebacks.push(Comeback {
            who: "both".to_owned(),
            took: killed.elapsed(),
            how: "until the day was digested by every role".to_owned(),
        });
        self.screen.event("  both are back, from their checkpoints and the recorded steps");
        Ok(())
    }

    fn newest_steps(&self, lane: i32) -> [i64; 2] {
        let newest = |source| self.watcher.digestion.newest_step(source);
        [newest(&source_of::<PositionKeeper>(lane)), newest(&source_of::<Rebalancer>(lane))]
    }
}

/// The invariants, recomputed from the topics.
fn verified(config: &Config) -> anyhow::Result<bool> {
    story::heading("ballast verify");
    let report = commands::verify::report(config, &VerifyArgs { without_postgres: false, compacted: true })?;
    say(report.to_string().trim_end());
    Ok(report.exit_status() == 0)
}

fn look_next(config: &Config) {
    story::heading("Where to look next");
    say(&format!(
        "  Kafka ({}) and Postgres run on until `make down`; for a shell: set -a; . .local/demo-stack/env; set +a; export PATH=\"$PWD/target/fast:$PATH\"",
        config.kafka.brokers
    ));
    say("  ballast topics tail rebalance.events.v1 --from-start --until-end   every plan with its reasons");
    say("  ballast topics tail portfolio.ledger.v1 --from-start --until-end   every booking");
    say(
        "  psql \"$BALLAST_POSTGRES_URL\" -c 'select portfolio_id, timestamp, type, status from portfolio_rebalances'   the same as tables",
    );
    say("  README.md                                                          what it is, and how to connect");
    say("  The orders of a live run depend on how ticks and fills came together: two runs differ in some; replay and --in-memory never do");
}
