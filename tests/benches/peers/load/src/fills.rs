//! Fills from a seed: the n-th is the same in every run. The first round opens every position, then buys and sells of random
//! size follow, so that positions grow, shrink, close and turn over. Ticks of all instruments in turn go with them. It writes
//! both by their schemas, byte by byte.

use std::time::{SystemTime, UNIX_EPOCH};

/// Lines of a portfolio.
pub const LINES: u64 = 25;
/// Instruments that all portfolios trade.
pub const INSTRUMENTS: u64 = 500;
const DAY: u64 = 86_400;

/// A trade in whole units and cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Portfolio.
    pub portfolio: u64,
    /// Its line, below `LINES`.
    pub line: u64,
    /// Signed units.
    pub units: i64,
    /// Price in cents.
    pub cents: u64,
    /// Fee in cents.
    pub fee: u64,
}

/// A stream of fills over so many positions.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    seed: u64,
    positions: u64,
    now: u64,
}

/// The name of a portfolio.
pub fn portfolio(n: u64) -> String {
    format!("fund-{n:05}")
}

/// The name of a line's instrument: the lines of a portfolio start somewhere among all and lie seven apart.
pub fn instrument(portfolio: u64, line: u64) -> String {
    format!("US{:09}", (portfolio * 13 + line * 7) % INSTRUMENTS)
}

/// The execution id of the n-th fill.
pub fn exec_id(n: u64) -> String {
    format!("E{n:012}")
}

/// Which fill an execution id names.
pub fn number(exec_id: &str) -> Option<u64> {
    exec_id.strip_prefix('E')?.parse().ok()
}

impl Stream {
    /// A stream of this moment.
    pub fn new(seed: u64, positions: u64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { seed, positions: positions.max(LINES), now }
    }

    /// Portfolios.
    pub fn portfolios(&self) -> u64 {
        self.positions / LINES
    }

    /// The n-th fill.
    pub fn fill(&self, n: u64) -> Fill {
        let mixed = mix(self.seed ^ n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let portfolios = self.portfolios();
        let opening = n < portfolios * LINES;
        let place = if opening { n } else { mixed % (portfolios * LINES) };
        let size = i64::try_from(1 + (mixed >> 20) % 40).unwrap_or(1);
        let sells = !opening && (mixed >> 40) & 1 == 1;
        Fill {
            portfolio: place % portfolios,
            line: place / portfolios,
            units: if sells { -size } else { size },
            cents: 1_000 + (mixed >> 8) % 500,
            fee: 5 + (mixed >> 44) % 90,
        }
    }

    /// The n-th fill as it lies in its topic, after what `into` holds.
    pub fn write(&self, n: u64, into: &mut Vec<u8>) {
        let fill = self.fill(n);
        header(into, "execution.fills.v1");
        text(into, "oms-1");
        text(into, &exec_id(n));
        long(into, i64::try_from(self.now / DAY).unwrap_or(0));
        long(into, 1); // TRADE
        long(into, 0);
        text(into, &portfolio(fill.portfolio));
        text(into, &instrument(fill.portfolio, fill.line));
        long(into, 1);
        text(into, "XNYS");
        long(into, if fill.units > 0 { 1 } else { 2 });
        fixed(into, i128::from(fill.units.unsigned_abs()) * 100_000_000);
        fixed(into, i128::from(fill.cents) * 100_000_000);
        text(into, "USD");
        long(into, 1);
        text(into, "commission");
        fixed(into, i128::from(fill.fee) * 100_000_000);
        text(into, "USD");
        long(into, 0);
        // Settlement, rate, order, strategy, cumulative quantity, gross amount, accrued interest.
        (0..7).for_each(|_| long(into, 0));
        long(into, i64::try_from(self.now * 1_000_000).unwrap_or(0));
        long(into, 0);
    }

    /// The instrument of the n-th tick.
    pub fn ticked(n: u64) -> String {
        format!("US{:09}", n % INSTRUMENTS)
    }

    /// The n-th tick, of this moment, after what `into` holds: a last price and nothing else.
    pub fn write_tick(&self, n: u64, into: &mut Vec<u8>) {
        header(into, "marketdata.ticks.v1");
        text(into, &Self::ticked(n));
        (0..2).for_each(|_| long(into, 0));
        long(into, 1);
        fixed(into, i128::from(1_000 + mix(self.seed ^ n) % 500) * 100_000_000);
        // Mark, accrued, volume, venue.
        (0..4).for_each(|_| long(into, 0));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
        long(into, i64::try_from(now).unwrap_or(0));
        long(into, 0);
    }
}

fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The mark of a record and its schema's fingerprint, from the list that readers of the topics have.
fn header(into: &mut Vec<u8>, topic: &str) {
    const LISTED: &str = include_str!("../../../../../schemas/fingerprints.txt");
    let line = LISTED.lines().find_map(|line| line.strip_prefix(topic)?.strip_prefix(' '));
    let fingerprint = line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).expect("the list names the topic");
    into.extend_from_slice(&[0xC3, 0x01]);
    into.extend_from_slice(&fingerprint.to_le_bytes());
}

fn long(into: &mut Vec<u8>, value: i64) {
    let mut rest = (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned();
    while rest >= 0x80 {
        into.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    into.push(rest.to_le_bytes()[0]);
}

fn text(into: &mut Vec<u8>, text: &str) {
    long(into, i64::try_from(text.len()).unwrap_or(0));
    into.extend_from_slice(text.as_bytes());
}

/// Twelve bytes, big-endian two's complement.
fn fixed(into: &mut Vec<u8>, units: i128) {
    into.extend_from_slice(&units.to_be_bytes()[4..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_opens_every_position_once_and_is_the_same_each_time() {
        let stream = Stream::new(7, 100);
        let mut opened: Vec<_> = (0..100).map(|n| stream.fill(n)).map(|fill| (fill.portfolio, fill.line)).collect();
        opened.sort_unstable();
        opened.dedup();
        assert_eq!(opened.len(), 100);
        assert!((0..100).all(|n| stream.fill(n).units > 0));
        assert!((100..200).any(|n| stream.fill(n).units < 0));
        assert!((0..1_000).all(|n| stream.fill(n) == Stream::new(7, 100).fill(n)));
        assert_ne!(stream.fill(5), Stream::new(8, 100).fill(5));
    }
}
