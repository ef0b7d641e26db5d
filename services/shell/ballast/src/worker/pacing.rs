//! When a lane closes a step and when it writes a checkpoint: numbers and the rules on them.

use super::backlog::Standing;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How windows run, by which clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Clock {
    /// The machine's clock.
    #[default]
    Wall,
    /// The greatest event time of the records: history at any speed.
    Event,
}

/// The pace of a lane. None of it changes what a window computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pacing {
    /// Clock of the windows.
    pub clock: Clock,
    /// Longest wait for records, in milliseconds: windows are at most this far apart.
    pub window_ms: u64,
    /// Most records of a window.
    pub window_records: usize,
    /// Least milliseconds between the commits of steps with outputs.
    pub commit_ms: u64,
    /// The interval grows to so many milliseconds while commits take long: one costs its broker the same
    /// whatever it holds, so a busy one is asked less often.
    pub busy_commit_ms: u64,
    /// Milliseconds after which a step without outputs is committed.
    pub idle_commit_ms: u64,
    /// Most windows of a step.
    pub step_windows: usize,
    /// Milliseconds between checkpoints.
    pub checkpoint_ms: u64,
    /// A lane is behind while it has not read an input to its end and what it read of it last is older than
    /// this many milliseconds.
    pub behind_ms: i64,
    /// Unsaved steps at which a lane stops reading until a checkpoint is kept.
    pub max_replay_steps: i64,
    /// Milliseconds without a step after which a lane makes one although nothing came, so that its progress
    /// topic always holds its last step: far below that topic's retention. In event time it makes none.
    pub sign_of_life_ms: i64,
}

/// A commit may take one part in so many of a lane's time.
const COMMIT_SHARE: u32 = 4;

impl Default for Pacing {
    fn default() -> Self {
        Self {
            clock: Clock::Wall,
            window_ms: 10,
            window_records: 20_000,
            commit_ms: 25,
            busy_commit_ms: 100,
            idle_commit_ms: 1000,
            step_windows: 500,
            checkpoint_ms: 10_000,
            behind_ms: 5000,
            max_replay_steps: 200_000,
            sign_of_life_ms: 86_400_000,
        }
    }
}

/// What the open step looks like.
#[derive(Debug, Clone, Copy)]
pub struct OpenStep {
    /// Windows so far.
    pub windows: usize,
    /// Whether it would publish something.
    pub outputs: bool,
    /// Whether a record of it is as large as it may be.
    pub full: bool,
    /// Since its first window.
    pub age: Duration,
    /// How long the last commit took.
    pub last_commit: Duration,
}

