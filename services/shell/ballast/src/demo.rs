//! `ballast demo`: both journeys told to a person, on real servers or in memory: what is published, what
//! the portfolios look like meanwhile, what a kill does, and why the orders were made.
//! It publishes and watches as any client would; nothing in the service knows that it is a demo.

mod digestion;
mod figures;
mod ground;
mod in_memory;
mod processes;
mod publisher;
mod screen;
mod servers;
mod story;
mod watcher;

pub use in_memory::run as in_memory;
pub use servers::run as on_servers;

use anyhow::bail;
use std::path::{Path, PathBuf};

/// The folder with the journeys' data: the one that was named, or `tests/data` in this folder or one above it.
pub fn data_folder(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let here = std::env::current_dir()?;
    let found = here.ancestors().map(|folder| folder.join("tests/data")).find(|data| data.join("stocks/daily.csv").is_file());
    match found {
        Some(data) => Ok(data),
        None => bail!(
            "there is no tests/data in {} or above it: run the demo inside the source, or name the folder with --data",
            here.display()
        ),
    }
}
