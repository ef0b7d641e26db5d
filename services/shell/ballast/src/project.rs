//! The projector: outputs become SQL rows, with the offsets that they came from in the same transaction.
//!
//! Promises: what was read is in SQL or is read again; a record that no row can hold is named, counted
//! and passed by. It decides nothing, nothing waits for it, and it may lag. While Postgres or Kafka is
//! away it waits; offsets that are no longer in a log are never skipped: it waits for the operator. Of
//! several processes one writes and the others stand by; should two write for a moment, the stored
//! offsets let only one of them.

mod closings;
mod cursors;
mod life;
mod places;
mod repeats;
mod retention;
mod rows;
mod standing;
mod trouble;

use crate::lanes::{SILENCE, World};
use crate::post::Post;
use crate::stop::Stop;
use domain::Topic;
use kafka_log::TopicName;
use life::{Caution, Life};
use std::sync::Arc;
use std::time::Duration;
use telemetry::{Condition, Heartbeat};
use trouble::Trouble;

/// The role's name.
pub(crate) const NAME: &str = "projector";

/// Runs until told to stop: one life after another, each from the offsets stored in Postgres.
pub fn run(world: &Arc<World>, stop: &Stop) -> anyhow::Result<()> {
    let condition = world.health.condition(NAME);
    let heartbeat = Arc::new(world.health.heartbeat(NAME, SILENCE));
    // Any topic of one partition would do: the group is the projectors' own.
    let mut post =
        Post::queue_for(&world.config, NAME, [Topic::Frames, Topic::Snapshots].map(|topic| TopicName::from(topic.name())), &heartbeat)?;
    let mut caution = Caution::default();
    let mut said = String::new();
    let held = world.metrics.role(NAME).post_held();
    while !stop.asked() {
        heartbeat.beat();
        held.set_count(0);
        if !post.stand_by(&condition)? {
            continue;
        }
        held.set_count(1);
        let lived = one_life(world, Signs { condition: &condition, heartbeat: &heartbeat }, &mut post, &mut caution, stop);
        // Whoever holds the post shows how far behind the tables are.
        world.metrics.forget_projector_lag();
        let Err(trouble) = lived else { continue };
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

/// What the projector tells of itself.
#[derive(Clone, Copy)]
struct Signs<'a> {
    condition: &'a Condition,
    heartbeat: &'a Heartbeat,
}

/// Lives until told to stop, or until the post is another's.
fn one_life(world: &Arc<World>, signs: Signs<'_>, post: &mut Post, caution: &mut Caution, stop: &Stop) -> Result<(), Trouble> {
    // Finding its offsets may take as long as a server is away.
    signs.heartbeat.rest();
    let mut life = Life::start(world, signs)?;
    while !stop.asked() && post.is_held(Duration::ZERO).unwrap_or(false) {
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
