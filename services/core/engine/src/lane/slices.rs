//! How the records of one input in one window are decoded, looked at and folded, and when a window ends before it has
//! folded all of them. What folding does is the role's.

use super::{BLOCK, Decoded, Lane, LaneError, Slice};
use crate::codec::Codec;
use crate::role::{Origin, RecordRef, Role};
use domain::fill::FillRef;
use domain::progress::Range;
use domain::{PortfolioId, Topic};

/// What a window may cost, in bookings that are folded again for cancels, corrections and reversals: about a second.
pub const WINDOW_COST: u64 = 250_000;

/// Records that are read before the first of them is folded.
struct Block<'a, R: Role, T> {
    /// Fills that lie where they came, by record: large, and moved as little as can be.
    fills: Vec<Option<FillRef<'a>>>,
    records: Vec<(&'a T, Read<R>)>,
}

/// How a record of a block was read.
enum Read<R: Role> {
    /// As a fill that is only viewed.
    Fill(R::Ahead),
    /// By decoding.
    Input(Decoded<R>),
}

impl<R: Role, T> Block<'_, R, T> {
    fn new() -> Self {
        Self { fills: Vec::with_capacity(BLOCK), records: Vec::with_capacity(BLOCK) }
    }
}

impl<R: Role> Lane<R> {
    /// Folds the records of a slice; how far it came.
    pub(super) fn run_slice<T: RecordRef>(
        &mut self,
        slice: &Slice<'_, T>,
        behind: bool,
        codec: &mut dyn Codec,
    ) -> Result<Option<i64>, LaneError> {
        let (mut done, mut size) = (0, 1);
        let mut block = Block::new();
        while let Some(next) = slice.records.get(done) {
            if self.role.cost() >= WINDOW_COST {
                return Ok(Some(next.offset()));
            }
            // What costs much is looked at one by one, and whether it does shows by the first ones.
            size = if self.role.cost() > 0 { 1 } else { (size * 2).min(BLOCK) };
            let end = (done + size).min(slice.records.len());
            self.run_block(slice, &slice.records[done..end], &mut block, behind, codec)?;
            done = end;
        }
        Ok(Some(slice.to))
    }

    /// Decodes a block and looks at it, then folds it: the code of the one and of the other do not fit the processor's
    /// nearest memory together, and what one record needs from far is fetched beside what the next one needs.
    fn run_block<'a, T: RecordRef>(
        &mut self,
        slice: &Slice<'_, T>,
        records: &'a [T],
        block: &mut Block<'a, R, T>,
        behind: bool,
        codec: &mut dyn Codec,
    ) -> Result<(), LaneError> {
        for record in records {
            self.open.counts.inputs += 1;
            if self.shared.repeats.is_repeat(slice.topic, slice.partition, record) {
                self.open.counts.repeats += 1;
                *self.open.known.entry(slice.topic).or_default() += 1;
                continue;
            }
            let viewed = if slice.topic == Topic::Fills { record.value() } else { None };
            block.fills.push(viewed.and_then(|value| codec.view_fill(value)));
            let ahead = match block.fills.last() {
                Some(Some(fill)) if self.is_keyed(fill.portfolio_id, record.key()) => self.role.look_ahead_at_fill(fill),
                _ => None,
            };
            let read = ahead.map_or_else(|| Read::Input(self.decode(slice.topic, record, codec)), Read::Fill);
            block.records.push((record, read));
        }
        for depth in 0..R::DEPTHS {
            for (_, read) in &block.records {
                if let Read::Fill(ahead) | Read::Input(Ok((_, ahead))) = read {
                    self.role.touch(ahead, depth);
                }
            }
        }
        for ((record, read), viewed) in block.records.drain(..).zip(&block.fills) {
            let origin = Origin { topic: slice.topic, partition: slice.partition, record };
            match (read, viewed) {
                (Read::Fill(ahead), Some(fill)) => self.fill(fill, ahead, &origin, behind, codec)?,
                (Read::Fill(_), None) => unreachable!("a fill that was looked at stands there"),
                (Read::Input(decoded), _) => self.record(&origin, decoded, behind, codec)?,
            }
        }
        block.fills.clear();
        Ok(())
    }

    fn decode(&mut self, topic: Topic, record: &dyn RecordRef, codec: &mut dyn Codec) -> Decoded<R> {
        let input = self.check_lane(codec.decode(topic, record.key(), record.value())?, record.key())?;
        let ahead = self.role.look_ahead(&input);
        Ok((input, ahead))
    }

    fn fill(
        &mut self,
        fill: &FillRef<'_>,
        ahead: R::Ahead,
        origin: &Origin<'_>,
        behind: bool,
        codec: &mut dyn Codec,
    ) -> Result<(), LaneError> {
        if self.with_context(behind, codec, |role, cx| role.fold_fill(fill, ahead, origin, cx)) {
            self.remember_trace(|| PortfolioId::new(fill.portfolio_id).ok(), origin.record);
            return Ok(());
        }
        let decoded = self.decode(origin.topic, origin.record, codec);
        self.record(origin, decoded, behind, codec)
    }

    /// Notes how far a slice was folded; `None` where not at all.
    pub(super) fn move_to<T>(&mut self, slice: &Slice<'_, T>, to: Option<i64>) {
        let at = self.position(slice.topic, slice.partition);
        let to = to.unwrap_or(at);
        if to > at {
            self.shared.moved.insert(slice.topic);
        }
        self.shared.positions.insert((slice.topic, slice.partition), to);
        let ranges = self.open.windows.last_mut().map(|window| &mut window.ranges);
        let of_slice = |range: &&mut Range| (range.topic, range.partition) == (slice.topic, slice.partition);
        if let Some(range) = ranges.into_iter().flatten().find(of_slice) {
            range.to = to;
        }
    }
}
