//! The job as a Rust service from the crates' examples: `StreamConsumer`, generic Avro values, `rust_decimal`, one
//! transaction a commit interval. It keeps its books in memory and reads its own bookings back when it starts.
//!
//! Arguments: servers, topics of fills, of ticks and of bookings, group, commit interval in milliseconds, schemas of fills, of
//! ticks and of bookings.

mod book;
mod booking;
mod fill;
mod tick;

use anyhow::{Context, Result};
use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::writer::datum::GenericDatumWriter;
use book::Book;
use futures::future::join_all;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(30);

/// Readers and writers of the records, made once.
struct Formats<'s> {
    fills: GenericDatumReader<'s>,
    ticks: GenericDatumReader<'s>,
    bookings: GenericDatumReader<'s>,
    booking: &'s Schema,
    written: GenericDatumWriter<'s>,
}

struct Arguments {
    servers: String,
    input: String,
    prices: String,
    output: String,
    group: String,
    interval: Duration,
    fills: String,
    ticks: String,
    bookings: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = arguments().context("servers, fills, ticks, output, group, milliseconds, three schemas")?;
    let read = |name: &str| std::fs::read_to_string(name).with_context(|| name.to_owned());
    let fills = Schema::parse_str(&read(&arguments.fills)?)?;
    let ticks = Schema::parse_str(&read(&arguments.ticks)?)?;
    let bookings = Schema::parse_str(&read(&arguments.bookings)?)?;
    let formats = Formats {
        fills: GenericDatumReader::builder(&fills).build()?,
        ticks: GenericDatumReader::builder(&ticks).build()?,
        bookings: GenericDatumReader::builder(&bookings).build()?,
        booking: &bookings,
        written: GenericDatumWriter::builder(&bookings).build()?,
    };
    let mut book = Book::default();
    // First: it ends what an earlier life left open, so that nothing is committed behind what is read back.
    let producer = producer(&arguments)?;
    restore(&arguments, &formats, &mut book).await?;
    run(&arguments, &producer, &formats, &mut book).await
}

fn arguments() -> Option<Arguments> {
    let mut given = std::env::args().skip(1);
    Some(Arguments {
        servers: given.next()?,
        input: given.next()?,
        prices: given.next()?,
        output: given.next()?,
        group: given.next()?,
        interval: Duration::from_millis(given.next()?.parse().ok()?),
        fills: given.next()?,
        ticks: given.next()?,
        bookings: given.next()?,
    })
}

fn consumer(arguments: &Arguments, group: &str) -> Result<StreamConsumer> {
    let consumer = ClientConfig::new()
        .set("bootstrap.servers", &arguments.servers)
        .set("group.id", group)
        .set("group.instance.id", "peer")
        .set("session.timeout.ms", "30000")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .create()?;
    Ok(consumer)
}

/// Reads the bookings of earlier lives to their end: the last of each position and portfolio holds.
async fn restore(arguments: &Arguments, formats: &Formats<'_>, book: &mut Book) -> Result<()> {
    let consumer = consumer(arguments, &format!("{}-restore", arguments.group))?;
    let metadata = consumer.fetch_metadata(Some(&arguments.output), PATIENCE)?;
    let partitions = metadata.topics().first().context("the output is there")?.partitions().len();
    let mut all = TopicPartitionList::new();
    for partition in 0..partitions {
        all.add_partition_offset(&arguments.output, i32::try_from(partition)?, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let mut ended = 0;
    while ended < partitions {
        match consumer.recv().await {
            Ok(message) => booking::restore(&formats.bookings, message.payload().context("a booking has a value")?, book)?,
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => ended += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn producer(arguments: &Arguments) -> Result<FutureProducer> {
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &arguments.servers)
        .set("transactional.id", &arguments.group)
        .set("compression.type", "lz4")
        .set("queue.buffering.max.messages", "1000000")
        .create()?;
    producer.init_transactions(PATIENCE)?;
    Ok(producer)
}

async fn run(arguments: &Arguments, producer: &FutureProducer, formats: &Formats<'_>, book: &mut Book) -> Result<()> {
    let consumer = consumer(arguments, &arguments.group)?;
    consumer.subscribe(&[&arguments.input, &arguments.prices])?;
    loop {
        let first = next(&consumer, None).await.context("without a limit there is a message")?;
        producer.begin_transaction()?;
        let (begun, mut sent, mut reached) = (Instant::now(), Vec::new(), BTreeMap::new());
        let mut message = Some(first);
        while let Some(read) = message {
            let value = read.payload().context("a record has a value")?;
            if read.topic() == arguments.prices {
                book.price(tick::read(&formats.ticks, value)?);
            } else {
                let booked = fill::read(&formats.fills, value)?;
                let value = booking::write(formats.booking, &formats.written, &booked, book)?;
                let record = FutureRecord::to(&arguments.output).key(&booked.portfolio).payload(&value).partition(read.partition());
                sent.push(producer.send_result(record).map_err(|(error, _)| error)?);
            }
            reached.insert((read.topic().to_owned(), read.partition()), read.offset() + 1);
            message = next(&consumer, Some(arguments.interval.saturating_sub(begun.elapsed()))).await;
        }
        for delivered in join_all(sent).await {
            delivered?.map_err(|(error, _)| error)?;
        }
        let mut offsets = TopicPartitionList::new();
        for ((topic, partition), offset) in reached {
            offsets.add_partition_offset(&topic, partition, Offset::Offset(offset))?;
        }
        let group = consumer.group_metadata().context("it is a member of its group")?;
        producer.send_offsets_to_transaction(&offsets, &group, PATIENCE)?;
        producer.commit_transaction(PATIENCE)?;
    }
}

/// The next message within a limit. An end of a partition is no message.
async fn next(consumer: &StreamConsumer, limit: Option<Duration>) -> Option<BorrowedMessage<'_>> {
    let until = limit.map(|limit| Instant::now() + limit);
    loop {
        let received = match until {
            None => consumer.recv().await,
            Some(until) => match tokio::time::timeout_at(until.into(), consumer.recv()).await {
                Ok(received) => received,
                Err(_) => return None,
            },
        };
        match received {
            Ok(message) => return Some(message),
            Err(rdkafka::error::KafkaError::PartitionEOF(_)) => {}
            // As the examples do: said, and on; the client asks again by itself.
            Err(error) => eprintln!("{error}"),
        }
    }
}
