//! The projector: outputs become SQL rows, with the offsets that they came from in the same transaction.
//!
//! Promises: what was read is in SQL or is read again; a record that no row can hold is named, counted
//! and passed by. It decides nothing, nothing waits for it, and it may lag. While Postgres or Kafka is
//! away it waits; offsets that are no longer in a log are never skipped: it waits for the operator.

mod closings;
mod cursors;
mod life;
mod places;
mod repeats;
mod rows;
mod trouble;

use crate::lanes::World;
use crate::stop::Stop;
use life::{Caution, Life};
use std::sync::Arc;
use trouble::Trouble;

/// Runs until told to stop: one life after another, each from the offsets stored in Postgres.
pub fn run(world: &Arc<World>, stop: &Stop) -> anyhow::Result<()> {
    let condition = world.health.condition("projector");
    let mut caution = Caution::default();
    let mut said = String::new();
    while !stop.asked() {
        let Err(trouble) = one_life(world, &condition, &mut caution, stop) else { break };
        let text = trouble.to_string();
        condition.set_not_ready(text.clone());
        if text == said {
            tracing::debug!(error = text, "the projector still waits");
        } else {
            say(&trouble, &text);
            said = text;
        }
        stop.wait(trouble.pause());
    }
    Ok(())
}

fn one_life(world: &Arc<World>, condition: &telemetry::Condition, caution: &mut Caution, stop: &Stop) -> Result<(), Trouble> {
    let mut life = Life::start(world, condition)?;
    while !stop.asked() {
        life.turn(caution, stop)?;
    }
    Ok(())
}

fn say(trouble: &Trouble, text: &str) {
    if trouble.passes() {
        tracing::warn!(error = text, "the projector starts again from its stored offsets");
    } else {
        tracing::error!(error = text, "the projector is halted and looks again from time to time");
    }
}
