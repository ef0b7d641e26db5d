//! Mistakes that a worker's ports could make, planted in the ports of a play: the simulator must find each of them
//! within a few seeds, or it proves nothing. Mistakes of the engine's own rules are patches in `planted/`.

use crate::play::{Script, play};

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// DONE is sent with BEGIN, before the outputs.
    DoneBeforeOutputs,
    /// Outputs are sent before BEGIN.
    OutputsBeforeBegin,
    /// A step counts as confirmed when it is handed over.
    ConfirmedWhenSubmitted,
    /// A failed commit counts as done.
    FailureIsSuccess,
    /// A producer is kept after a slow commit and a lost connection.
    NeverRecycled,
    /// A failed commit is aborted, and its step sent again by the same producer.
    AbortedAndReused,
    /// A BEGIN without its DONE is not executed again.
    DanglingForgotten,
    /// A checkpoint leaves out an entity that has changed.
    CheckpointForgets,
    /// A lane begins to read one record too late.
    ReadsOneTooLate,
    /// Progress is read from one record too late.
    ProgressCut,
}

/// Every mistake, with the seeds within which it must be found.
pub const ALL: [(Planted, u64); 10] = [
    (Planted::DoneBeforeOutputs, 300),
    (Planted::OutputsBeforeBegin, 400),
    (Planted::ConfirmedWhenSubmitted, 100),
    (Planted::FailureIsSuccess, 200),
    (Planted::NeverRecycled, 1500),
    (Planted::AbortedAndReused, 2500),
    (Planted::DanglingForgotten, 400),
    (Planted::CheckpointForgets, 200),
    (Planted::ReadsOneTooLate, 50),
    (Planted::ProgressCut, 200),
];

/// The first seed that finds a mistake, and what it says: of those that go well without it.
pub fn found(planted: Planted, seeds: u64) -> Option<(u64, String)> {
    (1..=seeds).find_map(|seed| {
        let script = Script { seed, planted: Some(planted), harsh: true, ..Script::default() };
        let outcome = play(&script);
        let wrong = outcome.wrongs.first()?;
        let sound = play(&Script { planted: None, ..script }).wrongs.is_empty();
        sound.then(|| (seed, wrong.chars().take(150).collect()))
    })
}
