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

/// Counts booked fills from the beginning on.
pub struct Counter {
    outputs: Outputs,
    consumer: BaseConsumer,
    seen: Seen,
    booked: u64,
}

impl Counter {
    /// A counter that has read nothing.
    pub fn open(brokers: &str, format: Format, topic: &str) -> Result<Self> {
        let consumer = client::reader(brokers, topic, Offset::Beginning)?;
        Ok(Self { outputs: Outputs::of(format)?, consumer, seen: Seen::new(0)?, booked: 0 })
    }

    /// Reads what is there, and waits a moment where nothing is. How many fills are booked so far.
    pub fn read(&mut self) -> Result<u64> {
        while let Some(polled) = self.consumer.poll(Duration::from_millis(50)) {
            let message = match polled {
                Ok(message) => message,
                Err(KafkaError::PartitionEOF(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            if self.seen.repeats(&message) {
                continue;
            }
            self.outputs.read(message.payload().context("an output has a value")?, &mut |output| {
                self.booked += u64::try_from(output.booked.len())?;
                Ok(())
            })?;
        }
        Ok(self.booked)
    }
}

/// Waits until so many fills are booked.
pub fn await_fills(brokers: &str, format: Format, topic: &str, count: u64, limit: Duration) -> Result<()> {
    let (mut counter, start) = (Counter::open(brokers, format, topic)?, Instant::now());
    loop {
        let booked = counter.read()?;
        if booked >= count {
            return Ok(());
        }
        if start.elapsed() > limit {
            bail!("{booked} of {count} fills were booked within {limit:?}");
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::{Booked, Stand};

    const FILLS: u64 = 400;

    /// A portfolio, its booking, the position after it, and its cash.
    type Told = (u64, Booked, (String, Stood), i128);

    /// What a contestant without a mistake publishes: a record a fill.
    fn truth(stream: &Stream) -> Vec<Told> {
        let told = |n: u64| {
            let (fill, books) = (stream.fill(n), Books::after(stream, n + 1));
            let at = books.positions[&(fill.portfolio, fill.line)];
            let stood = (at.units * 100_000_000, published(at.cost), published(at.realized), published(at.fees));
            let realized = published(books.realized[usize::try_from(n).expect("a small number")]);
            let booked = Booked { fill: n, quantity: i128::from(fill.units) * 100_000_000, realized };
            (fill.portfolio, booked, (instrument(fill.portfolio, fill.line), stood), published(books.cash[&fill.portfolio]))
        };
        (0..FILLS).map(told).collect()
    }

    /// The verdict on records with a mistake planted in them.
    fn verdict(plant: impl FnOnce(&mut Vec<Told>)) -> Result<()> {
        let stream = Stream::new(11, 50);
        let (mut records, books, mut seen) = (truth(&stream), Books::after(&stream, FILLS), Seen::new(FILLS)?);
        plant(&mut records);
        for (owner, booked, (instrument, stood), cash) in records {
            let name = portfolio(owner);
            let stand = Stand { instrument: &instrument, quantity: stood.0, cost: stood.1, realized: stood.2, fees: stood.3 };
            seen.take(&Output { portfolio: &name, booked: vec![booked], stands: vec![stand], cash }, &stream, &books)?;
        }
        seen.judge(&stream, &books, 0)
    }

    #[test]
    fn the_truth_is_right_and_every_mistake_is_seen() {
        assert!(verdict(|_| ()).is_ok());
        let wrong = |what: &str, verdict: Result<()>| {
            let text = verdict.expect_err(what).to_string();
            assert!(text.contains(what), "{what}: {text}");
        };
        wrong("were not booked", verdict(|records| records.truncate(399)));
        wrong("booked twice", verdict(|records| records[399].1.fill = 398));
        wrong("realised", verdict(|records| records[399].1.realized += 1));
        wrong("was booked as", verdict(|records| records[399].1.quantity += 1));
        wrong("stood at", verdict(|records| records[399].2.1.1 += 1));
        wrong("in cash", verdict(|records| records[399].3 += 1));
        wrong("after a later one", verdict(|records| swap_the_last_two_of_a_portfolio(records)));
    }

    fn swap_the_last_two_of_a_portfolio(records: &mut [Told]) {
        let last = records.len() - 1;
        let before = (0..last).rev().find(|at| records[*at].0 == records[last].0).expect("a portfolio has many fills");
        records.swap(before, last);
    }
}
