//! `ballast replay`: the whole core on JSON lines.

use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::print;
use crate::replay::{Options, Verdict, replay};
use std::io::stdin;
use std::process::ExitCode;

/// Standard input to standard output.
pub fn run(config: &Config, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let options =
        Options { window: args.window, only: args.only.clone(), last: args.last, strict: args.strict, settings: config.core.clone() };
    let mut output = print::Lines::open();
    let ended = replay(stdin().lock(), &mut output, &options)?;
    ended.held.iter().for_each(|held| print::aside(format_args!("{held}")));
    if ended.waiting > 0 {
        print::aside(format_args!(
            "{} records still wait for a policy, an instrument, a rate or an execution that never came (health.waiting)",
            ended.waiting
        ));
    }
    Ok(match ended.verdict {
        Verdict::Applied => ExitCode::SUCCESS,
        Verdict::SomeDeadLettered | Verdict::SomeWait => ExitCode::from(3),
    })
}
