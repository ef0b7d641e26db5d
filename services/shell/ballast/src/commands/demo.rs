//! `ballast demo`: the whole story, on real servers or in memory.

use crate::cli::DemoArgs;
use crate::config::Config;
use crate::demo;
use crate::stop::Stop;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// Tells the story; `given` are the settings of the command line.
pub fn run(config: &Config, given: &[String], args: &DemoArgs) -> anyhow::Result<ExitCode> {
    let data = demo::data_folder(args.data.as_deref())?;
    if args.in_memory {
        demo::in_memory(&data)?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = Stop::default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let asked = stop.clone();
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    runtime.spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        asked.ask();
    });
    let logs = args.logs.clone().unwrap_or_else(|| match &args.stack {
        Some(stack) => stack.join("logs"),
        None => std::env::temp_dir().join("ballast-demo"),
    });
    demo::on_servers(config, given, &data, &logs, &stop)?;
    Ok(ExitCode::SUCCESS)
}
