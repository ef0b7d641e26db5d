//! Whether a lane has just stood still: stopped by the machine, or waiting for its commit. What was appended meanwhile is
//! not read by the next look, and until it may be, the end that was seen before says nothing. It decides nothing.

use std::time::Duration;

/// A pause between two looks that is a stall, and how long after one the client may need to fetch what came in it.
const STALL: Duration = Duration::from_secs(1);

/// When the lane has looked last.
#[derive(Debug, Default)]
pub struct Stall {
    looked: Option<Duration>,
    until: Option<Duration>,
}

impl Stall {
    /// Notes a look at `now`, by the steady clock; whether what it gave may lack what was there.
    pub fn look(&mut self, now: Duration) -> bool {
        if self.looked.replace(now).is_some_and(|looked| now.saturating_sub(looked) > STALL) {
            self.until = Some(now + STALL);
        }
        self.until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_has_stood_still_for_a_while_after_a_long_pause() {
        let (mut stall, start) = (Stall::default(), Duration::from_secs(7));
        let mut look = |ms: u64| stall.look(start + Duration::from_millis(ms));
        assert_eq!([look(0), look(10), look(1_010)], [false; 3]);
        assert_eq!([look(2_011), look(2_021), look(3_010)], [true; 3], "1,001 ms are a pause");
        assert_eq!([look(3_011), look(3_021)], [false; 2]);
    }
}
