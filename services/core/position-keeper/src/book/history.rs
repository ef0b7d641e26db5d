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
use engine::image::{append, from_bytes};
use engine::near::read;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Bookings in one chunk.
const CHUNK: u64 = 2048;
/// Bookings in one piece of the image: the last one is written anew with every checkpoint.
const PIECE: u64 = 256;
/// Bytes of a piece beside its bookings, at most.
const COUNTS: usize = 20;
/// Pieces of a whole chunk.
const PIECES: u64 = CHUNK / PIECE;

/// Where a booking stands: its number in the portfolio's booking order.
pub type Place = u64;

/// The number of a chunk, one above its place in time; zero stands for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChunkMark(u64);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Chunk {
    count: u64,
    newest: Date,
    bytes: Vec<u8>,
    /// Where each whole piece ends.
    ends: Vec<usize>,
}

/// A part of a chunk, as it is stored.
#[derive(Serialize)]
struct Piece<'a> {
    count: u64,
    #[serde(serialize_with = "at_once")]
    bytes: &'a [u8],
}

/// Writes bytes at once; in the image's format they look as a list of them does.
fn at_once<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// The same, read back.
#[derive(Deserialize)]
struct Stored {
    count: u64,
    bytes: Vec<u8>,
}

impl Chunk {
    fn starting(newest: Date) -> Self {
        Self { count: 0, newest, bytes: Vec::new(), ends: Vec::new() }
    }
    fn pieces(&self) -> u64 {
        self.count.div_ceil(PIECE)
    }
    fn piece(&self, nth: usize) -> Piece<'_> {
        let place = |nth: usize| self.ends.get(nth).copied().unwrap_or(self.bytes.len());
        let start = nth.checked_sub(1).map_or(0, place);
        Piece { count: (self.count - nth as u64 * PIECE).min(PIECE), bytes: &self.bytes[start..place(nth)] }
    }
    /// Counts bookings that were written at the end.
    fn grow(&mut self, count: u64, newest: Date) {
        self.count += count;
        self.newest = self.newest.max(newest);
        if self.count.is_multiple_of(PIECE) {
            self.ends.push(self.bytes.len());
        }
        if self.count == CHUNK {
            self.bytes.shrink_to_fit();
        }
    }
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
    /// Pieces, by their number since the first booking of all.
    dirty: BTreeSet<u64>,
    /// The piece that is known to be dirty.
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
    /// Reads the chunk in which the next booking is kept.
    pub fn touch(&self) {
        read(self.chunks.back().map(|chunk| (chunk.count, chunk.newest)));
    }
    /// Reads where it is kept.
    pub fn touch_end(&self) {
        read(self.chunks.back().and_then(|chunk| chunk.bytes.last().copied()));
    }
    fn next(&self, changes: &Changes) -> Place {
        let full = self.chunks.len().saturating_sub(1) as u64;
        (changes.first + full) * CHUNK + self.chunks.back().map_or(0, |chunk| chunk.count)
    }

    /// Keeps a booking. `line` is its line as it stands before it, where it has one, and `unsplit` what it held where
    /// that is not what it was booked onto.
    pub fn push(&mut self, changes: &Changes, line: Option<&mut Line>, unsplit: Option<Standing<'_>>, booking: &Booking) -> Place {
        if self.chunks.back().is_none_or(|chunk| chunk.count == CHUNK) {
            self.chunks.push_back(Chunk::starting(booking.date()));
        }
        let place = self.next(changes);
        let number = place / CHUNK;
        let mark = ChunkMark(number + 1);
        let first = line.filter(|line| line.booked_in != mark).map(|line| {
            line.booked_in = mark;
            unsplit.unwrap_or_else(|| line.standing())
        });
        let piece = place / PIECE;
        if self.marked.replace(piece) != Some(piece) {
            self.dirty.insert(piece);
        }
        let chunk = self.chunks.back_mut().expect("a chunk was made where there was none");
        kept::write(first, booking, &mut chunk.bytes);
        chunk.grow(1, booking.date());
        place
    }

    /// How many bookings, of all lines, are read to fold a line again from a place on.
    pub fn reach(&self, changes: &Changes, place: Place) -> u64 {
        self.next(changes).saturating_sub(place / CHUNK * CHUNK)
    }

    /// Lets the chunks go whose dates lie before the window, but for the one that grows.
    pub fn forget_before(&mut self, changes: &mut Changes, oldest: Date) {
        while self.chunks.len() > 1 && self.chunks.front().is_some_and(|chunk| chunk.newest < oldest) {
            let gone = self.chunks.pop_front();
            changes.gone = changes.gone.max(gone.as_ref().map(|chunk| chunk.newest));
            let pieces = gone.map_or(0, |chunk| usize::try_from(chunk.pieces()).unwrap_or(usize::MAX));
            self.dirty.extend((changes.first * PIECES..).take(pieces));
            changes.first += 1;
            let kept = changes.first * CHUNK;
            changes.amended = changes.amended.split_off(&kept);
            changes.before = changes.before.split_off(&kept);
        }
    }

    /// What stands at a place; `None` when it was let go, `Some(None)` after a cancel.
    pub fn at(&self, changes: &Changes, place: Place) -> Option<Option<Booking>> {
        changes.amended.get(&place).cloned().or_else(|| self.first_at(changes, place).map(Some))
    }
    /// What was booked at a place first; `None` when it was let go.
    pub fn first_at(&self, changes: &Changes, place: Place) -> Option<Booking> {
        let chunk = self.chunks.get(usize::try_from((place / CHUNK).checked_sub(changes.first)?).ok()?)?;
        let read = Reading { bytes: &chunk.bytes }.nth(usize::try_from(place % CHUNK).ok()?)?;
        Some(read.booking)
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
    /// Numbers of the pieces, ascending.
    pub fn pieces(&self, changes: &Changes) -> impl Iterator<Item = u64> {
        (changes.first..).zip(&self.chunks).flat_map(|(number, chunk)| (0..chunk.pieces()).map(move |nth| number * PIECES + nth))
    }
    /// The bytes of a piece; `None` when there is none (any more).
    pub fn piece(&self, changes: &Changes, number: u64) -> Option<Vec<u8>> {
        let chunk = self.chunks.get(usize::try_from((number / PIECES).checked_sub(changes.first)?).ok()?)?;
        let nth = number % PIECES;
        (nth < chunk.pieces()).then(|| {
            let piece = chunk.piece(usize::try_from(nth).unwrap_or(usize::MAX));
            append(&piece, Vec::with_capacity(piece.bytes.len() + COUNTS))
        })
    }
    /// Puts a piece back, and tells the last instrument of the table that it names; pieces come in ascending order.
    pub fn restore_piece(&mut self, number: u64, bytes: &[u8]) -> Result<Option<InstrumentIx>, ImageError> {
        let what = format!("bookings, piece {number}");
        let stored: Stored = from_bytes(&what, bytes)?;
        let mut reading = Reading { bytes: &stored.bytes };
        let mut last = None;
        let note = |read: Read| {
            last = last.max(read.booking.line()).max(read.booking.beside());
            read.booking.date()
        };
        let dates: Vec<Date> = reading.by_ref().map(note).collect();
        let newest = dates.iter().max().copied();
        let Some(newest) = newest.filter(|_| dates.len() as u64 == stored.count && stored.count <= PIECE && reading.bytes.is_empty())
        else {
            return Err(ImageError::new(what, "it does not hold what it says"));
        };
        let nth = number % PIECES;
        if nth == 0 && self.chunks.back().is_none_or(|chunk| chunk.count == CHUNK) {
            self.chunks.push_back(Chunk::starting(newest));
        }
        match self.chunks.back_mut() {
            Some(chunk) if chunk.count == nth * PIECE => {
                chunk.bytes.extend_from_slice(&stored.bytes);
                chunk.grow(stored.count, newest);
                Ok(last)
            }
            _ => Err(ImageError::new(what, "a piece before it is missing")),
        }
    }
    /// Pieces changed, made or removed since the last call, ascending.
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

#[cfg(test)]
mod tests {
    use super::super::payment::Payment;
    use super::*;
    use domain::enums::EntryKind;
    use domain::{FxRate, Money};

    fn payment(day: i32, number: u64) -> Booking {
        Booking::Payment(Payment {
            kind: EntryKind::CashDeposit,
            at: Date::from_days(day).start_utc(),
            currency: "USD".parse().unwrap(),
            amount: Money::from_units(i128::from(number)),
            rate: FxRate::ONE,
            of: None,
            settles: Vec::new(),
            says: None,
            strategy: None,
            crowded: false,
        })
    }

    fn restored(history: &History, changes: &Changes) -> Result<History, ImageError> {
        let mut restored = History::default();
        for number in history.pieces(changes) {
            restored.restore_piece(number, &history.piece(changes, number).unwrap())?;
        }
        Ok(restored)
    }

    #[test]
    fn only_the_piece_that_grows_is_written_anew_and_pieces_make_the_chunks_again() {
        let (mut history, mut changes) = (History::default(), Changes::default());
        let push = |history: &mut History, day, number| history.push(&Changes::default(), None, None, &payment(day, number));
        for number in 0..CHUNK + PIECE + 3 {
            assert_eq!(push(&mut history, 1, number), number);
        }
        assert_eq!(history.take_dirty().len() as u64, PIECES + 2);
        push(&mut history, 3, 7);
        assert_eq!(history.take_dirty().into_iter().collect::<Vec<_>>(), [PIECES + 1]);
        let mut again = restored(&history, &changes).unwrap();
        assert_eq!(again.chunks, history.chunks);
        for number in [0, PIECE - 1, PIECE, CHUNK - 1, CHUNK + PIECE + 2] {
            assert_eq!(again.at(&changes, number), Some(Some(payment(1, number))), "{number}");
        }
        // It grows as the other does.
        assert_eq!(push(&mut again, 3, 8), push(&mut history, 3, 8));
        assert_eq!(again.chunks, history.chunks);
        history.take_dirty();
        history.forget_before(&mut changes, Date::from_days(2));
        assert_eq!(history.take_dirty().into_iter().collect::<Vec<_>>(), (0..PIECES).collect::<Vec<_>>());
        assert_eq!((history.piece(&changes, 0), history.pieces(&changes).collect::<Vec<_>>()), (None, vec![PIECES, PIECES + 1]));
        assert_eq!(restored(&history, &changes).unwrap().chunks, history.chunks);
    }

    #[test]
    fn a_piece_that_is_missing_or_torn_is_found() {
        let (mut history, changes) = (History::default(), Changes::default());
        (0..CHUNK + 1).for_each(|number| _ = history.push(&changes, None, None, &payment(1, number)));
        let piece = |number| history.piece(&changes, number).unwrap();
        let mut other = History::default();
        assert!(other.restore_piece(1, &piece(1)).is_err(), "the first is missing");
        other.restore_piece(0, &piece(0)).unwrap();
        assert!(other.restore_piece(2, &piece(2)).is_err(), "the second is missing");
        assert!(other.restore_piece(PIECES, &piece(PIECES)).is_err(), "the rest of the chunk is missing");
        let torn = piece(1);
        assert!(other.restore_piece(1, &torn[..torn.len() - 1]).is_err());
        assert!(other.restore_piece(1, &[]).is_err());
    }
}
