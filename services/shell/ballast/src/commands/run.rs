//! `ballast run`: roles in this process, until told to stop.

use crate::cli::{RoleName, RunArgs};
use crate::config::Config;
use crate::lanes::{self, World};
use crate::stop::Stop;
use crate::topic_layout::specs;
use crate::{conflate, project};
use domain::calendar::Calendar;
use kafka_log::Topics;
use paper_router::PaperRouter;
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use postgres_store::Store;
use rebalancer::Rebalancer;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use telemetry::{Identity, Telemetry};
use tokio::signal::unix::{SignalKind, signal};

/// How long roles may take to end once told to stop: with what follows, the process leaves within 5 s.
const LEAVE: Duration = Duration::from_millis(4500);
/// Days before the end of a trading calendar from which on a start says so.
const SOON_DAYS: i32 = 60;
/// How long the last spans and log lines may take after that.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Starts the roles and waits for SIGTERM or SIGINT.
pub fn run(mut config: Config, args: &RunArgs) -> anyhow::Result<ExitCode> {
    if let Some(instance) = &args.instance {
        config.rename(instance)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let roles = wanted(&args.roles);
    let telemetry = runtime.block_on(Telemetry::start(&config.telemetry, &identity(&config, &roles)))?;
    check_surroundings(&config, &runtime, &roles)?;
    if roles.contains(&RoleName::PositionKeeper) {
        tell_ending_calendars();
    }
    let world = Arc::new(World {
        store: runtime.block_on(async { Store::new(&config.postgres) })?,
        runtime: runtime.handle().clone(),
        metrics: named(&telemetry),
        health: telemetry.health(),
        genesis: args.genesis,
        schemas: config.schemas.load()?,
        config,
    });
    let stop = Stop::default();
    let threads: Vec<_> = roles.iter().map(|role| start(*role, &world, &stop)).collect::<Result<_, _>>()?;
    let reason = runtime.block_on(until_signalled(&stop))?;
    stop.ask();
    let told = Instant::now();
    tracing::info!(reason, "told to stop: every role finishes its step and leaves");
    let deadline = Instant::now() + LEAVE;
    let mut failed = false;
    for (role, thread) in roles.iter().zip(threads) {
        failed |= !ended_well(*role, thread, deadline);
    }
    tracing::info!(took = ?told.elapsed(), failed, "left");
    let left = deadline.saturating_duration_since(Instant::now()) + LAST_WORDS;
    // A collector that does not answer keeps nobody.
    let _ = runtime.block_on(async { tokio::time::timeout(left, telemetry.shutdown()).await });
    // A role that still waits for a server would fail on a runtime that goes: it ends with the process.
    std::mem::forget(runtime);
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Waits for a role's thread until the deadline; whether it ended without an error. One that has not
/// ended by then ends with the process: its lanes are recovered, and frames are made again.
fn ended_well(role: RoleName, thread: JoinHandle<anyhow::Result<()>>, deadline: Instant) -> bool {
    while !thread.is_finished() {
        if Instant::now() >= deadline {
            tracing::warn!(?role, limit = ?LEAVE, "the role has not ended in time and ends with the process; nothing is lost: it goes on from the logs");
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    match thread.join() {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(?role, error = format!("{error:#}"), "the role has ended");
            false
        }
        Err(_) => {
            tracing::error!(?role, "the role's thread has panicked: it is a defect, report it with what stands on standard error");
            false
        }
    }
}

fn wanted(asked: &[RoleName]) -> BTreeSet<RoleName> {
    if asked.contains(&RoleName::All) {
        return [
            RoleName::Conflator,
            RoleName::PositionKeeper,
            RoleName::Rebalancer,
            RoleName::PaperRouter,
            RoleName::PerformanceTracker,
            RoleName::Projector,
        ]
        .into();
    }
    asked.iter().copied().collect()
}

fn named(telemetry: &Telemetry) -> telemetry::Metrics {
    let metrics = telemetry.metrics();
    metrics.name_build(env!("CARGO_PKG_VERSION"), engine::RULES_VERSION);
    metrics
}

fn identity(config: &Config, roles: &BTreeSet<RoleName>) -> Identity {
    let names: Vec<_> = roles.iter().map(|role| format!("{role:?}")).collect();
    Identity { role: names.join("+"), instance: config.instance.clone(), deployment: config.kafka.deployment.clone() }
}

/// What must be there before a role may start, each with what to do when it is not.
fn check_surroundings(config: &Config, runtime: &tokio::runtime::Runtime, roles: &BTreeSet<RoleName>) -> anyhow::Result<()> {
    let differences = Topics::open(&config.kafka)?.check(&specs(config))?;
    let (structural, others): (Vec<_>, Vec<_>) =
        differences.into_iter().partition(|difference| matches!(difference.what.as_str(), "topic" | "partitions"));
    for difference in &others {
        tracing::warn!(%difference, "a topic differs from what it should be");
    }
    if let Some(first) = structural.first() {
        anyhow::bail!("the topics do not fit: {first} ({} such differences): {}", structural.len(), super::topics::remedy(&structural));
    }
    if roles.iter().all(|role| *role == RoleName::Conflator) {
        return Ok(());
    }
    let checked = runtime.block_on(async { Store::new(&config.postgres)?.check().await });
    match checked {
        Err(error) if error.retry() == postgres_store::Retry::SameCall => {
            tracing::warn!(%error, "Postgres does not answer; lanes wait for it");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Says which calendars end soon: of what comes after, no build of this age knows holidays.
fn tell_ending_calendars() {
    let ending = Calendar::ending_by(crate::clock::now().date_utc().plus_days(SOON_DAYS));
    let calendars: Vec<_> = ending.map(|(calendar, last)| format!("{calendar} on {last}")).collect();
    if !calendars.is_empty() {
        let what = "trading calendars end soon: from then on their markets count as closed unless they report, and closes of portfolios that name them stay provisional; a newer build knows more, and who trades nothing there need do nothing";
        tracing::warn!(calendars = calendars.join(", "), "{what}");
    }
}

fn start(role: RoleName, world: &Arc<World>, stop: &Stop) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let (world, stop) = (world.clone(), stop.clone());
    let thread = std::thread::Builder::new().name(format!("{role:?}"));
    Ok(thread.spawn(move || {
        // One role's end is the process's, a panic's too: whoever runs it starts it again.
        let _ends = EndsProcess(stop.clone());
        match role {
            RoleName::Conflator => conflate::run(&world, &stop),
            RoleName::PositionKeeper => lanes::run::<PositionKeeper>(&world, PositionKeeper::default, &stop),
            RoleName::Rebalancer => lanes::run::<Rebalancer>(&world, Rebalancer::default, &stop),
            RoleName::PaperRouter => lanes::run::<PaperRouter>(&world, PaperRouter::default, &stop),
            RoleName::PerformanceTracker => lanes::run::<PerformanceTracker>(&world, PerformanceTracker::default, &stop),
            RoleName::Projector => project::run(&world, &stop),
            RoleName::All => Ok(()),
        }
    })?)
}

/// Asks the process to stop when it is dropped.
struct EndsProcess(Stop);

impl Drop for EndsProcess {
    fn drop(&mut self) {
        self.0.ask();
    }
}

/// What ended the wait.
async fn until_signalled(stop: &Stop) -> std::io::Result<&'static str> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut look = tokio::time::interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok("SIGTERM"),
            _ = interrupt.recv() => return Ok("SIGINT"),
            _ = look.tick() => if stop.asked() { return Ok("a role has ended") },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_the_wait_is_told() {
        let stop = Stop::default();
        stop.ask();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(until_signalled(&stop)).unwrap(), "a role has ended");
    }

    #[test]
    fn a_role_that_does_not_end_is_left_behind_at_the_deadline() {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let stuck = std::thread::spawn(move || {
            let _ = held.recv();
            Ok(())
        });
        let asked = Instant::now();
        assert!(ended_well(RoleName::Conflator, stuck, asked + Duration::from_millis(50)));
        assert!(asked.elapsed() < Duration::from_secs(2));
        drop(hold);
        assert!(!ended_well(RoleName::Projector, std::thread::spawn(|| anyhow::bail!("fenced")), asked + Duration::from_secs(60)));
    }
}
