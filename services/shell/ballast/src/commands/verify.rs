//! `ballast verify`: reads every topic from its beginning, as far as it is kept, and checks the invariants, one lane
//! after another. I7 is checked by the engine, which replays the steps; all others by a model that shares no code with it.

pub mod replayed;
mod share;

use crate::avro::AvroCodec;
use crate::checkpoints::PostgresCheckpoints;
use crate::cli::VerifyArgs;
use crate::config::Config;
use crate::print;
use crate::verify::{Check, Checkpoint, Given, Homes, Report, verify};
use crate::worker::ports::Checkpoints;
use crate::worker::recovery::{LaneHalt, Target};
use anyhow::Context as _;
use avro_codec::SchemaStore;
use engine::Role;
use paper_router::PaperRouter;
use performance_tracker::PerformanceTracker;
use position_keeper::PositionKeeper;
use postgres_store::Store;
use rebalancer::Rebalancer;
use replayed::{Replayed, replayed};
use share::Share;
use std::process::ExitCode;

/// Prints the table; exit status 1 when a check failed.
pub fn run(config: &Config, args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let report = report(config, args)?;
    print::last(report.to_string().trim_end())?;
    Ok(ExitCode::from(report.exit_status()))
}

/// Reads everything and checks it.
pub fn report(config: &Config, args: &VerifyArgs) -> anyhow::Result<Report> {
    // Checkpoints first: what they hold is in the topics by then.
    let kept = if args.without_postgres { None } else { Some(Kept::open(config)?) };
    let checkpoints = kept.as_ref().map(Kept::list).transpose()?;
    let mut share = Share::open(config)?;
    let schemas = config.schemas.load()?;
    let (mut report, mut homes) = (Report::default(), Homes::default());
    for lane in 0..config.lanes {
        share.turn_to(lane)?;
        homes.take(lane, share.keys());
        let checkpoints = checkpoints.as_ref().map(|all| all.iter().filter(|kept| kept.lane == lane).cloned().collect());
        let given = Given { checkpoints, compacted: args.compacted, schemas: schemas.clone(), starts: share.starts() };
        report.join(verify(share.seen(), &given));
        let replay = Replay { share: &share, kept: kept.as_ref(), schemas: &schemas, lane, lanes: config.lanes };
        report.join(replay.run());
    }
    report.add(homes.check());
    // Every lane has seen the frames; they were read once.
    report.counts = share.counts;
    Ok(report)
}

/// The checkpoints of the deployment.
struct Kept {
    store: Store,
    runtime: tokio::runtime::Runtime,
    deployment: String,
}

impl Kept {
    fn open(config: &Config) -> anyhow::Result<Self> {
        // With a thread of its own: checkpoints are loaded through its handle.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let store = runtime.block_on(async { Store::new(&config.postgres) })?;
        Ok(Self { store, runtime, deployment: config.kafka.deployment.clone() })
    }
    fn list(&self) -> anyhow::Result<Vec<Checkpoint>> {
        let listed = self.runtime.block_on(self.store.list(&self.deployment));
        let listed = listed.context("the checkpoints cannot be listed (--without-postgres leaves them out)")?;
        let checkpoint = |info: &postgres_store::checkpoints::CheckpointInfo| {
            let (lane, step) = (i32::try_from(info.lane.lane)?, i64::try_from(info.step)?);
            anyhow::Ok(Checkpoint { role: info.lane.role.clone(), lane, step })
        };
        listed.iter().map(checkpoint).collect()
    }
    fn of(&self, role: &str, lane: i32, lanes: i32) -> PostgresCheckpoints {
        let handle = self.runtime.handle().clone();
        PostgresCheckpoints::new(self.store.clone(), handle, &self.deployment, role, lane.unsigned_abs(), lanes.unsigned_abs())
    }
}

/// The replay of a lane, for I7.
struct Replay<'a> {
    share: &'a Share,
    kept: Option<&'a Kept>,
    schemas: &'a SchemaStore,
    lane: i32,
    lanes: i32,
}

impl Replay<'_> {
    fn run(&self) -> Report {
        let (mut report, mut check) = (Report::default(), Check::new("I7", "every step replays to the digest in its DONE"));
        self.role::<PositionKeeper>(&mut check, &mut report.notes);
        self.role::<Rebalancer>(&mut check, &mut report.notes);
        self.role::<PaperRouter>(&mut check, &mut report.notes);
        self.role::<PerformanceTracker>(&mut check, &mut report.notes);
        report.add(check);
        report
    }
    fn role<R: Role + Default>(&self, check: &mut Check, notes: &mut Vec<String>) {
        let lane = self.lane;
        match self.outcome::<R>() {
            Ok(Replayed { steps, left }) => {
                check.checked += steps;
                notes.extend(left.map(|left| format!("I7: {} lane {lane}: {left}", R::NAME)));
            }
            Err(halt) => check.that(false, || format!("{} lane {lane}: {halt}", R::NAME)),
        }
    }
    fn outcome<R: Role + Default>(&self) -> Result<Replayed, LaneHalt> {
        let target = Target { lane: self.lane, lanes: self.lanes, genesis: false };
        let mut kept = self.kept.map(|kept| kept.of(R::NAME, self.lane, self.lanes));
        let kept = kept.as_mut().map(|kept| kept as &mut dyn Checkpoints);
        replayed::<R>(target, &mut AvroCodec::replaying(self.schemas.clone()), &mut self.share.past(R::PROGRESS), kept)
    }
}
