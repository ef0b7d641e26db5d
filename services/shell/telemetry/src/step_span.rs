//! The one span of a step.
//!
//! Promises: one span a step, linked to the sampled inputs that it folded; costs one level check
//! when nothing exports. Does not follow single records: a step folds thousands.

use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::Traceparent;

/// Most links of one span: the first inputs stand for the rest.
const MAX_LINKS: usize = 32;

/// What a step's span says.
#[derive(Debug, Clone, Copy)]
pub struct StepFacts<'f> {
    /// Role.
    pub role: &'f str,
    /// Lane.
    pub lane: u32,
    /// Number of the step.
    pub step: u64,
    /// Windows folded.
    pub windows: usize,
    /// Records folded.
    pub records: u64,
    /// Whether it is recomputed in recovery.
    pub replay: bool,
}

/// A span for a step, linked to its inputs' stories. Enter it, or keep it until the commit is done.
/// Record `outputs` (an `i64`) on it when they are known.
#[must_use]
pub fn step_span(facts: StepFacts<'_>, inputs: &[Traceparent]) -> Span {
    let span = tracing::info_span!(
        target: "ballast::step",
        "step",
        role = facts.role,
        lane = i64::from(facts.lane),
        step = signed(facts.step),
        windows = signed(facts.windows as u64),
        records = signed(facts.records),
        replay = facts.replay,
        outputs = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let sampled = inputs.iter().filter(|input| input.is_sampled());
        for input in sampled.take(MAX_LINKS) {
            span.add_link(input.span_context());
        }
    }
    span
}

/// OpenTelemetry has signed numbers alone, and would show others as text.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
