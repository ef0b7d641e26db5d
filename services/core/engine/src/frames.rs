//! The chain of frames: which of the frames in the one log of frames count.
//!
//! A frame counts when it starts, for every source, where the last one that counted ended. The log
//! has one order and the rule looks at nothing else, so every reader agrees without transactions, and
//! the frames of a writer that was overtaken fall away. It does not look into what a frame says.

use domain::Topic;
use domain::frame::{Frame, FrameSource};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the frames that counted have come to: part of the state of every reader.
///
/// - The first frame of a reader counts and sets the base. So a reader without state starts either at
///   the first frame of all or at one that is known to count: the anchor of any later frame.
/// - A source seen before starts where it ended, and none is left out: a writer that does not know a
///   source is older than the frame that brought it.
/// - A source never seen (a new partition, a new topic) may start at any offset: its log may have been
///   cut before its first frame.
/// - A frame whose ranges are all empty counts and changes nothing: a writer's sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FrameChain {
    last: Option<i64>,
    ends: BTreeMap<(Topic, i32), i64>,
}

impl FrameChain {
    /// Takes the frame at an offset of the log; whether it counts. One that does not changes nothing.
    pub fn admit(&mut self, offset: i64, frame: &Frame) -> bool {
        let next = self.last.is_none_or(|last| offset > last);
        if !next || !is_well_formed(&frame.sources) || !self.continues(&frame.sources) {
            return false;
        }
        self.last = Some(offset);
        self.ends.extend(frame.sources.iter().map(|source| ((source.topic, source.partition), source.to)));
        true
    }

    /// The frame that counted and that this reader has passed without counting it, if the frame at an offset
    /// refers to one. Its writer and this reader no longer agree, and no later frame of that writer will count
    /// here. A writer that was overtaken never does that: its anchor counted for everybody.
    pub fn lost(&self, offset: i64, frame: &Frame) -> Option<i64> {
        let last = self.last?;
        (last < frame.anchor && frame.anchor < offset).then_some(frame.anchor)
    }

    /// Offset of the newest frame that counted; `None` before the first.
    pub fn last(&self) -> Option<i64> {
        self.last
    }

    /// First offset of a source that no counting frame contains; `None` for a source never seen.
    pub fn end(&self, topic: Topic, partition: i32) -> Option<i64> {
        self.ends.get(&(topic, partition)).copied()
    }

    /// [`FrameChain::end`] of every source seen, by topic and partition.
    pub fn ends(&self) -> &BTreeMap<(Topic, i32), i64> {
        &self.ends
    }

    fn continues(&self, sources: &[FrameSource]) -> bool {
        let mut known = 0;
        let fits = sources.iter().all(|source| match self.end(source.topic, source.partition) {
            Some(end) => {
                known += 1;
                source.from == end
            }
            None => true,
        });
        fits && known == self.ends.len()
    }
}

