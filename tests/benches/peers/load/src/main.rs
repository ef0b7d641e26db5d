//! What `make bench-peers` asks for: topics, fills from a seed, when outputs come to rest, delays, and the verdict on what a
//! contestant published. It knows the topics and their schemas, and no contestant.

mod avro;
mod client;
mod fills;
mod load;
mod model;
mod outputs;
mod pace;
mod verify;

use anyhow::{Context, Result, bail};
use fills::Stream;
use load::Load;
use outputs::Format;
use std::time::{Duration, Instant};
use verify::Counter;

const USAGE: &str = "peers-load BROKERS, then one of:
  reset                                            remove every topic
  create TOPIC PARTITIONS                          make a topic
  publish SEED POSITIONS TICKS FROM COUNT          send fills, and ticks with each, as fast as it goes
  hold SEED POSITIONS TICKS FROM COUNT             send them in a transaction, and commit it at a line of input
  await FORMAT TOPIC COUNT SECONDS                 wait until so many are booked
  rest FORMAT TOPIC COUNT MILLISECONDS SECONDS     say when the committed end moved first and last, once it rests so long and
                                                   so many fills are booked (0: whatever is there)
  pace FORMAT TOPIC SEED POSITIONS TICKS FROM RATE COUNT SECONDS FILE   send by a schedule, write when each was read
  verify FORMAT TOPIC SEED POSITIONS COUNT         judge everything that is committed
FORMAT is ledger or booking.";

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    match given.as_slice() {
        [brokers, "reset"] => client::delete_topics(brokers),
        [brokers, "create", topic, partitions] => client::create_topic(brokers, topic, partitions.parse()?),
        [brokers, "publish", seed, positions, ticks, from, count] => {
            Load { stream: stream(seed, positions)?, ticks: whole(ticks)? }.publish(brokers, whole(from)?, whole(count)?)
        }
        [brokers, "hold", seed, positions, ticks, from, count] => {
            Load { stream: stream(seed, positions)?, ticks: whole(ticks)? }.hold(brokers, whole(from)?, whole(count)?)
        }
        [brokers, "await", format, topic, count, seconds] => {
            verify::await_fills(brokers, Format::named(format)?, topic, whole(count)?, Duration::from_secs(whole(seconds)?))
        }
        [brokers, "rest", format, topic, count, quiet, seconds] => rest(
            brokers,
            (Format::named(format)?, topic),
            whole(count)?,
            Duration::from_millis(whole(quiet)?),
            Duration::from_secs(whole(seconds)?),
        ),
        [brokers, "pace", format, topic, seed, positions, ticks, from, rate, count, seconds, file] => {
            let schedule = pace::Schedule { from: whole(from)?, rate: whole(rate)?, count: whole(count)? };
            let limit = Duration::from_secs(whole(seconds)?);
            let load = Load { stream: stream(seed, positions)?, ticks: whole(ticks)? };
            pace::run(brokers, (Format::named(format)?, topic), &load, schedule, limit, file)
        }
        [brokers, "verify", format, topic, seed, positions, count] => {
            verify::verify(brokers, Format::named(format)?, topic, &stream(seed, positions)?, whole(count)?)
        }
        _ => bail!("{USAGE}"),
    }
}

fn whole(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text:?} is no whole number"))
}

fn stream(seed: &str, positions: &str) -> Result<Stream> {
    Ok(Stream::new(whole(seed)?, whole(positions)?))
}

/// Watches where committed records end. It says that it watches, then when the end moved first and last. It counts only while
/// the end rests, so that nothing is taken from a contestant at work.
fn rest(brokers: &str, (format, topic): (Format, &str), count: u64, quiet: Duration, limit: Duration) -> Result<()> {
    let consumer = client::any_reader(brokers)?;
    let partitions = client::partitions(&consumer, topic)?;
    let mut counter = None;
    let mut end = client::stable_ends(&consumer, topic, partitions)?;
    println!("watching");
    let (start, mut first, mut last, mut looked) = (Instant::now(), 0, (pace::wall(), Instant::now()), Instant::now());
    loop {
        std::thread::sleep(Duration::from_millis(10));
        let now = client::stable_ends(&consumer, topic, partitions)?;
        if now != end {
            (end, last) = (now, (pace::wall(), Instant::now()));
            if first == 0 {
                first = last.0;
            }
        } else if first > 0 && last.1.elapsed() > quiet && looked.elapsed() > quiet {
            if count == 0 || counted(&mut counter, || Counter::open(brokers, format, topic))? >= count {
                println!("{}", serde_json::json!({"first": first.to_string(), "last": last.0.to_string()}));
                return Ok(());
            }
            looked = Instant::now();
        }
        if start.elapsed() > limit {
            bail!("{topic} did not come to rest within {limit:?}");
        }
    }
}

/// Counts on. The counter is opened late, since an open reader fetches ahead.
fn counted(counter: &mut Option<Counter>, open: impl FnOnce() -> Result<Counter>) -> Result<u64> {
    if counter.is_none() {
        *counter = Some(open()?);
    }
    counter.as_mut().map_or(Ok(0), Counter::read)
}
