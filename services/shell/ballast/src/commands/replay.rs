//! `ballast replay`: the whole core on JSON lines.

use crate::cli::ReplayArgs;
use crate::config::Config;
use crate::print::{self, counted};
use crate::replay::{Options, Verdict, replay};
use std::fs::File;
use std::io::{BufReader, ErrorKind, stdin};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// File or standard input to standard output.
pub fn run(config: &Config, args: &ReplayArgs) -> anyhow::Result<ExitCode> {
    let options =
        Options { window: args.window, only: args.only.clone(), last: args.last, strict: args.strict, settings: config.core.clone() };
    let mut output = print::Lines::open();
    let ended = match &args.file {
        Some(path) => replay(opened(path)?, &mut output, &options)?,
        None => replay(stdin().lock(), &mut output, &options)?,
    };
    ended.unseen.first.iter().for_each(|refused| print::aside(format_args!("{refused}")));
    if ended.unseen.more > 0 {
        print::aside(format_args!("{} more were refused: print them with --only <topic>.dlq", ended.unseen.more));
    }
    ended.held.iter().for_each(|held| print::aside(format_args!("{held}")));
    if ended.known > 0 {
        print::aside(format_args!(
            "{} {} known already, by id or by action, and changed nothing",
            counted(ended.known, "record"),
            if ended.known == 1 { "was" } else { "were" }
        ));
    }
    if ended.waiting > 0 {
        print::aside(format_args!(
            "{} still waiting for a policy, an instrument, a rate or an execution that never came (health.waiting)",
            counted(ended.waiting as u64, "record")
        ));
    }
    Ok(match ended.verdict {
        Verdict::Applied => ExitCode::SUCCESS,
        Verdict::SomeDeadLettered | Verdict::SomeWait => ExitCode::from(3),
    })
}

/// A file that was named cannot be read: an argument that is of no use.
#[derive(Debug, thiserror::Error)]
#[error("opening {}: {why}", path.display())]
pub struct UnusableFile {
    path: PathBuf,
    why: String,
}

/// A file of lines, for reading.
pub(super) fn opened(path: &Path) -> Result<BufReader<File>, UnusableFile> {
    let unusable = |why: String| UnusableFile { path: path.to_owned(), why };
    if path.is_dir() {
        return Err(unusable("it is a directory; name a file of JSON lines".to_owned()));
    }
    File::open(path).map(BufReader::new).map_err(|error| match error.kind() {
        ErrorKind::NotFound => unusable("there is no such file; without a name, standard input is read".to_owned()),
        _ => unusable(error.to_string()),
    })
}
