//! The one place that talks to librdkafka without rdkafka in between: the batch queue, and a producer's flush, whose time
//! rdkafka sets to nothing, so that no thread of the client can have heard of it when it ends.
//!
//! `rd_kafka_consume_batch_queue` costs the application thread 0.06 µs a message instead of the
//! 0.25 of `BaseConsumer::poll`, which makes an event and a reference count of every one. Promises
//! safe types outwards: a [`Record`] borrows from messages that are freed exactly once, before their
//! client. Decides nothing about errors or positions.
//!
//! # Why this is sound
//! - A message pointer comes from the batch call, is never null, is owned by us from then on, and is
//!   destroyed in `Drop` of [`Messages`] only. All access is through `&Messages`, so no pointer is
//!   read after that.
//! - librdkafka requires every message and queue reference to go before its client. [`Messages`]
//!   holds an `Arc` of [`Queues`], whose `Drop` gives back the queues before the field `consumer`
//!   (the client) drops; messages are destroyed before their `Arc`.
//! - librdkafka is thread-safe, so queues and messages may move between threads. The headers of a
//!   message are parsed on first access, which writes into the message without a lock: therefore
//!   [`Messages`] is `Send`, not `Sync`.
//! - Key and value pointers stay valid and unchanged for as long as the message; lengths are
//!   librdkafka's, already checked against the batch that held them.
#![allow(unsafe_code)]

