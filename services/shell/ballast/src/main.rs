//! The executable: reads the command line and the configuration, and starts what was asked for.

use ballast::advice::advice;
use ballast::cli::{Cli, Command, ConfigCommand, TopicsCommand, overrides};
use ballast::commands::metrics::UnusableInput;
use ballast::commands::replay::UnusableFile;
use ballast::replay::ReplayError;
use ballast::{config, print};
use clap::Parser;
use domain::enums::CommandKind;
use std::process::ExitCode;

/// Every allocation is mimalloc's, those of the client library too: linked, it stands in for `malloc`, which the standard
/// library's allocator calls. This use keeps it linked.
#[used]
static ALLOCATOR: unsafe extern "C" fn(usize) -> *mut std::ffi::c_void = libmimalloc_sys::mi_malloc;

fn main() -> ExitCode {
    let mut cli = Cli::parse();
    cli.overrides = overrides(std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()));
    match act(&cli) {
        Ok(code) => code,
        // Who prints for others ends with them.
        Err(error) if print::reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print::aside(format_args!("ballast: {}", print::causes(&error)));
            if let Some(advice) = advice(&error, &cli.command) {
                print::aside(advice);
            }
            ExitCode::from(status_of(&error, &cli.command))
        }
    }
}

/// 2 for what was asked, and where `verify` could not judge: 1 is its word for a broken invariant. 3 for a wrong line where
/// the first one ends a replay, 1 for all else.
fn status_of(error: &anyhow::Error, command: &Command) -> u8 {
    let unusable = error.is::<config::ConfigError>() || error.is::<UnusableFile>() || error.is::<UnusableInput>();
    if unusable || matches!(command, Command::Verify(_)) {
        return 2;
    }
    if matches!(error.downcast_ref(), Some(ReplayError::WrongLine { .. })) { 3 } else { 1 }
}

fn act(cli: &Cli) -> anyhow::Result<ExitCode> {
    let config = config::load(cli.config.as_deref(), &cli.overrides)?;
    match &cli.command {
        Command::Demo(args) => ballast::commands::demo::run(&config, &cli.overrides, args),
        Command::Run(args) => ballast::commands::run::run(config, args),
        Command::Replay(args) => ballast::commands::replay::run(&config, args),
        Command::Publish(args) => ballast::commands::publish::run(&config, args),
        Command::Portfolio(args) => ballast::commands::portfolio::run(&config, args),
        Command::Rebalance(args) => ballast::commands::rebalance::run(&config, args),
        Command::Approve(args) => ballast::commands::decide::run(&config, CommandKind::Approve, args),
        Command::Reject(args) => ballast::commands::decide::run(&config, CommandKind::Reject, args),
        Command::Cancel(args) => ballast::commands::decide::run(&config, CommandKind::Cancel, args),
        Command::Halt(args) => ballast::commands::halt::run(&config, CommandKind::Halt, args),
        Command::Resume(args) => ballast::commands::halt::run(&config, CommandKind::Resume, args),
        Command::Halts(args) => ballast::commands::halts::run(&config, args),
        Command::Rebalances(args) => ballast::commands::rebalances::run(&config, args),
        Command::Performance(args) => ballast::commands::performance::run(&config, args),
        Command::Topics(TopicsCommand::Create) => ballast::commands::topics::create(&config),
        Command::Topics(TopicsCommand::Check) => ballast::commands::topics::check(&config),
        Command::Topics(TopicsCommand::Tail(args)) => ballast::commands::tail::run(&config, args),
        Command::Shadow(args) => ballast::commands::shadow::run(&config, args),
        Command::Verify(args) => ballast::commands::verify::run(&config, args),
        Command::Metrics(args) => ballast::commands::metrics::run(args),
        Command::Migrate => ballast::commands::migrate::run(&config),
        Command::Config(ConfigCommand::Check) => ballast::commands::config_check::run(cli.config.as_deref(), &cli.overrides),
    }
}
