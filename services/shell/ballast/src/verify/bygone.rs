//! What retention has deleted, and what `--genesis` has left behind: the books that hang on it cannot be told any
//! more. They are left out of the checks, and a note says from where on the checks hold. It judges nothing.

use super::history::History;
use super::lanes::{Lane, Lanes};
use super::seen::{KEEPER, REBALANCER, Stamp};
use domain::Topic;

/// Inputs without which a book cannot be computed again.
const BOOKED: [Topic; 2] = [Topic::Fills, Topic::Cash];

/// Takes out what cannot be judged; the notes that say so.
pub(super) fn leave_out(history: &mut History, lanes: &Lanes) -> Vec<String> {
    let mut notes = Vec::new();
    for ((role, number), lane) in lanes.iter() {
        notes.extend(progress_note(role, *number, lane));
        if *role == KEEPER {
            notes.extend(without_books(history, *number, lane));
        }
    }
    forget_lives(history, lanes);
    notes
}

fn progress_note(role: &str, number: i32, lane: &Lane) -> Option<String> {
    let first = lane.begun.iter().copied().find(|step| !lane.is_bygone(*step));
    match (lane.life(), first) {
        (0, Some(1)) => None,
        (0, Some(first)) => {
            Some(format!("I4, I5, I7, I9: {role} lane {number} has progress from step {first} on: earlier steps are not checked"))
        }
        (0, None) => Some(format!("I4, I5, I7, I9: {role} lane {number} has no progress any more: its steps are not checked")),
        (life, _) => {
            Some(format!("{role} lane {number} began anew at step {life} (--genesis): what an earlier life of it wrote is not checked"))
        }
    }
}

/// Books of a lane whose inputs or ledger do not begin where its present life began.
fn without_books(history: &mut History, number: i32, lane: &Lane) -> Option<String> {
    let cut = |topic: &&Topic| history.start(**topic, number) > lane.reads_from(**topic, number);
    let input = BOOKED.iter().find(cut).copied();
    let ledger = (history.start(Topic::Ledger, number) > 0 && lane.life() == 0).then_some(Topic::Ledger);
    let gone = input.or(ledger)?;
    history.fills.retain(|seen| seen.place.partition != number);
    history.cash.retain(|seen| seen.place.partition != number);
    history.ledgers.retain(|seen| seen.place.partition != number);
    history.snapshots.retain(|seen| seen.place.partition != number);
    Some(format!(
        "I1, I2, I3: {gone}/{number} is kept from offset {} on only: the books of this lane are not recomputable",
        history.start(gone, number)
    ))
}

/// What an earlier life wrote of books and cycles, the present one writes again.
fn forget_lives(history: &mut History, lanes: &Lanes) {
    let lives = |stamp: Option<Stamp>| {
        let lane = stamp.and_then(|stamp| Some((stamp, lanes.get(stamp.role, stamp.lane)?)));
        lane.is_none_or(|(stamp, lane)| stamp.step >= lane.life())
    };
    history.ledgers.retain(|seen| lives(seen.stamp));
    history.snapshots.retain(|seen| lives(seen.stamp));
    history.letters.retain(|seen| lives(seen.stamp));
    let of = |stamp: Option<Stamp>, role: &str| stamp.is_some_and(|stamp| stamp.role == role);
    history.events.retain(|seen| !of(seen.stamp, REBALANCER) || lives(seen.stamp));
    history.waves.retain(|seen| !of(seen.stamp, REBALANCER) || lives(seen.stamp));
}
