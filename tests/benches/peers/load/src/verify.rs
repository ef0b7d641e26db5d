//! Judges what a contestant published: every fill booked once, each with the right profit, in order; every position and all
//! cash as the model has them. It reads committed records from the beginning and shares no code with any contestant.

use crate::client;
use crate::fills::{Fill, LINES, Stream, instrument, portfolio};
use crate::model::{Books, published};
use crate::outputs::{Format, Output, Outputs};
use anyhow::{Context, Result, bail};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::topic_partition_list::Offset;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// How a position stood: units of eight decimals, then money of ten.
type Stood = (i128, i128, i128, i128);

/// What was seen so far.
pub struct Seen {
    fills: Vec<bool>,
    newest: HashMap<u64, u64>,
    positions: HashMap<(u64, String), Stood>,
    cash: HashMap<u64, i128>,
    marks: HashSet<(i32, Vec<u8>, Vec<u8>)>,
    /// Committed records that repeat a step, which a reader drops by their headers.
    pub repeats: u64,
}

impl Seen {
    fn new(count: u64) -> Result<Self> {
        Ok(Self {
            fills: vec![false; usize::try_from(count)?],
            newest: HashMap::new(),
            positions: HashMap::new(),
            cash: HashMap::new(),
            marks: HashSet::new(),
            repeats: 0,
        })
    }

    /// Whether a record repeats a step: outputs of the service carry its number and their place in it.
    fn repeats(&mut self, message: &BorrowedMessage<'_>) -> bool {
        let Some(headers) = message.headers() else { return false };
        let value = |name: &str| headers.iter().find(|header| header.key == name).and_then(|header| header.value).map(<[u8]>::to_vec);
        let (Some(step), Some(index)) = (value("step"), value("index")) else { return false };
        let again = !self.marks.insert((message.partition(), step, index));
        self.repeats += u64::from(again);
        again
    }

    fn take(&mut self, output: &Output<'_>, stream: &Stream, books: &Books) -> Result<()> {
        let owner: u64 = output.portfolio.trim_start_matches("fund-").parse().context("a portfolio of the load")?;
        for booked in &output.booked {
            let at = usize::try_from(booked.fill)?;
            let seen = self.fills.get_mut(at).with_context(|| format!("fill {} was never sent", booked.fill))?;
            if std::mem::replace(seen, true) {
                bail!("fill {} was booked twice", booked.fill);
            }
            let fill: Fill = stream.fill(booked.fill);
            if fill.portfolio != owner || booked.quantity != i128::from(fill.units) * 100_000_000 {
                bail!("fill {} was booked as {} units of {owner}, and is {fill:?}", booked.fill, booked.quantity);
            }
            if booked.realized != published(books.realized[at]) {
                bail!("fill {} realised {} and not {}", booked.fill, booked.realized, published(books.realized[at]));
            }
            if self.newest.insert(owner, booked.fill).is_some_and(|before| before > booked.fill) {
                bail!("fill {} was booked after a later one", booked.fill);
            }
        }
        for stand in &output.stands {
            self.positions.insert((owner, stand.instrument.to_owned()), (stand.quantity, stand.cost, stand.realized, stand.fees));
        }
        self.cash.insert(owner, output.cash);
        Ok(())
    }

    /// What is missing or wrong at the end.
    fn judge(&self, stream: &Stream, books: &Books, opening: i128) -> Result<()> {
        let missing = self.fills.iter().filter(|seen| !**seen).count();
        if missing > 0 {
            bail!("{missing} of {} fills were not booked", self.fills.len());
        }
        for (place, wanted) in &books.positions {
            let name = instrument(place.0, place.1);
            let wanted = (wanted.units * 100_000_000, published(wanted.cost), published(wanted.realized), published(wanted.fees));
            let stood = self.positions.get(&(place.0, name.clone()));
            if stood != Some(&wanted) {
                bail!("{} in {name} stood at {stood:?} and not at {wanted:?}", portfolio(place.0));
            }
        }
        for owner in 0..stream.portfolios() {
            let wanted = books.cash.get(&owner).map(|cash| opening + published(*cash));
            if self.cash.get(&owner).copied() != wanted {
                bail!("{} had {:?} in cash and not {wanted:?}", portfolio(owner), self.cash.get(&owner));
            }
        }
        if self.positions.len() != books.positions.len() {
            bail!("{} positions were published, and there are {}", self.positions.len(), books.positions.len());
        }
        Ok(())
    }
}

/// Reads everything that is committed and judges it. Prints what it saw.
pub fn verify(brokers: &str, format: Format, topic: &str, stream: &Stream, count: u64) -> Result<()> {
    let (outputs, books, mut seen) = (Outputs::of(format)?, Books::after(stream, count), Seen::new(count)?);
    let records = read_all(brokers, topic, |message| {
        if seen.repeats(message) {
            return Ok(());
        }
        outputs.read(message.payload().context("an output has a value")?, &mut |output| seen.take(output, stream, &books))
    })?;
    seen.judge(stream, &books, format.opening())?;
    let lines = LINES * stream.portfolios();
    println!("{}", serde_json::json!({"fills": count, "records": records, "repeats": seen.repeats, "lines": lines}));
    Ok(())
}

/// Waits until so many fills are booked.
pub fn await_fills(brokers: &str, format: Format, topic: &str, count: u64, limit: Duration) -> Result<()> {
    let (outputs, consumer) = (Outputs::of(format)?, client::reader(brokers, topic, Offset::Beginning)?);
    let (mut seen, mut booked, start) = (Seen::new(0)?, 0, Instant::now());
    while booked < count {
        if start.elapsed() > limit {
            bail!("{booked} of {count} fills were booked within {limit:?}");
        }
        if let Some(message) = next(&consumer)?.filter(|message| !seen.repeats(message)) {
            outputs.read(message.payload().context("an output has a value")?, &mut |output| {
                booked += u64::try_from(output.booked.len())?;
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Visits every committed record; gives their number.
fn read_all(brokers: &str, topic: &str, mut visit: impl FnMut(&BorrowedMessage<'_>) -> Result<()>) -> Result<u64> {
    let consumer = client::reader(brokers, topic, Offset::Beginning)?;
    let (mut open, mut records, mut last) = (client::partitions(&consumer, topic)?, 0, Instant::now());
    while open > 0 {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                visit(&message)?;
                (records, last) = (records + 1, Instant::now());
            }
            Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => return Err(error.into()),
            None if last.elapsed() > client::PATIENCE => bail!("{topic} does not come to its end"),
            None => {}
        }
    }
    Ok(records)
}

/// The next record, if there is one soon.
pub fn next(consumer: &BaseConsumer) -> Result<Option<BorrowedMessage<'_>>> {
    match consumer.poll(Duration::from_millis(50)) {
        None | Some(Err(KafkaError::PartitionEOF(_))) => Ok(None),
        Some(Ok(message)) => Ok(Some(message)),
        Some(Err(error)) => Err(error.into()),
    }
}