impl Pacing {
    /// Whether the open step is due for its commit; `in_flight` steps are not yet confirmed.
    pub fn commit_due(&self, step: &OpenStep, in_flight: usize) -> bool {
        if step.windows == 0 || in_flight > 0 {
            return false;
        }
        let aged = |ms: u64| step.age >= Duration::from_millis(ms);
        let interval = self.commit_interval(step.last_commit);
        step.full || step.windows >= self.step_windows || aged(self.idle_commit_ms) || (step.outputs && step.age >= interval)
    }
    /// Commits take a quarter of a lane's time at most, up to the busy interval.
    fn commit_interval(&self, last_commit: Duration) -> Duration {
        let busy = Duration::from_millis(self.busy_commit_ms);
        last_commit.saturating_mul(COMMIT_SHARE).min(busy).max(Duration::from_millis(self.commit_ms))
    }
    /// Whether nothing that leaves the house may be decided: an input was not read far enough at `clock`.
    /// In event time history is what is wanted, and no lane is behind.
    pub fn is_behind(&self, standing: Standing, clock: Timestamp) -> bool {
        match standing {
            Standing::AtEnd => false,
            _ if self.clock == Clock::Event => false,
            Standing::ReadTo(appended) => clock.since(appended) > self.behind_ms.saturating_mul(1000),
            Standing::Unread => true,
        }
    }
    /// Whether the lane must wait for its commit before it reads on.
    pub fn must_wait(&self, step: &OpenStep, in_flight: usize) -> bool {
        in_flight > 0 && (step.full || step.windows >= self.step_windows)
    }
    /// Whether the lane must keep a checkpoint before it reads on; `unsaved` visible steps are in none.
    pub fn must_keep(&self, unsaved: i64) -> bool {
        unsaved >= self.max_replay_steps
    }
    /// Whether a lane whose last window ran at `last` must show that it lives.
    pub fn silent_too_long(&self, last: Timestamp, clock: Timestamp) -> bool {
        self.clock == Clock::Wall && clock.since(last) >= self.sign_of_life_ms.saturating_mul(1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_behind_past_the_bound_and_before_it_has_seen_anything() {
        let pacing = Pacing { behind_ms: 5000, ..Pacing::default() };
        let at = |millis: i64| Timestamp::from_micros(millis * 1000);
        assert!(!pacing.is_behind(Standing::AtEnd, at(0)));
        assert!(pacing.is_behind(Standing::Unread, at(0)));
        assert!(!pacing.is_behind(Standing::ReadTo(at(1000)), at(6000)));
        assert!(pacing.is_behind(Standing::ReadTo(at(1000)), at(6001)));
        let history = Pacing { clock: Clock::Event, ..pacing };
        assert!(!history.is_behind(Standing::Unread, at(0)) && !history.is_behind(Standing::ReadTo(at(0)), at(9_000_000)));
    }

    #[test]
    fn steps_with_outputs_leave_soon_and_idle_ones_late() {
        let pacing = Pacing::default();
        let last_commit = Duration::from_millis(6);
        let step = |outputs, ms| OpenStep { windows: 1, outputs, full: false, age: Duration::from_millis(ms), last_commit };
        assert!(!pacing.commit_due(&step(true, 24), 0));
        assert!(pacing.commit_due(&step(true, 25), 0));
        assert!(!pacing.commit_due(&step(true, 25), 1), "one commit at a time");
        assert!(!pacing.commit_due(&step(false, 999), 0));
        assert!(pacing.commit_due(&step(false, 1000), 0));
        let full = OpenStep { full: true, ..step(true, 0) };
        assert!(pacing.commit_due(&full, 0) && pacing.must_wait(&full, 1));
        assert!(!pacing.must_wait(&full, 0), "it is committed at once");
        assert!(pacing.must_keep(pacing.max_replay_steps) && !pacing.must_keep(pacing.max_replay_steps - 1));
    }

    #[test]
    fn a_busy_broker_is_asked_less_often() {
        let pacing = Pacing::default();
        let after = |commit, ms| {
            let (age, last_commit) = (Duration::from_millis(ms), Duration::from_millis(commit));
            pacing.commit_due(&OpenStep { windows: 1, outputs: true, full: false, age, last_commit }, 0)
        };
        assert!(after(5, 25), "commits of the usual length change nothing");
        assert!(!after(15, 59) && after(15, 60));
        assert!(!after(500, 99) && after(500, 100));
        let steady = Pacing { busy_commit_ms: 0, ..Pacing::default() };
        let step = OpenStep { windows: 1, outputs: true, full: false, age: Duration::from_millis(25), last_commit: Duration::from_secs(1) };
        assert!(steady.commit_due(&step, 0));
    }

    #[test]
    fn a_lane_shows_that_it_lives_by_the_machines_clock_only() {
        let pacing = Pacing::default();
        let at = |millis: i64| Timestamp::from_micros(millis * 1000);
        assert!(!pacing.silent_too_long(at(0), at(pacing.sign_of_life_ms - 1)));
        assert!(pacing.silent_too_long(at(0), at(pacing.sign_of_life_ms)));
        assert!(!Pacing { clock: Clock::Event, ..pacing.clone() }.silent_too_long(at(0), at(pacing.sign_of_life_ms)));
    }
}
