//! Exact dedup with bounded memory: which records of a portfolio were booked, by date.
//!
//! A record's id is a 128-bit hash over length-prefixed parts, its content a 64-bit one, so that a known
//! id with other content is seen. The window is the newest distinct booked dates; what is older than a
//! full window is late, never taken for new. Its image is cut into chunks of which only the last one of
//! a date changes. It does not know what a fill is, nor what happens to a record that it names late.

use crate::image::ImageError;
use crate::near::read;
use domain::{Date, Timestamp};
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// Ids in one chunk of the image: the last one of a date is written anew with every checkpoint.
pub const CHUNK_IDS: usize = 256;

/// Bytes of one id in a chunk.
const ID_BYTES: usize = 32;

/// The hash of what names a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordId {
    high: u64,
    low: u64,
}

/// Bytes of parts that are hashed where they were gathered: those of a usual record.
const ROOM: usize = 320;

/// Collects parts for a hash, each with its length before it, so that no two lists of parts run together.
#[derive(Debug, Clone)]
pub struct Parts {
    room: [u8; ROOM],
    /// Where the next part goes; beyond the room once the parts have outgrown it.
    end: usize,
    /// All of them, where they have outgrown the room.
    long: Vec<u8>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { room: [0; ROOM], end: 0, long: Vec::new() }
    }
}

impl Parts {
    /// Forgets the parts so far and keeps the buffer.
    #[inline]
    pub fn start(&mut self) -> &mut Self {
        self.end = 0;
        self
    }
    /// Adds a part.
    #[inline]
    pub fn part(&mut self, bytes: &[u8]) -> &mut Self {
        self.fixed(&(bytes.len() as u64).to_le_bytes());
        match self.room.get_mut(self.end..).and_then(|room| room.get_mut(..bytes.len())) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.end += bytes.len();
            }
            None => self.outgrow(bytes),
        }
        self
    }
    /// Adds bytes of which the parts before them tell how many they are: without their length. They are an array, so that
    /// they are written by an instruction or two where the compiler takes a copy of a slice for a call.
    #[inline(always)]
    pub fn fixed<const N: usize>(&mut self, bytes: &[u8; N]) -> &mut Self {
        match self.room.get_mut(self.end..).and_then(<[u8]>::first_chunk_mut) {
            Some(place) => {
                *place = *bytes;
                self.end += N;
            }
            None => self.outgrow(bytes),
        }
        self
    }
    #[cold]
    fn outgrow(&mut self, bytes: &[u8]) {
        if let Some(gathered) = self.room.get(..self.end) {
            self.long.clear();
            self.long.extend_from_slice(gathered);
            self.end = usize::MAX;
        }
        self.long.extend_from_slice(bytes);
    }
    /// Adds a number; one part of fixed length.
    #[inline]
    pub fn number(&mut self, value: i128) -> &mut Self {
        self.part(&value.to_le_bytes())
    }
    /// Adds a part that may be absent; absent differs from empty.
    #[inline]
    pub fn optional(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            Some(bytes) => self.part(&[1]).part(bytes),
            None => self.part(&[0]),
        }
    }
    fn gathered(&self) -> &[u8] {
        self.room.get(..self.end).unwrap_or(&self.long)
    }
    /// The parts as an id.
    #[allow(clippy::cast_possible_truncation, reason = "both halves of the hash are kept")]
    pub fn id(&self) -> RecordId {
        let hash = xxh3_128(self.gathered());
        RecordId { high: (hash >> 64) as u64, low: hash as u64 }
    }
    /// The parts as a content hash.
    pub fn content(&self) -> u64 {
        xxh3_64(self.gathered())
    }
}

/// What the window says of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Never booked inside the window.
    New,
    /// Booked, with the same content.
    Duplicate,
    /// Booked, with other content.
    Conflict,
    /// Older than a full window: it cannot be told whether it was booked.
    Late {
        /// The oldest date of the window.
        oldest: Date,
    },
    /// Dated after tomorrow.
    Future {
        /// The last date that is taken.
        last: Date,
    },
}

