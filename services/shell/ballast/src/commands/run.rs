//! `ballast run`: roles in this process, until told to stop.

use crate::cli::{RoleName, RunArgs};
use crate::config::Config;
use crate::lanes::{self, World};
use crate::stop::Stop;
use crate::topic_layout::specs;
use crate::{conflate, project};
use kafka_log::Topics;
use paper_router::PaperRouter;
use position_keeper::PositionKeeper;
use postgres_store::Store;
use rebalancer::Rebalancer;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;
use telemetry::{Identity, Telemetry};
use tokio::signal::unix::{SignalKind, signal};

/// Starts the roles and waits for SIGTERM or SIGINT.
pub fn run(mut config: Config, args: &RunArgs) -> anyhow::Result<ExitCode> {
    if let Some(instance) = &args.instance {
        config.instance.clone_from(instance);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let roles = wanted(&args.roles);
    let telemetry = runtime.block_on(Telemetry::start(&config.telemetry, &identity(&config, &roles)))?;
    check_surroundings(&config, &runtime, &roles)?;
    let world = Arc::new(World {
        store: runtime.block_on(async { Store::new(&config.postgres) })?,
        runtime: runtime.handle().clone(),
        metrics: telemetry.metrics(),
        health: telemetry.health(),
        genesis: args.genesis,
        schemas: config.schemas.load()?,
        config,
    });
    let stop = Stop::default();
    let threads: Vec<_> = roles.iter().map(|role| start(*role, &world, &stop)).collect::<Result<_, _>>()?;
    runtime.block_on(until_signalled(&stop))?;
    stop.ask();
    let mut failed = false;
    for (role, thread) in roles.iter().zip(threads) {
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                failed = true;
                tracing::error!(?role, error = format!("{error:#}"), "the role has ended");
            }
            Err(_) => failed = true,
        }
    }
    runtime.block_on(telemetry.shutdown());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn wanted(asked: &[RoleName]) -> BTreeSet<RoleName> {
    if asked.contains(&RoleName::All) {
        return [RoleName::Conflator, RoleName::PositionKeeper, RoleName::Rebalancer, RoleName::PaperRouter, RoleName::Projector].into();
    }
    asked.iter().copied().collect()
}

fn identity(config: &Config, roles: &BTreeSet<RoleName>) -> Identity {
    let names: Vec<_> = roles.iter().map(|role| format!("{role:?}")).collect();
    Identity { role: names.join("+"), instance: config.instance.clone(), deployment: config.kafka.deployment.clone() }
}

/// What must be there before a role may start, each with what to do when it is not.
fn check_surroundings(config: &Config, runtime: &tokio::runtime::Runtime, roles: &BTreeSet<RoleName>) -> anyhow::Result<()> {
    let differences = Topics::open(&config.kafka)?.check(&specs(config))?;
    let structural: Vec<_> = differences.iter().filter(|d| matches!(d.what.as_str(), "topic" | "partitions")).collect();
    for difference in differences.iter().filter(|d| !structural.contains(d)) {
        tracing::warn!(%difference, "a topic differs from what it should be");
    }
    if let Some(first) = structural.first() {
        anyhow::bail!(
            "the topics do not fit: {first} ({} such differences): run `ballast topics create`, or set `lanes` to what they have",
            structural.len()
        );
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

fn start(role: RoleName, world: &Arc<World>, stop: &Stop) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    let (world, stop) = (world.clone(), stop.clone());
    let thread = std::thread::Builder::new().name(format!("{role:?}"));
    Ok(thread.spawn(move || {
        let ended = match role {
            RoleName::Conflator => conflate::run(&world.config, &stop),
            RoleName::PositionKeeper => lanes::run::<PositionKeeper>(&world, PositionKeeper::default, &stop),
            RoleName::Rebalancer => lanes::run::<Rebalancer>(&world, Rebalancer::default, &stop),
            RoleName::PaperRouter => lanes::run::<PaperRouter>(&world, PaperRouter::default, &stop),
            RoleName::Projector => project::run(&world, &stop),
            RoleName::All => Ok(()),
        };
        // One role's end is the process's: whoever runs it starts it again.
        stop.ask();
        ended
    })?)
}

async fn until_signalled(stop: &Stop) -> std::io::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut look = tokio::time::interval(std::time::Duration::from_millis(100));
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
            _ = look.tick() => if stop.asked() { return Ok(()) },
        }
    }
}
