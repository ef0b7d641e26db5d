//! What a portfolio booked, in booking order, kept as long as a cancel, a correction or a reversal may name it.
//!
//! Bookings lie in chunks, each complete in itself: the first booking of a line in a chunk brings what the line held
//! before it, so that a line can be folded again from any chunk on. A booking that was taken back or corrected
//! keeps its place; what stands there now is written beside it. Chunks whose dates have all left the dedup
//! window go. It folds nothing itself.

use super::booking::Booking;
use super::holding::{Holding, Standing};
use super::kept::{self, Read};
use super::lines::Line;
use crate::prices::InstrumentIx;
use domain::Date;
use engine::ImageError;
use engine::image::{from_bytes, to_bytes};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Bookings in one chunk.
const CHUNK: u64 = 2048;

/// Where a booking stands: its number in the portfolio's booking order.
pub type Place = u64;

/// The number of a chunk, one above its place in time; zero stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChunkMark(u64);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Chunk {
    count: u64,
    newest: Date,
    bytes: Vec<u8>,
}

/// The part that changes little and is stored with its portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Changes {
    /// The number of the first chunk that is kept.
    first: u64,
    /// What stands in place of a booking now; `None` for one that was taken back.
    amended: BTreeMap<Place, Option<Booking>>,
    /// Holdings before the first booking of a line in its chunk, where they are no longer what they were.
    before: BTreeMap<Place, Holding>,
    /// The newest date of what was let go.
    gone: Option<Date>,
}

/// The bookings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    chunks: VecDeque<Chunk>,
    dirty: BTreeSet<u64>,
    /// The chunk that is known to be dirty.
    marked: Option<u64>,
}

/// A booking of a line as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its place.
    pub place: Place,
    /// What its line held before it, where it is the first of its line in its chunk.
    pub before: Option<Holding>,
    /// What stands there; `None` after a cancel.
    pub booking: Option<Booking>,
}

impl History {
    fn next(&self, changes: &Changes) -> Place {
        let full = self.chunks.len().saturating_sub(1) as u64;
        (changes.first + full) * CHUNK + self.chunks.back().map_or(0, |chunk| chunk.count)
    }

    /// Keeps a booking. `line` is its line as it stands before it, where it has one, and `unsplit` what it held where
    /// that is not what it was booked onto.
    pub fn push(&mut self, changes: &Changes, line: Option<&mut Line>, unsplit: Option<Standing<'_>>, booking: &Booking) -> Place {
        if self.chunks.back().is_none_or(|chunk| chunk.count == CHUNK) {
            self.chunks.push_back(Chunk { count: 0, newest: booking.date(), bytes: Vec::new() });
        }
        let place = self.next(changes);
        let number = place / CHUNK;
        let mark = ChunkMark(number + 1);
        let first = line.filter(|line| line.booked_in != mark).map(|line| {
            line.booked_in = mark;
            unsplit.unwrap_or_else(|| line.standing())
        });
        if self.marked.replace(number) != Some(number) {
            self.dirty.insert(number);
        }
        let chunk = self.chunks.back_mut().expect("a chunk was made where there was none");
        kept::write(first, booking, &mut chunk.bytes);
        chunk.newest = chunk.newest.max(booking.date());
        chunk.count += 1;
        if chunk.count == CHUNK {
            chunk.bytes.shrink_to_fit();
        }
        place
    }

    /// How many bookings, of all lines, are read to fold a line again from a place on.
    pub fn reach(&self, changes: &Changes, place: Place) -> u64 {
        self.next(changes).saturating_sub(place / CHUNK * CHUNK)
    }

    /// Lets the chunks go whose dates lie before the window, but for the one that grows.
    pub fn forget_before(&mut self, changes: &mut Changes, oldest: Date) {
        while self.chunks.len() > 1 && self.chunks.front().is_some_and(|chunk| chunk.newest < oldest) {
            let newest = self.chunks.pop_front().map(|chunk| chunk.newest);
            changes.gone = changes.gone.max(newest);
            self.dirty.insert(changes.first);
            changes.first += 1;
            let kept = changes.first * CHUNK;
            changes.amended = changes.amended.split_off(&kept);
            changes.before = changes.before.split_off(&kept);
        }
    }

