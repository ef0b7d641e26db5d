//! The latch: a release by the service itself that met a limit on what may leave in a day or a minute is the last one
//! of its portfolio until a person resumes it. It cancels nothing, and a limit of one order does not set it.

use crate::cycle::{Desk, Turn};
use crate::plan::LimitMet;
use domain::{SmolStr, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Releases of a portfolio are off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latch {
    /// Which limit was met, with its numbers.
    pub met: SmolStr,
    /// Since when.
    pub since: Timestamp,
}

impl fmt::Display for Latch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { met, since } = self;
        write!(f, "releases of this portfolio are off since {since}: {met}; look at what was released, then RESUME it with scope PORTFOLIO")
    }
}

/// Turns releases off where a limit was met, and says so; `None` where none was.
pub fn shut(desk: &mut Desk, met: &[LimitMet], turn: &Turn<'_, '_>) -> Option<SmolStr> {
    if met.is_empty() {
        return None;
    }
    let limits: Vec<_> = met.iter().map(LimitMet::to_string).collect();
    let latch = Latch { met: SmolStr::new(limits.join(", and ")), since: turn.now() };
    let text = SmolStr::new(latch.to_string());
    desk.latch = Some(latch);
    Some(text)
}
