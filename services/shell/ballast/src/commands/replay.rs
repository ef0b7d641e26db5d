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
    Ok(match replay(stdin().lock(), &mut output, &options)? {
        Verdict::Applied => ExitCode::SUCCESS,
        Verdict::SomeDeadLettered => ExitCode::from(3),
    })
}
