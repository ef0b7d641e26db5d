//! The simulator of whole clusters: every role and lane, several processes, one thread and one seed. The real engine,
//! workers and commit policy run on a log and a store in memory that fail as brokers and databases do; whoever
//! dies does so at any effect. See `decisions/0050`.

mod brokers;
mod chance;
mod checker;
mod client;
mod coverage;
mod faults;
mod inputs;
mod lane;
mod market;
mod membership;
mod people;
mod play;
mod publisher;
mod reading;
mod router;
mod scenario;
mod stage;
mod store;
mod world;

use play::{Script, play};

#[test]
fn one_seed() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let many: u64 = std::env::var("SEEDS").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut all = coverage::Coverage::default();
    let started = std::time::Instant::now();
    let mut bad = 0;
    for seed in seed..seed + many {
        let outcome = play(&Script { seed, told: many == 1, ..Script::default() });
        all.add(&outcome.coverage);
        if many == 1 {
            outcome.tale.iter().for_each(|line| println!("{line}"));
            println!("{} moments, digest {:x}", outcome.moments, outcome.digest);
        }
        if !outcome.wrongs.is_empty() {
            bad += 1;
            println!("seed {seed}: {:?}", outcome.wrongs.iter().take(2).collect::<Vec<_>>());
        }
    }
    println!("{all}\n{bad} bad of {many} in {:?}", started.elapsed());
}
