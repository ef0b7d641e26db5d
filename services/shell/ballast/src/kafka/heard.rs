//! What a lane's producer says, as the worker hears it. It judges what may pass; it waits for nothing.

use crate::worker::ports::{Outcome, PortError};
use kafka_log::{CommitError, Outcome as Heard, ProbeError};

/// How a commit ended; `None` while it goes on.
pub fn outcome_of(heard: Heard) -> Option<Outcome> {
    match heard {
        Heard::Confirmed { sequence, took, recycled, .. } => {
            Some(Outcome::Confirmed { step: i64::try_from(sequence).unwrap_or(i64::MAX), took, recycled })
        }
        Heard::Fenced { .. } => Some(Outcome::Fenced),
        Heard::Failed { error, .. } => Some(Outcome::Failed(port_error(error))),
        Heard::Troubled { .. } | Heard::Ready { .. } => None,
    }
}

/// How a take-over ended; `None` while it goes on.
pub fn taken_over(heard: Heard) -> Option<Result<(), PortError>> {
    match heard {
        Heard::Ready { .. } => Some(Ok(())),
        Heard::Fenced { .. } => Some(Err(PortError::later("another process took the lane over at the same time".to_owned()))),
        Heard::Failed { error, .. } => Some(Err(port_error(error))),
        Heard::Troubled { .. } | Heard::Confirmed { .. } => None,
    }
}

/// A record that can never be written, or a progress that makes no sense, stays so; all else may pass.
fn port_error(error: CommitError) -> PortError {
    match &error {
        CommitError::Refused { passes: false, .. } | CommitError::Settings(_) | CommitError::Probe(ProbeError::Nonsense(_)) => {
            PortError::of(error)
        }
        _ => PortError::later(error),
    }
}
