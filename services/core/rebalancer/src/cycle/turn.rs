//! One portfolio's turn in a window's decisions: who it is, which halts bind it, and where its wishes go.

use crate::commands::halt::Halts;
use domain::{Output, PortfolioId, Timestamp};
use engine::Context;

/// A portfolio's turn.
pub struct Turn<'a, 'c> {
    /// Whose turn it is.
    pub portfolio: &'a PortfolioId,
    /// Halts in force.
    pub halts: &'a Halts,
    /// The step.
    pub cx: &'a mut Context<'c>,
}

impl Turn<'_, '_> {
    /// The window's clock.
    pub fn now(&self) -> Timestamp {
        self.cx.now
    }
    /// Seconds from a cancel request to STUCK.
    pub fn cancel_seconds(&self) -> i64 {
        self.cx.settings.cancel_seconds
    }
    /// Publishes a record with this step.
    pub fn emit(&mut self, output: Output) {
        self.cx.emit(output);
    }
}
