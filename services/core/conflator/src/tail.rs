//! Where a conflator goes on: what the end of the frames' own topic says.

use crate::prices::Prices;
use domain::Timestamp;
use domain::frame::Frame;
use engine::frames::FrameChain;

/// The frame from which the chain could be followed is no longer in its topic: nothing that is left is known to count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "frames cannot be continued: the newest one goes on from frame {anchor}, and their topic starts at {log_start}, by its \
     retention or by hand: restore it, or make it anew and begin anew with the lanes that read it, as the runbook of halted \
     lanes says under FRAMES"
)]
pub struct AnchorGone {
    /// The anchor of the newest frame; -1 where none counted before it.
    pub anchor: i64,
    /// First offset that the topic still holds.
    pub log_start: i64,
}

/// The offset from which the frames must be read so that it is known which count, given the newest frame.
pub fn tail_start(newest: &Frame, log_start: i64) -> Result<i64, AnchorGone> {
    match newest.anchor {
        anchor if anchor >= 0 && anchor >= log_start => Ok(anchor),
        // Nothing had counted yet: the chain begins with the first frame of all.
        -1 if log_start == 0 => Ok(0),
        anchor => Err(AnchorGone { anchor, log_start }),
    }
}

/// The end of the frames' topic as it is read: the chain, and how new each instrument's newest tick was.
#[derive(Debug, Default)]
pub struct Tail {
    pub(crate) chain: FrameChain,
    pub(crate) prices: Prices,
    pub(crate) event_time: Timestamp,
}

impl Tail {
    /// Reads the next frame; whether it counts.
    pub fn read(&mut self, offset: i64, frame: &Frame) -> bool {
        let counts = self.chain.admit(offset, frame);
        if counts {
            self.event_time = frame.event_time;
            frame.prices.iter().for_each(|price| self.prices.learn(price));
        }
        counts
    }
    /// The chain as of the last frame read.
    pub fn chain(&self) -> &FrameChain {
        &self.chain
    }
}
