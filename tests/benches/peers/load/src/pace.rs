//! Sends fills by a schedule that waits for nobody, and notes when their bookings are read, committed. A delay counts from
//! the moment that a fill was due, so that a sender held up hides nothing.

use crate::client::{self, Sender};
use crate::fills::Stream;
use crate::load::Load;
use crate::outputs::{Format, Outputs};
use crate::verify::next;
use anyhow::{Context, Result};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::Offset;
use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// One portfolio in so many is watched: reading every record would take from the contestants.
const WATCHED: u64 = 16;

/// Which fills are sent when.
#[derive(Clone, Copy)]
pub struct Schedule {
    /// The first.
    pub from: u64,
    /// Fills a second.
    pub rate: u64,
    /// How many.
    pub count: u64,
}

/// A committed record of a watched portfolio: when it was read, and its bytes, which are understood afterwards.
type Read = (u128, Vec<u8>);

impl Schedule {
    fn holds(&self, n: u64) -> bool {
        (self.from..self.from + self.count).contains(&n)
    }

    fn due(&self, n: u64) -> u128 {
        u128::from(n - self.from) * 1_000_000_000 / u128::from(self.rate)
    }
}

/// Sends by the schedule and waits for the bookings, at most `limit` after the last was due. Writes a line a watched fill:
/// its number, when it was due, when it was read (nanoseconds since 1970; 0: never).
pub fn run(brokers: &str, (format, topic): (Format, &str), load: &Load, schedule: Schedule, limit: Duration, file: &str) -> Result<()> {
    let stream = &load.stream;
    let consumer = client::reader(brokers, topic, Offset::End)?;
    // The reader stands at the end before the first fill is sent.
    let warm = Instant::now();
    while warm.elapsed() < Duration::from_millis(500) {
        next(&consumer)?;
    }
    // A client that has sent nothing yet takes half a second for its first record: this one has no schedule to keep.
    let sender = Sender::open(brokers, 1)?;
    load.send(&sender, schedule.from, &mut Vec::new())?;
    sender.flush()?;
    let (begun, sent) = (wall(), AtomicBool::new(false));
    let (outputs, mut reads, mut times) = (Outputs::of(format)?, Vec::new(), HashMap::new());
    let wanted = (schedule.from..schedule.from + schedule.count).filter(|n| watched(stream.fill(*n).portfolio)).count();
    std::thread::scope(|scope| -> Result<()> {
        let sending = scope.spawn(|| {
            let done = send(&sender, load, schedule);
            sent.store(true, Ordering::Release);
            done
        });
        while !sent.load(Ordering::Acquire) {
            note(&consumer, stream, &mut reads)?;
        }
        sending.join().map_err(|_| anyhow::anyhow!("the sender failed"))??;
        let end = Instant::now() + limit;
        loop {
            understand(&outputs, schedule, &mut reads, &mut times)?;
            if times.len() >= wanted || Instant::now() > end {
                return Ok(());
            }
            note(&consumer, stream, &mut reads)?;
        }
    })?;
    write(file, stream, schedule, begun, &times)
}

fn watched(portfolio: u64) -> bool {
    portfolio.is_multiple_of(WATCHED)
}

/// Sends all but the first, each when it is due.
fn send(sender: &Sender, load: &Load, schedule: Schedule) -> Result<()> {
    let (start, mut value, mut n) = (Instant::now(), Vec::new(), schedule.from + 1);
    let end = schedule.from + schedule.count;
    while n < end {
        while n < end && schedule.due(n) <= start.elapsed().as_nanos() {
            load.send(sender, n, &mut value)?;
            n += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    sender.flush()
}

fn note(consumer: &rdkafka::consumer::BaseConsumer, stream: &Stream, reads: &mut Vec<Read>) -> Result<()> {
    let Some(message) = next(consumer)? else { return Ok(()) };
    let key = message.key().and_then(|key| std::str::from_utf8(key).ok()).and_then(|key| key.strip_prefix("fund-"));
    let owner: u64 = key.and_then(|number| number.parse().ok()).context("a record has its portfolio as key")?;
    if owner < stream.portfolios() && watched(owner) {
        reads.push((wall(), message.payload().context("an output has a value")?.to_vec()));
    }
    Ok(())
}

fn understand(outputs: &Outputs, schedule: Schedule, reads: &mut Vec<Read>, times: &mut HashMap<u64, u128>) -> Result<()> {
    for (at, bytes) in reads.drain(..) {
        outputs.read(&bytes, &mut |output| {
            for booked in output.booked.iter().filter(|booked| schedule.holds(booked.fill)) {
                times.entry(booked.fill).or_insert(at);
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn write(file: &str, stream: &Stream, schedule: Schedule, begun: u128, times: &HashMap<u64, u128>) -> Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).with_context(|| file.to_owned())?);
    for n in schedule.from..schedule.from + schedule.count {
        if n > schedule.from && watched(stream.fill(n).portfolio) {
            writeln!(out, "{n},{},{}", begun + schedule.due(n), times.get(&n).copied().unwrap_or(0))?;
        }
    }
    Ok(out.flush()?)
}

/// Nanoseconds since 1970.
pub fn wall() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}