use crate::callbacks::Callbacks;
use rdkafka::bindings as rd;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, ProducerContext};
use std::ffi::{CStr, c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;
use std::time::Duration;

/// The most events served at once; those of an unreachable broker never end.
const EVENTS: usize = 200;

/// Has all that waits in a producer leave without lingering, until all of it is acknowledged and its reports are served,
/// which is another thread's, or the time is over.
pub(crate) fn flush<C: ProducerContext>(producer: &BaseProducer<C>, limit: Duration) {
    let milliseconds = c_int::try_from(limit.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: the client lives as long as the reference to it, and the call keeps nothing of it. Its answer says only
    // whether the time was over.
    unsafe { rd::rd_kafka_flush(producer.client().native_ptr(), milliseconds) };
}

/// The consumer, and the two queues of it that we serve ourselves.
pub(crate) struct Queues {
    records: NonNull<rd::rd_kafka_queue_t>,
    news: NonNull<rd::rd_kafka_queue_t>,
    consumer: BaseConsumer<Callbacks>,
}

// SAFETY: librdkafka's queues are locked inside; see the module's argument.
unsafe impl Send for Queues {}
// SAFETY: as above; no method hands out a pointer.
unsafe impl Sync for Queues {}

impl Drop for Queues {
    fn drop(&mut self) {
        // The client's end purges its main queue and whatever that is forwarded to. Left apart,
        // what still stands in the consumer's queue would hold its brokers, and the end would
        // wait for them for ever.
        // SAFETY: both are references that `new` took, given back once, before the client drops.
        unsafe {
            rd::rd_kafka_queue_forward(self.news.as_ptr(), self.records.as_ptr());
            rd::rd_kafka_queue_destroy(self.records.as_ptr());
            rd::rd_kafka_queue_destroy(self.news.as_ptr());
        }
    }
}

impl Queues {
    /// Takes over a consumer that has a `group.id`; `None` if librdkafka has no queues for it.
    pub(crate) fn new(consumer: BaseConsumer<Callbacks>) -> Option<Self> {
        let client = consumer.client().native_ptr();
        // SAFETY: the client lives; each call returns a new reference or null.
        let (records, news) =
            unsafe { (NonNull::new(rd::rd_kafka_queue_get_consumer(client))?, NonNull::new(rd::rd_kafka_queue_get_main(client))?) };
        // rdkafka forwards the main queue into the consumer's. A batch call would then print log
        // lines to stderr itself, so the forwarding is undone and the main queue served by
        // `serve_news`.
        // SAFETY: both are live queue references; null as destination ends forwarding.
        unsafe { rd::rd_kafka_queue_forward(news.as_ptr(), ptr::null_mut()) };
        Some(Self { records, news, consumer })
    }

    pub(crate) fn consumer(&self) -> &BaseConsumer<Callbacks> {
        &self.consumer
    }

    /// The high watermark of a partition as the last answer to a fetch said it; asks nobody. `None` before the first.
    pub(crate) fn known_end(&self, topic: &str, partition: i32) -> Option<i64> {
        let topic = std::ffi::CString::new(topic).ok()?;
        let (mut low, mut high) = (0, 0);
        // SAFETY: the client lives; the topic ends in a zero; the out-parameters are ours.
        let code = unsafe {
            rd::rd_kafka_get_watermark_offsets(self.consumer.client().native_ptr(), topic.as_ptr(), partition, &raw mut low, &raw mut high)
        };
        (code == rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0).then_some(high)
    }

    /// Hands log lines and client-wide errors to the callbacks; never blocks. Some of them only: while
    /// no broker answers, they may come faster than they are told.
    pub(crate) fn serve_news(&self) {
        for _ in 0..EVENTS {
            // SAFETY: the queue lives; an event that is not null is ours to destroy, once.
            let Some(event) = NonNull::new(unsafe { rd::rd_kafka_queue_poll(self.news.as_ptr(), 0) }) else { break };
            self.tell(event);
            // SAFETY: as above; `tell` kept nothing of it.
            unsafe { rd::rd_kafka_event_destroy(event.as_ptr()) };
        }
        self.consumer.context().mend(self.consumer.client());
    }

    fn tell(&self, event: NonNull<rd::rd_kafka_event_t>) {
        let event = event.as_ptr();
        // SAFETY: the event lives until the caller destroys it; texts are copied at once.
        match unsafe { rd::rd_kafka_event_type(event) } {
            rd::RD_KAFKA_EVENT_LOG => {
                let (mut facility, mut line, mut level) = (ptr::null(), ptr::null(), 0);
                // SAFETY: a log event; the out-parameters are ours and set when it returns 0.
                let got = unsafe { rd::rd_kafka_event_log(event, &raw mut facility, &raw mut line, &raw mut level) };
                if got == 0 {
                    // SAFETY: both texts end in a zero and live as long as the event.
                    let (facility, line) = unsafe { (text(facility), text(line)) };
                    self.consumer.context().on_log(log_level(level), facility.trim(), line.trim());
                }
            }
            rd::RD_KAFKA_EVENT_ERROR => {
                // SAFETY: an error event; the text lives as long as it.
                let (code, reason) = unsafe { (rd::rd_kafka_event_error(event), text(rd::rd_kafka_event_error_string(event))) };
                let error = KafkaError::Global(RDKafkaErrorCode::from(code));
                self.consumer.context().on_error(&error, reason.trim());
            }
            rd::RD_KAFKA_EVENT_STATS => {
                // SAFETY: an event of statistics; the text lives as long as it.
                let json = unsafe { text(rd::rd_kafka_event_stats(event)) };
                self.consumer.context().on_statistics(json.as_bytes());
            }
            _ => {}
        }
    }

    /// Up to `max` messages: whatever is there, after waiting up to `wait` for the first.
    pub(crate) fn consume(self: &Arc<Self>, max: usize, wait: Duration) -> Messages {
        let mut messages = Messages { pointers: Vec::new(), queues: Arc::clone(self) };
        messages.fill(max, Duration::ZERO);
        // The batch call waits until it is full or the time is over, so wait for one alone.
        if messages.pointers.is_empty() && !wait.is_zero() {
            messages.fill(1, wait);
            if !messages.pointers.is_empty() {
                messages.fill(max.saturating_sub(1), Duration::ZERO);
            }
        }
        messages
    }
}

/// Messages as they came off the queue: records, ends of partitions, errors.
pub(crate) struct Messages {
    pointers: Vec<NonNull<rd::rd_kafka_message_t>>,
    queues: Arc<Queues>,
}

// SAFETY: a message may be read and destroyed on any one thread; see the module's argument.
unsafe impl Send for Messages {}

impl Drop for Messages {
    fn drop(&mut self) {
        for message in &self.pointers {
            // SAFETY: ours, destroyed once, while `queues` keeps the client alive.
            unsafe { rd::rd_kafka_message_destroy(message.as_ptr()) };
        }
    }
}

impl Messages {
    fn fill(&mut self, max: usize, wait: Duration) {
        self.pointers.reserve(max);
        let wait = c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: room for `max` pointers was reserved behind the current length; NonNull<T> and
        // *mut T have the same layout; the call writes as many valid pointers as it returns.
        unsafe {
            let free = self.pointers.as_mut_ptr().add(self.pointers.len());
            let got = rd::rd_kafka_consume_batch_queue(self.queues.records.as_ptr(), wait, free.cast(), max);
            self.pointers.set_len(self.pointers.len() + usize::try_from(got).unwrap_or(0));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.pointers.len()
    }

    pub(crate) fn get(&self, index: usize) -> Record<'_> {
        Record { message: self.pointers[index], topic: 0, borrowed: PhantomData }
    }
}

/// One record of a batch; borrows its bytes from the client.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    message: NonNull<rd::rd_kafka_message_t>,
    topic: usize,
    borrowed: PhantomData<&'a Messages>,
}

impl<'a> Record<'a> {
    fn raw(&self) -> &'a rd::rd_kafka_message_t {
        // SAFETY: the message lives for 'a, and nobody writes its plain fields after delivery.
        unsafe { self.message.as_ref() }
    }

    pub(crate) fn of_topic(self, topic: usize) -> Self {
        Self { topic, ..self }
    }

    /// The address of librdkafka's topic object: the same for all records of a topic while assigned.
    pub(crate) fn topic_address(&self) -> usize {
        self.raw().rkt.addr()
    }

    /// The topic's name as librdkafka has it.
    pub(crate) fn topic_text(&self) -> &'a str {
        if self.raw().rkt.is_null() {
            return "";
        }
        // SAFETY: the message holds its topic object, which holds the name.
        let name = unsafe { CStr::from_ptr(rd::rd_kafka_topic_name(self.raw().rkt)) };
        name.to_str().unwrap_or("")
    }

    /// The error in place of a record, if it is one.
    pub(crate) fn error(&self) -> Option<RDKafkaErrorCode> {
        let code = self.raw().err;
        (code != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
    }

    /// The index of its topic in [`crate::Batch::topics`].
    #[must_use]
    pub fn topic(&self) -> usize {
        self.topic
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> i32 {
        self.raw().partition
    }

    /// The offset.
    #[must_use]
    pub fn offset(&self) -> i64 {
        self.raw().offset
    }

    /// Milliseconds since 1970: the broker's, where the topic has LogAppendTime. `None`: not known.
    #[must_use]
    pub fn timestamp(&self) -> Option<i64> {
        self.dated().map(|(_, millis)| millis)
    }

    /// Milliseconds since 1970 at which the broker appended it. `None`: the topic keeps what producers say instead.
    #[must_use]
    pub fn appended(&self) -> Option<i64> {
        let by_broker = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME;
        self.dated().filter(|(kind, _)| *kind == by_broker).map(|(_, millis)| millis)
    }

    fn dated(&self) -> Option<(rd::rd_kafka_timestamp_type_t, i64)> {
        let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: a live message, and a place for the type.
        let millis = unsafe { rd::rd_kafka_message_timestamp(self.message.as_ptr(), &raw mut kind) };
        (millis >= 0).then_some((kind, millis))
    }

    /// The key, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: librdkafka's own pointer and length, valid for 'a.
        unsafe { bytes(self.raw().key, self.raw().key_len) }
    }

    /// The value; `None` is a tombstone.
    #[must_use]
    pub fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: as above.
        unsafe { bytes(self.raw().payload, self.raw().len) }
    }

    /// The headers in order. Costs nothing unless called.
    #[must_use]
    pub fn headers(&self) -> Headers<'a> {
        let mut list = ptr::null_mut();
        // SAFETY: a live message that no other thread reads (`Messages` is not `Sync`); the list
        // belongs to it. An error leaves the list null.
        unsafe { rd::rd_kafka_message_headers(self.message.as_ptr(), &raw mut list) };
        Headers { list, next: 0, borrowed: PhantomData }
    }

    /// The value of the last header called `name`, if it has one.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        self.headers().filter(|header| header.name == name.as_bytes()).last()?.value
    }
}