    /// What stands at a place; `None` when it was let go, `Some(None)` after a cancel.
    pub fn at(&self, changes: &Changes, place: Place) -> Option<Option<Booking>> {
        if let Some(amended) = changes.amended.get(&place) {
            return Some(amended.clone());
        }
        let chunk = self.chunks.get(usize::try_from((place / CHUNK).checked_sub(changes.first)?).ok()?)?;
        let read = Reading { bytes: &chunk.bytes }.nth(usize::try_from(place % CHUNK).ok()?)?;
        Some(Some(read.booking))
    }

    /// The bookings of a line from the chunk of a place on, in booking order.
    pub fn line_from<'a>(&'a self, changes: &'a Changes, place: Place, instrument: InstrumentIx) -> impl Iterator<Item = Kept> + 'a {
        self.lines_from(changes, place, move |line| line == Some(instrument)).map(|(_, kept)| kept)
    }

    /// The bookings of some lines, or of none, from the chunk of a place on, in booking order.
    pub fn lines_from<'a>(
        &'a self,
        changes: &'a Changes,
        place: Place,
        wanted: impl Fn(Option<InstrumentIx>) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = (Option<InstrumentIx>, Kept)> + 'a {
        let first = place / CHUNK;
        let skipped = usize::try_from(first.saturating_sub(changes.first)).unwrap_or(usize::MAX);
        let chunks = self.chunks.iter().enumerate().skip(skipped);
        chunks.flat_map(move |(nth, chunk)| {
            let start = (changes.first + nth as u64) * CHUNK;
            let reads = (start..).zip(Reading { bytes: &chunk.bytes });
            let lines = reads.map(|(place, read)| (read.booking.line(), place, read)).filter(move |(line, ..)| wanted(*line));
            lines.map(move |(line, place, read)| {
                let before = read.before.map(|before| changes.before.get(&place).cloned().unwrap_or(before));
                let booking = changes.amended.get(&place).cloned().unwrap_or(Some(read.booking));
                (line, Kept { place, before, booking })
            })
        })
    }

    /// Whether a booking of that day or a later one may be among those that are kept.
    pub fn may_hold(&self, day: Date) -> bool {
        self.chunks.iter().any(|chunk| chunk.newest >= day)
    }
    /// The first place that is kept.
    pub fn first(&self, changes: &Changes) -> Place {
        changes.first * CHUNK
    }
    /// Numbers of the chunks, ascending.
    pub fn chunks(&self, changes: &Changes) -> impl Iterator<Item = u64> {
        (changes.first..).take(self.chunks.len())
    }
    /// The bytes of a chunk; `None` when there is none (any more).
    pub fn chunk(&self, changes: &Changes, number: u64) -> Option<Vec<u8>> {
        let nth = usize::try_from(number.checked_sub(changes.first)?).ok()?;
        self.chunks.get(nth).map(to_bytes)
    }
    /// Puts a chunk back; they come in ascending order.
    pub fn restore_chunk(&mut self, number: u64, bytes: &[u8]) -> Result<(), ImageError> {
        let what = format!("bookings, chunk {number}");
        let chunk: Chunk = from_bytes(&what, bytes)?;
        let mut reading = Reading { bytes: &chunk.bytes };
        let held = reading.by_ref().count() as u64;
        if held != chunk.count || chunk.count > CHUNK || !reading.bytes.is_empty() {
            return Err(ImageError::new(what, "it does not hold what it says"));
        }
        self.chunks.push_back(chunk);
        Ok(())
    }
    /// Chunks changed, made or removed since the last call, ascending.
    pub fn take_dirty(&mut self) -> BTreeSet<u64> {
        self.marked = None;
        std::mem::take(&mut self.dirty)
    }
}

impl Changes {
    /// The newest date of what was let go; `None` where everything is still kept.
    pub fn gone(&self) -> Option<Date> {
        self.gone
    }
    /// Writes what stands at a place now, and the holdings that changed with it.
    pub fn amend(&mut self, place: Place, booking: Option<Booking>, before: Vec<(Place, Holding)>) {
        self.amended.insert(place, booking);
        self.before.extend(before);
    }
    /// Writes the holdings that changed while every booking stayed.
    pub fn restate(&mut self, before: Vec<(Place, Holding)>) {
        self.before.extend(before);
    }
}

/// The bookings that bytes hold.
struct Reading<'a> {
    bytes: &'a [u8],
}

impl Iterator for Reading<'_> {
    type Item = Read;
    fn next(&mut self) -> Option<Read> {
        if self.bytes.is_empty() {
            return None;
        }
        let (read, rest) = kept::read(self.bytes)?;
        self.bytes = rest;
        Some(read)
    }
}
