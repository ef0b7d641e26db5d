//! How the records of one input in one window are decoded, looked at and folded, and when a window ends before it has
//! folded all of them. What folding does is the role's.

use super::{BLOCK, Lane, LaneError, Slice};
use crate::codec::Codec;
use crate::role::{RecordRef, Role};
use domain::Topic;
use domain::progress::Range;

/// What a window may cost, in bookings that are folded again for cancels, corrections and reversals: about a second.
pub const WINDOW_COST: u64 = 250_000;

impl<R: Role> Lane<R> {
    /// Folds the records of a slice; how far it came.
    pub(super) fn run_slice<T: RecordRef>(
        &mut self,
        slice: &Slice<'_, T>,
        behind: bool,
        codec: &mut dyn Codec,
    ) -> Result<Option<i64>, LaneError> {
        let (mut done, mut size) = (0, 1);
        while let Some(next) = slice.records.get(done) {
            if self.role.cost() >= WINDOW_COST {
                return Ok(Some(next.offset()));
            }
            // What costs much is looked at one by one, and whether it does shows by the first ones.
            size = if self.role.cost() > 0 { 1 } else { (size * 2).min(BLOCK) };
            let end = (done + size).min(slice.records.len());
            self.run_block(slice.topic, slice.partition, &slice.records[done..end], behind, codec)?;
            done = end;
        }
        Ok(Some(slice.to))
    }

    /// Decodes a block and looks at it, then folds it: the code of the one and of the other do not fit the processor's
    /// nearest memory together, and what one record needs from far is fetched beside what the next one needs.
    fn run_block<T: RecordRef>(
        &mut self,
        topic: Topic,
        partition: i32,
        records: &[T],
        behind: bool,
        codec: &mut dyn Codec,
    ) -> Result<(), LaneError> {
        let mut block = std::mem::take(&mut self.block);
        for (place, record) in records.iter().enumerate() {
            self.open.counts.inputs += 1;
            if self.shared.repeats.is_repeat(topic, partition, record) {
                self.open.counts.repeats += 1;
            } else {
                let decoded = codec.decode(topic, record.key(), record.value());
                let checked = decoded.and_then(|input| self.check_lane(input, record.key()));
                block.push((
                    place,
                    checked.map(|input| {
                        let ahead = self.role.look_ahead(&input);
                        (input, ahead)
                    }),
                ));
            }
        }
        for (_, ahead) in block.iter().filter_map(|(_, decoded)| decoded.as_ref().ok()) {
            self.role.touch(ahead);
        }
        for (place, decoded) in block.drain(..) {
            self.record(topic, partition, &records[place], decoded, behind, codec)?;
        }
        self.block = block;
        Ok(())
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
