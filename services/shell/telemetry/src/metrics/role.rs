//! What a role tells that is not of one lane.

use std::sync::Arc;

use super::cell::{Counter, Gauge};
use super::families::Families;

/// The metrics of a role that are not of one lane.
#[derive(Debug, Clone)]
pub struct RoleMetrics {
    families: Arc<Families>,
    role: String,
}

/// What a conflator tells of its frames.
#[derive(Debug, Clone)]
pub struct FrameMetrics {
    /// Frames written.
    pub frames: Arc<Counter>,
    /// Ticks folded into frames.
    pub ticks_conflated: Arc<Counter>,
    /// Ticks with a price that is not above zero.
    pub ticks_held_back: Arc<Counter>,
    /// Ticks for each changed price of the last frame.
    pub tick_frame_ratio: Arc<Gauge>,
}

impl FrameMetrics {
    pub(super) fn new(families: &Arc<Families>, role: &str) -> Self {
        FrameMetrics {
            frames: families.frames.with([role]),
            ticks_conflated: families.ticks_conflated.with([role]),
            ticks_held_back: families.ticks_held_back.with([role]),
            tick_frame_ratio: families.tick_frame_ratio.with([role]),
        }
    }
}

impl RoleMetrics {
    pub(super) fn new(families: &Arc<Families>, role: &str) -> Self {
        RoleMetrics { families: Arc::clone(families), role: role.to_owned() }
    }

    /// Records read from a topic. Keep the handle on hot paths.
    #[must_use]
    pub fn records_in(&self, topic: &str) -> Arc<Counter> {
        self.families.records_in.with([&self.role, topic])
    }

    /// Records written to a topic.
    #[must_use]
    pub fn outputs(&self, topic: &str) -> Arc<Counter> {
        self.families.outputs.with([&self.role, topic])
    }

    /// Repeats in a topic.
    #[must_use]
    pub fn duplicates(&self, topic: &str) -> Arc<Counter> {
        self.families.duplicates.with([&self.role, topic])
    }

    /// Dead letters of a code. Give codes of the closed list only: each makes a series.
    #[must_use]
    pub fn dead_letters(&self, code: &str) -> Arc<Counter> {
        self.families.dead_letters.with([&self.role, code])
    }

    /// Lanes that the role has in the whole deployment.
    #[must_use]
    pub fn lanes(&self) -> Arc<Gauge> {
        self.families.lanes.with([&self.role])
    }

    /// Lanes that the group has `assigned`, `revoked`, or that were `lost`.
    #[must_use]
    pub fn group_changes(&self, change: &str) -> Arc<Counter> {
        self.families.group_changes.with([&self.role, change])
    }

    /// 1 while this process does the work that one process of the role does, else 0.
    #[must_use]
    pub fn post_held(&self) -> Arc<Gauge> {
        self.families.post_held.with([&self.role])
    }
}