/// Records that were booked although they were late, because a person admitted them: the newest of them, so that none
/// is admitted twice.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Latecomers(VecDeque<(RecordId, u64)>);

/// Latecomers that are known of a portfolio.
const LATECOMERS: usize = 4096;

impl Latecomers {
    /// What is known of a record beyond the window's verdict.
    pub fn judge(&self, verdict: Verdict, id: RecordId, content: u64) -> Verdict {
        let known = match verdict {
            Verdict::Late { .. } => self.0.iter().find(|(known, _)| *known == id),
            _ => None,
        };
        match known {
            Some((_, known)) if *known == content => Verdict::Duplicate,
            Some(_) => Verdict::Conflict,
            None => verdict,
        }
    }
    /// Remembers a record that was booked late.
    pub fn remember(&mut self, id: RecordId, content: u64) {
        self.0.push_back((id, content));
        if self.0.len() > LATECOMERS {
            self.0.pop_front();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    id: RecordId,
    content: u64,
    place: u64,
}

/// Ids of one date in booking order, found through a table of their places.
#[derive(Debug, Clone, Default)]
struct IdSet {
    known: Vec<Known>,
    /// Places in `known`, by a half of the hash that an id is.
    table: HashTable<u32>,
    /// The chunk that is known to be dirty.
    dirty: Option<u32>,
}

impl IdSet {
    fn find(&self, id: RecordId) -> Option<&Known> {
        let place = self.table.find(id.low, |place| self.known[*place as usize].id == id)?;
        Some(&self.known[*place as usize])
    }
    // In its caller: what is written as parts and then read as one waits for every write before it.
    #[inline(always)]
    fn insert(&mut self, known: Known) {
        let place = u32::try_from(self.known.len()).expect("a date of one portfolio has fewer than 2^32 ids");
        self.table.insert_unique(known.id.low, place, |place| self.known[*place as usize].id.low);
        self.known.push(known);
    }
    /// Reads what judging and remembering an id will read.
    fn touch(&self, id: RecordId) {
        let newest = self.known.last().map(|known| known.place);
        // Nothing is found: the places at which a search would look are read.
        read((newest, self.table.find(id.low, |place| read(*place) == u32::MAX).is_some()));
    }
    fn chunk_count(&self) -> u32 {
        u32::try_from(self.known.len().div_ceil(CHUNK_IDS)).expect("fewer chunks than ids")
    }
}

/// The booked ids of one portfolio and one kind of record. The ids are kept by chunks; what else it knows is its own image.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Window {
    /// By date, ascending: the newest, in which most records belong, stands last and is found first.
    #[serde(skip)]
    dates: Vec<(Date, IdSet)>,
    #[serde(skip)]
    dirty: BTreeSet<(Date, u32)>,
    /// The newest date whose ids were let go. A window that is made larger later must not take them for new.
    left: Option<Date>,
}

impl Window {
    fn seek(&self, date: Date) -> Result<usize, usize> {
        match self.dates.last() {
            Some((newest, _)) if *newest == date => Ok(self.dates.len() - 1),
            Some((newest, _)) if *newest < date => Err(self.dates.len()),
            _ => self.dates.binary_search_by_key(&date, |(date, _)| *date),
        }
    }
    fn of(&self, date: Date) -> Option<&IdSet> {
        self.seek(date).ok().map(|at| &self.dates[at].1)
    }
    fn of_mut(&mut self, date: Date) -> &mut IdSet {
        let at = self.seek(date).unwrap_or_else(|at| {
            self.dates.insert(at, (date, IdSet::default()));
            at
        });
        &mut self.dates[at].1
    }
    /// Reads where the ids of its newest date lie.
    pub fn touch(&self) {
        read(self.dates.last().map(|(date, set)| (*date, set.known.len(), set.table.len())));
    }
    /// Reads what judging and remembering a record will read, so that it lies near by then.
    pub fn touch_id(&self, date: Date, id: RecordId) {
        if let Some(set) = self.of(date) {
            set.touch(id);
        }
    }
    /// Judges a record whose date is part of its name. `dates` is how many dates the window holds.
    pub fn judge(&self, date: Date, id: RecordId, content: u64, now: Timestamp, dates: usize) -> Verdict {
        let found = self.of(date).and_then(|set| set.find(id)).map(|known| known.content);
        self.verdict(found, date, content, now, dates)
    }
    /// Judges a record whose date is not part of its name: it is looked for under every date.
    pub fn judge_undated(&self, date: Date, id: RecordId, content: u64, now: Timestamp, dates: usize) -> Verdict {
        let found = self.dates.iter().rev().find_map(|(_, set)| set.find(id)).map(|known| known.content);
        self.verdict(found, date, content, now, dates)
    }
    fn verdict(&self, found: Option<u64>, date: Date, content: u64, now: Timestamp, dates: usize) -> Verdict {
        let last = now.date_utc().plus_days(1);
        match (found, self.oldest()) {
            (Some(known), _) if known == content => Verdict::Duplicate,
            (Some(_), _) => Verdict::Conflict,
            _ if date > last => Verdict::Future { last },
            (None, Some(oldest)) if date < oldest && (self.is_full(dates) || Some(date) <= self.left) => Verdict::Late { oldest },
            _ => Verdict::New,
        }
    }
    /// The place with which a record of a date was remembered.
    pub fn place(&self, date: Date, id: RecordId) -> Option<u64> {
        self.of(date)?.find(id).map(|known| known.place)
    }
    /// Remembers a booked record, with the place at which the caller keeps it, and lets the dates go that leave the
    /// window. Returns whether a date left.
    pub fn record(&mut self, date: Date, id: RecordId, content: u64, place: u64, dates: usize) -> bool {
        let set = self.of_mut(date);
        set.insert(Known { id, content, place });
        let chunk = set.chunk_count() - 1;
        let is_known = set.dirty.replace(chunk) == Some(chunk);
        if !is_known {
            self.dirty.insert((date, chunk));
        }
        let leaving = self.dates.len().saturating_sub(dates.max(1));
        for (gone, set) in self.dates.drain(..leaving) {
            self.left = self.left.max(Some(gone));
            self.dirty.extend((0..set.chunk_count()).map(|chunk| (gone, chunk)));
        }
        leaving > 0
    }
    /// Whether dates before its oldest are late.
    pub fn is_full(&self, dates: usize) -> bool {
        self.dates.len() >= dates.max(1)
    }
    /// The oldest date that the window holds.
    pub fn oldest(&self) -> Option<Date> {
        self.dates.first().map(|(date, _)| *date)
    }
    /// The dates that it holds, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = Date> + '_ {
        self.dates.iter().rev().map(|(date, _)| *date)
    }
    /// How many ids it holds.
    pub fn len(&self) -> usize {
        self.dates.iter().map(|(_, set)| set.known.len()).sum()
    }
    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.dates.is_empty()
    }

    /// Every chunk of the image, by date and number.
    pub fn chunks(&self) -> impl Iterator<Item = (Date, u32)> + '_ {
        self.dates.iter().flat_map(|(date, set)| (0..set.chunk_count()).map(|chunk| (*date, chunk)))
    }
    /// The bytes of a chunk; `None` when there is none (any more).
    pub fn chunk(&self, date: Date, chunk: u32) -> Option<Vec<u8>> {
        let known = self.of(date)?.known.chunks(CHUNK_IDS).nth(chunk as usize)?;
        let mut bytes = Vec::with_capacity(known.len() * ID_BYTES);
        for word in known.iter().flat_map(|k| [k.id.high, k.id.low, k.content, k.place]) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        Some(bytes)
    }
    /// Puts a chunk back; chunks of a date come in ascending order.
    pub fn restore_chunk(&mut self, date: Date, chunk: u32, bytes: &[u8]) -> Result<(), ImageError> {
        let wrong = |why: &str| ImageError::new(format!("the booked ids of {date}, chunk {chunk}"), why);
        if bytes.is_empty() || !bytes.len().is_multiple_of(ID_BYTES) || bytes.len() > CHUNK_IDS * ID_BYTES {
            return Err(wrong("it has an impossible length"));
        }
        let set = self.of_mut(date);
        if set.known.len() != chunk as usize * CHUNK_IDS {
            return Err(wrong("a chunk before it is missing"));
        }
        let word = |bytes: &[u8], at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        for known in bytes.chunks_exact(ID_BYTES) {
            let id = RecordId { high: word(known, 0), low: word(known, 8) };
            set.insert(Known { id, content: word(known, 16), place: word(known, 24) });
        }
        Ok(())
    }
    /// Takes over the ids of another, which were put back apart from what else this one knows.
    pub fn take_ids(&mut self, other: Self) {
        self.dates = other.dates;
    }
    /// Chunks changed, made or removed since the last call, ascending.
    pub fn take_dirty(&mut self) -> BTreeSet<(Date, u32)> {
        self.dates.iter_mut().for_each(|(_, set)| set.dirty = None);
        std::mem::take(&mut self.dirty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> RecordId {
        Parts::default().part(b"src").part(text.as_bytes()).id()
    }
    fn day(n: i32) -> Date {
        Date::from_days(20_000 + n)
    }
    fn at(n: i32) -> Timestamp {
        day(n).start_utc().plus_seconds(3600)
    }

    #[test]
    fn parts_do_not_run_together_and_absent_is_not_empty() {
        let mut parts = Parts::default();
        let one = parts.start().part(b"ab").part(b"c").id();
        assert_ne!(one, parts.start().part(b"a").part(b"bc").id());
        assert_eq!(one, parts.start().part(b"ab").part(b"c").id());
        let absent = parts.start().optional(None).content();
        assert_ne!(absent, parts.start().optional(Some(b"")).content());
    }

    #[test]
    fn parts_that_outgrow_their_room_are_hashed_as_all_others() {
        let mut parts = Parts::default();
        for size in [0, 1, ROOM - 9, ROOM - 8, ROOM - 7, ROOM, 3 * ROOM] {
            let (part, mut all) = (vec![7; size], Vec::new());
            parts.start();
            for _ in 0..3 {
                parts.part(&part);
                all.extend_from_slice(&(size as u64).to_le_bytes());
                all.extend_from_slice(&part);
            }
            assert_eq!(parts.content(), xxh3_64(&all), "{size}");
        }
        assert_eq!(parts.start().part(b"ab").id(), Parts::default().part(b"ab").id(), "the room is used again");
    }

    #[test]
    fn a_known_id_is_a_duplicate_or_a_conflict() {
        let mut window = Window::default();
        assert_eq!(window.judge(day(0), id("1"), 7, at(0), 3), Verdict::New);
        window.record(day(0), id("1"), 7, 5, 3);
        assert_eq!((window.place(day(0), id("1")), window.place(day(0), id("2"))), (Some(5), None));
        assert_eq!(window.judge(day(0), id("1"), 7, at(0), 3), Verdict::Duplicate);
        assert_eq!(window.judge(day(0), id("1"), 8, at(0), 3), Verdict::Conflict);
        assert_eq!(window.judge(day(1), id("1"), 7, at(0), 3), Verdict::New);
        assert_eq!(window.judge_undated(day(1), id("1"), 7, at(0), 3), Verdict::Duplicate);
    }

    #[test]
    fn late_only_when_the_window_is_full_and_future_after_tomorrow() {
        let mut window = Window::default();
        window.record(day(5), id("5"), 0, 0, 2);
        assert_eq!(window.judge(day(1), id("1"), 0, at(5), 2), Verdict::New);
        window.record(day(6), id("6"), 0, 0, 2);
        assert_eq!(window.judge(day(1), id("1"), 0, at(5), 2), Verdict::Late { oldest: day(5) });
        assert_eq!(window.judge(day(5), id("1"), 0, at(5), 2), Verdict::New);
        assert_eq!(window.judge(day(6), id("x"), 0, at(5), 2), Verdict::New);
        assert_eq!(window.judge(day(7), id("x"), 0, at(5), 2), Verdict::Future { last: day(6) });
        assert!(window.record(day(7), id("7"), 0, 0, 2));
        assert_eq!(window.oldest(), Some(day(6)));
        assert_eq!(window.judge(day(5), id("5"), 0, at(7), 2), Verdict::Late { oldest: day(6) });
    }

    #[test]
    fn a_date_that_was_let_go_stays_late_in_a_window_that_is_made_larger() {
        let mut window = Window::default();
        for n in 1..=3 {
            window.record(day(n), id("x"), 0, 0, 2);
        }
        assert_eq!(window.judge(day(1), id("x"), 0, at(3), 2), Verdict::Late { oldest: day(2) });
        assert_eq!(window.judge(day(1), id("x"), 0, at(3), 9), Verdict::Late { oldest: day(2) }, "its ids are gone");
        assert_eq!(window.judge(day(0), id("x"), 0, at(3), 9), Verdict::Late { oldest: day(2) }, "so may those of any date before it be");
        assert_eq!(window.judge(day(2), id("x"), 0, at(3), 9), Verdict::Duplicate);
        assert_eq!(window.judge(day(2), id("y"), 0, at(3), 9), Verdict::New);
        // As it is read back: its own image, and the ids by chunks.
        let mut again: Window = crate::image::from_bytes("a window", &crate::image::to_bytes(&window)).unwrap();
        let mut ids = Window::default();
        for (date, chunk) in window.chunks() {
            ids.restore_chunk(date, chunk, &window.chunk(date, chunk).unwrap()).unwrap();
        }
        again.take_ids(ids);
        assert_eq!(again.judge(day(1), id("x"), 0, at(3), 9), Verdict::Late { oldest: day(2) });
        assert_eq!(again.judge(day(3), id("x"), 0, at(3), 9), Verdict::Duplicate);
        // Two dates between which none was ever known: what lies between them is new.
        let mut apart = Window::default();
        for n in [1, 2, 8, 9] {
            apart.record(day(n), id("x"), 0, 0, 2);
        }
        assert_eq!(apart.judge(day(5), id("x"), 0, at(9), 3), Verdict::New);
        assert_eq!(apart.judge(day(5), id("x"), 0, at(9), 2), Verdict::Late { oldest: day(8) });
    }

    #[test]
    fn only_the_last_chunk_of_a_date_is_dirty_and_chunks_restore() {
        let mut window = Window::default();
        for n in 0..CHUNK_IDS * 2 + 5 {
            window.record(day(0), id(&n.to_string()), n as u64, n as u64 + 1, 1);
        }
        assert_eq!(window.take_dirty().into_iter().collect::<Vec<_>>(), [(day(0), 0), (day(0), 1), (day(0), 2)]);
        window.record(day(0), id("one more"), 9, 0, 1);
        assert_eq!(window.take_dirty().into_iter().collect::<Vec<_>>(), [(day(0), 2)]);
        let mut restored = Window::default();
        for (date, chunk) in window.chunks() {
            restored.restore_chunk(date, chunk, &window.chunk(date, chunk).unwrap()).unwrap();
        }
        restored.take_dirty();
        assert_eq!(restored.len(), window.len());
        for n in 0..CHUNK_IDS * 2 + 5 {
            assert_eq!(restored.judge(day(0), id(&n.to_string()), n as u64, at(0), 1), Verdict::Duplicate);
            assert_eq!(restored.place(day(0), id(&n.to_string())), Some(n as u64 + 1));
        }
        assert_eq!(restored.judge(day(0), id("never"), 0, at(0), 1), Verdict::New);
        window.record(day(1), id("next"), 0, 0, 1);
        let dirty: Vec<_> = window.take_dirty().into_iter().collect();
        assert_eq!(dirty, [(day(0), 0), (day(0), 1), (day(0), 2), (day(1), 0)]);
        assert_eq!(window.chunk(day(0), 0), None);
        assert!(restored.restore_chunk(day(0), 7, &[0; 32]).is_err());
        assert!(restored.restore_chunk(day(3), 0, &[0; 31]).is_err());
    }
}
