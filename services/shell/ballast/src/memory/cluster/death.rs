//! A publisher that can die at a commit, in each of the ways in which a process does.

use crate::memory::{MemoryLog, MemoryPublisher};
use crate::messages::step_messages;
use crate::worker::ports::{Outcome, PortError, Publisher};
use domain::Topic;
use engine::{Role, Step};
use std::time::Duration;

/// How a lane dies at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// Before the transaction is committed: nothing of the step is visible.
    Unsent,
    /// After it is committed, before the lane hears of it.
    Unheard,
    /// In a torn transaction: BEGIN and so many outputs are visible, DONE is not.
    Torn(usize),
}

/// A publisher on memory with an appointed end.
pub(super) struct MortalPublisher {
    inner: MemoryPublisher,
    log: MemoryLog,
    role: &'static str,
    progress: Topic,
    lane: i32,
    appointed: Option<(u32, Death)>,
    dead: bool,
}

impl MortalPublisher {
    pub(super) fn new<R: Role>(log: MemoryLog, lane: i32, appointed: Option<(u32, Death)>) -> Self {
        let inner = MemoryPublisher::new::<R>(log.clone(), lane);
        Self { inner, log, role: R::NAME, progress: R::PROGRESS, lane, appointed, dead: false }
    }
    pub(super) fn doom(&mut self, commits: u32, death: Death) {
        self.appointed = Some((commits, death));
    }
    pub(super) fn is_dead(&self) -> bool {
        self.dead
    }
}

impl Publisher for MortalPublisher {
    fn take_over(&mut self, let_go: &dyn Fn() -> bool) -> Result<(), PortError> {
        self.inner.take_over(let_go)
    }
    fn submit(&mut self, step: Step) -> Result<(), PortError> {
        match &mut self.appointed {
            None => return self.inner.submit(step),
            Some((commits, _)) if *commits > 0 => {
                *commits -= 1;
                return self.inner.submit(step);
            }
            Some((_, Death::Unsent)) => {}
            Some((_, Death::Unheard)) => self.inner.submit(step)?,
            Some((_, Death::Torn(outputs))) => {
                let messages = step_messages(self.role, self.progress, self.lane, step);
                self.log.commit(std::iter::once(messages.begin).chain(messages.outputs.into_iter().take(*outputs)));
            }
        }
        self.dead = true;
        Ok(())
    }
    fn outcome(&mut self, wait: Duration) -> Option<Outcome> {
        if self.dead { None } else { self.inner.outcome(wait) }
    }
    fn progress_end(&mut self) -> Result<i64, PortError> {
        self.inner.progress_end()
    }
}
