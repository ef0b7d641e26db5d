//! Where a conflator goes on: what the end of the frames' own topic says.

use crate::prices::Prices;
use domain::Timestamp;
use domain::frame::Frame;
use engine::frames::FrameChain;

/// The frame from which the chain could be followed is no longer in its topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "frames cannot be continued: the newest one refers to frame {anchor}, the topic starts at {log_start}; \
     its retention is too short: resume from the chain in the checkpoint of any lane that read to the end"
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
    /// The tail behind a chain known from elsewhere: a lane's checkpoint.
    pub fn after(chain: FrameChain) -> Self {
        Self { chain, ..Self::default() }
    }
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
