//! The prices that changed since the last frame, one for each instrument, and how new the newest tick
//! of each instrument was. It keeps no price beyond its frame.

use domain::frame::{FramePrice, is_late};
use domain::tick::Tick;
use domain::{InstrumentId, Timestamp};
use rustc_hash::FxHashMap;

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// The first of its instrument in this frame.
    First,
    /// Merged into the price that its instrument has in this frame.
    Conflated,
    /// Older than what its instrument has.
    Late,
}

/// The minutes of a frame's prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Minute {
    /// One alone, which ends then.
    One(Timestamp),
    /// Several.
    Several,
}

#[derive(Debug)]
struct Mark {
    sequence: Option<i64>,
    event_time: Timestamp,
    /// The own moment of the newest tick, which lies before the event time where its sender's clock has gone back.
    made: Timestamp,
    /// The frame that holds a price of this instrument at `at`, counted by `Prices::frame`.
    frame: u64,
    at: usize,
}

/// Changed prices by instrument.
#[derive(Debug, Default)]
pub struct Prices {
    index: FxHashMap<InstrumentId, usize>,
    marks: Vec<Mark>,
    changed: Vec<FramePrice>,
    frame: u64,
    /// Of which minutes the open frame has prices.
    minute: Option<Minute>,
}

impl Prices {
    /// Whether the open frame has a price of that instrument of another minute, which a tick would take the place of.
    pub fn is_of_another_minute(&self, tick: &Tick) -> bool {
        let end = tick.event_time.end_of_minute();
        if self.minute.is_none_or(|minute| minute == Minute::One(end)) {
            return false;
        }
        let Some(mark) = self.index.get(tick.instrument_id.as_str()).map(|at| &self.marks[*at]) else { return false };
        let is_late = is_late((tick.sequence, tick.event_time), (mark.sequence, mark.event_time));
        mark.frame == self.frame && !is_late && mark.made.end_of_minute() != end
    }

    /// Takes a tick in. Allocates only for an instrument that it has not seen.
    pub fn take(&mut self, tick: &Tick) -> Taken {
        let Some(at) = self.index.get(tick.instrument_id.as_str()) else {
            self.meet(price_of(tick), self.frame);
            self.note_minute(tick.event_time);
            return Taken::First;
        };
        let mark = &mut self.marks[*at];
        let mut price = price_of(tick);
        if mark.frame == self.frame {
            let held = &mut self.changed[mark.at];
            if !held.merge(&price) {
                return Taken::Late;
            }
            (mark.sequence, mark.event_time, mark.made) = (held.sequence, held.event_time, tick.event_time);
            self.note_minute(tick.event_time);
            return Taken::Conflated;
        }
        if price.is_late(mark.sequence, mark.event_time) {
            return Taken::Late;
        }
        price.sequence = price.sequence.or(mark.sequence);
        price.raise_to(mark.event_time);
        let made = tick.event_time;
        *mark = Mark { sequence: price.sequence, event_time: price.event_time, made, frame: self.frame, at: self.changed.len() };
        self.changed.push(price);
        self.note_minute(tick.event_time);
        Taken::First
    }

    fn note_minute(&mut self, time: Timestamp) {
        let own = Minute::One(time.end_of_minute());
        self.minute = Some(self.minute.map_or(own, |known| if known == own { known } else { Minute::Several }));
    }

    /// Learns from a price that a frame published how new the newest tick of its instrument was.
    pub fn learn(&mut self, price: &FramePrice) {
        match self.index.get(price.instrument_id.as_str()) {
            Some(at) => {
                let mark = &mut self.marks[*at];
                if !price.is_late(mark.sequence, mark.event_time) {
                    mark.sequence = price.sequence.or(mark.sequence);
                    mark.event_time = price.event_time.max(mark.event_time);
                }
            }
            None => {
                let (sequence, event_time) = (price.sequence, price.event_time);
                let mark = Mark { sequence, event_time, made: event_time, frame: u64::MAX, at: 0 };
                self.index.insert(price.instrument_id.clone(), self.marks.len());
                self.marks.push(mark);
            }
        }
    }

    /// The price of the newest change.
    pub fn newest(&self) -> Option<&FramePrice> {
        self.changed.last()
    }

    /// Whether none changed.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
    }

    /// Hands over the changed prices, in the order in which they first changed. Beyond `known`
    /// instruments it forgets how new each one's newest tick was: the readers' own rule still holds.
    pub fn cut(&mut self, known: usize) -> Vec<FramePrice> {
        self.frame += 1;
        self.minute = None;
        if self.marks.len() > known {
            self.index.clear();
            self.marks.clear();
        }
        let capacity = self.changed.len();
        std::mem::replace(&mut self.changed, Vec::with_capacity(capacity))
    }

    fn meet(&mut self, price: FramePrice, frame: u64) {
        self.index.insert(price.instrument_id.clone(), self.marks.len());
        let (sequence, event_time) = (price.sequence, price.event_time);
        self.marks.push(Mark { sequence, event_time, made: event_time, frame, at: self.changed.len() });
        self.changed.push(price);
    }
}

fn price_of(tick: &Tick) -> FramePrice {
    FramePrice {
        bid: tick.bid,
        ask: tick.ask,
        last: tick.last,
        mark: tick.mark,
        accrued: tick.accrued,
        volume: tick.volume,
        venue: tick.venue.clone(),
        sequence: tick.sequence,
        ..FramePrice::empty(tick.instrument_id.clone(), tick.event_time)
    }
}
