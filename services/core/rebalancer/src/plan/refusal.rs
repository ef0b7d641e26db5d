//! Why there is no plan at all. Each refusal has a code, and a text that says what to do.

use domain::reason::ReasonCode;

/// A refusal of the whole plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Code.
    pub(crate) code: ReasonCode,
    /// The same in words, with what to do.
    pub(crate) text: String,
}

impl Refusal {
    /// A refusal of that code and text.
    pub(crate) fn new(code: ReasonCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
    /// Targets or rules that contradict each other.
    pub(crate) fn allocation(text: impl Into<String>) -> Self {
        Self::new(ReasonCode::InvalidAllocation, text)
    }
    /// A figure beyond every plausible bound.
    pub(crate) fn absurd(what: &str) -> Self {
        Self::new(
            ReasonCode::MetricAnomaly,
            format!("{what} is beyond every plausible bound: correct the price, quantity or rate behind it"),
        )
    }
}