/// Ranges that run forward, each source once, by topic and partition.
fn is_well_formed(sources: &[FrameSource]) -> bool {
    let place = |source: &FrameSource| (source.topic, source.partition);
    !sources.is_empty()
        && sources.iter().all(|source| source.partition >= 0 && 0 <= source.from && source.from <= source.to)
        && sources.windows(2).all(|pair| place(&pair[0]) < place(&pair[1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(topic: Topic, partition: i32, from: i64, to: i64) -> FrameSource {
        FrameSource { topic, partition, from, to }
    }

    fn frame(sources: &[FrameSource]) -> Frame {
        Frame { sources: sources.to_vec(), anchor: -1, ..Frame::default() }
    }

    fn ticks(from: i64, to: i64) -> Frame {
        frame(&[source(Topic::Ticks, 0, from, to)])
    }

    #[test]
    fn a_frame_counts_where_the_last_one_ended() {
        let mut chain = FrameChain::default();
        assert!(chain.admit(3, &ticks(40, 50)), "the first sets the base");
        assert!(!chain.admit(4, &ticks(40, 55)), "from before the end");
        assert!(!chain.admit(5, &ticks(51, 55)), "from after the end");
        assert!(!chain.admit(6, &frame(&[])), "no sources");
        assert_eq!((chain.last(), chain.end(Topic::Ticks, 0)), (Some(3), Some(50)));
        assert!(chain.admit(7, &ticks(50, 55)));
        assert!(!chain.admit(7, &ticks(55, 60)), "an offset seen before");
        assert!(chain.admit(8, &ticks(55, 55)), "a sign of life");
        assert_eq!((chain.last(), chain.end(Topic::Ticks, 0)), (Some(8), Some(55)));
    }

    #[test]
    fn sources_may_come_but_never_go() {
        let mut chain = FrameChain::default();
        assert!(chain.admit(0, &ticks(0, 5)));
        let more = [source(Topic::Ticks, 0, 5, 5), source(Topic::Ticks, 1, 900, 901)];
        assert!(chain.admit(1, &frame(&more)), "a new partition starts anywhere");
        assert!(!chain.admit(2, &ticks(5, 9)), "its writer does not know partition 1");
        assert!(!chain.admit(3, &frame(&[source(Topic::Ticks, 0, 5, 6), source(Topic::Ticks, 1, 900, 902)])));
        assert!(chain.admit(4, &frame(&[source(Topic::Ticks, 0, 5, 6), source(Topic::Ticks, 1, 901, 902)])));
    }

    #[test]
    fn malformed_sources_never_count() {
        let bad: [&[FrameSource]; 5] = [
            &[source(Topic::Ticks, 0, 5, 4)],
            &[source(Topic::Ticks, 0, -1, 4)],
            &[source(Topic::Ticks, -1, 0, 4)],
            &[source(Topic::Ticks, 0, 0, 4), source(Topic::Ticks, 0, 0, 4)],
            &[source(Topic::Instruments, 0, 0, 4), source(Topic::Ticks, 0, 0, 4)],
        ];
        for sources in bad {
            assert!(!FrameChain::default().admit(0, &frame(sources)), "{sources:?}");
        }
    }

    #[test]
    fn a_frame_that_refers_to_one_passed_without_counting_tells_that_the_chain_is_lost() {
        let mut chain = FrameChain::default();
        assert!(chain.admit(3, &ticks(40, 50)));
        // The frame at 4 could not be read, and its writer went on from it.
        let next = |anchor| Frame { anchor, ..ticks(60, 70) };
        assert!(!chain.admit(5, &next(3)));
        assert_eq!(chain.lost(5, &next(3)), None, "sent before its writer had read back the frame at 4");
        assert_eq!(chain.lost(6, &next(4)), Some(4));
        assert_eq!(chain.lost(6, &next(-1)), None, "overtaken before it had read anything");
        assert_eq!(chain.lost(6, &next(6)), None, "no frame refers to itself");
        assert_eq!(FrameChain::default().lost(6, &next(4)), None, "a reader without a chain has lost none");
    }

    #[test]
    fn its_image_is_its_state() {
        let mut chain = FrameChain::default();
        chain.admit(0, &ticks(0, 5));
        let bytes = crate::image::to_bytes(&chain);
        let mut back: FrameChain = crate::image::from_bytes("chain", &bytes).unwrap();
        assert_eq!(back, chain);
        assert!(back.admit(9, &ticks(5, 6)));
    }

    /// A conflator as the log sees it: it writes on from where it believes to be, and may be dead for
    /// the others without knowing.
    #[derive(Clone, Default)]
    struct Writer {
        ends: [i64; 2],
        anchor: i64,
    }

    impl Writer {
        fn write(&mut self, step: i64) -> Frame {
            let from = self.ends;
            self.ends = [from[0] + 1 + step % 2, from[1] + step % 3];
            let sources = [source(Topic::Ticks, 0, from[0], self.ends[0]), source(Topic::Instruments, 0, from[1], self.ends[1])];
            Frame { anchor: self.anchor, ..frame(&sources) }
        }
        fn resume(&mut self, log: &[Frame]) {
            let mut chain = FrameChain::default();
            log.iter().zip(0..).for_each(|(frame, offset)| _ = chain.admit(offset, frame));
            let end = |topic| chain.end(topic, 0).unwrap_or(0);
            *self = Self { ends: [end(Topic::Ticks), end(Topic::Instruments)], anchor: chain.last().unwrap_or(-1) };
        }
    }

    fn counted(log: &[Frame], start: usize) -> Vec<usize> {
        let mut chain = FrameChain::default();
        let offset = |at: usize| i64::try_from(at).unwrap();
        (start..log.len()).filter(|at| chain.admit(offset(*at), &log[*at])).collect()
    }

    fn check_log(log: &[Frame]) {
        let all = counted(log, 0);
        let mut ends = [0, 0];
        for at in &all {
            let sources = &log[*at].sources;
            assert_eq!([sources[0].from, sources[1].from], ends, "a gap or an overlap before {at} of {log:?}");
            ends = [sources[0].to, sources[1].to];
        }
        for frame in log.iter().filter(|frame| frame.anchor >= 0) {
            let start = usize::try_from(frame.anchor).unwrap();
            let rest: Vec<_> = all.iter().copied().filter(|at| *at >= start).collect();
            assert_eq!(counted(log, start), rest, "a reader from {start} of {log:?} disagrees");
        }
        let mut chain = FrameChain::default();
        for (frame, offset) in log.iter().zip(0..) {
            assert_eq!(chain.lost(offset, frame), None, "no writer of {log:?} knows a frame that the readers do not");
            chain.admit(offset, frame);
        }
    }

    /// Every history of nine events of two writers, each of which either writes on blindly or restarts.
    #[test]
    fn whatever_two_writers_do_the_counted_frames_have_no_gap_and_all_readers_agree() {
        const EVENTS: u32 = 9;
        for history in 0..4_u32.pow(EVENTS) {
            let mut writers = [Writer { anchor: -1, ..Writer::default() }, Writer { anchor: -1, ..Writer::default() }];
            let mut log = Vec::new();
            for event in 0..EVENTS {
                let choice = history / 4_u32.pow(event) % 4;
                let writer = &mut writers[usize::from(choice % 2 == 1)];
                if choice < 2 { log.push(writer.write(i64::from(event))) } else { writer.resume(&log) }
            }
            check_log(&log);
        }
    }
}
