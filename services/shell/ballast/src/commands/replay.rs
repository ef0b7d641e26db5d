//! `ballast replay`: the whole core on JSON lines.

use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::replay::{Options, Verdict, replay};
use std::io::{BufWriter, stdin, stdout};
use std::process::ExitCode;

/// Standard input to standard output.
pub fn run(config: &Config, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let options =
        Options { window: args.window, only: args.only.clone(), last: args.last, strict: args.strict, settings: config.core.clone() };
    let mut output = BufWriter::new(stdout().lock());
    let ended = replay(stdin().lock(), &mut output, &options)?;
    ended.held.iter().for_each(|held| eprintln!("{held}"));
    if ended.waiting > 0 {
        eprintln!(
            "{} records still wait for a policy, an instrument, a rate or an execution that never came (health.waiting)",
            ended.waiting
        );
    }
    Ok(match ended.verdict {
        Verdict::Applied => ExitCode::SUCCESS,
        Verdict::SomeDeadLettered | Verdict::SomeWait => ExitCode::from(3),
    })
}