/// One header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name; bytes, because nothing forces a foreign producer to write UTF-8.
    pub name: &'a [u8],
    /// The value, if there is one.
    pub value: Option<&'a [u8]>,
}

/// The headers of one record, in order.
pub struct Headers<'a> {
    list: *mut rd::rd_kafka_headers_t,
    next: usize,
    borrowed: PhantomData<&'a Messages>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        if self.list.is_null() {
            return None;
        }
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the list lives for 'a; past its end the call returns an error and sets nothing.
        let found = unsafe { rd::rd_kafka_header_get_all(self.list, self.next, &raw mut name, &raw mut value, &raw mut length) };
        if found != rd::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        self.next += 1;
        // SAFETY: the name ends in a zero; pointer and length are librdkafka's, valid for 'a.
        unsafe { Some(Header { name: CStr::from_ptr(name).to_bytes(), value: bytes(value, length) }) }
    }
}

/// # Safety
/// `start` is null or points to `length` bytes that stay unchanged for 'a.
unsafe fn bytes<'a>(start: *const c_void, length: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller's promise.
    (!start.is_null()).then(|| unsafe { slice::from_raw_parts(start.cast(), length) })
}

/// # Safety
/// `start` is null or points to a text that ends in a zero.
unsafe fn text(start: *const std::ffi::c_char) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(start) }.to_string_lossy().into_owned()
}

/// librdkafka's levels are syslog's.
fn log_level(level: c_int) -> RDKafkaLogLevel {
    match level {
        ..=3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}
