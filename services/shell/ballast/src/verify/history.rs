//! Every record of every topic, decoded and sorted by kind, in the order of its partition.
//! It finds copies of our own outputs by their stamps, and what nobody can read. It judges nothing.
//! Memory: one decoded record for each record read; bytes are kept as fingerprints only.

use super::Given;
use super::closed;
use super::seen::{Place, ROLES, ROUTER, Seen, SeenRecord, Stamp};
use avro_codec::{SchemaStore, dead_letter_from, decode, decode_frame, decode_output, decode_progress};
use domain::cash::CashEntry;
use domain::command::Command;
use domain::dead_letter::DeadLetter;
use domain::drift::Drift;
use domain::fill::Fill;
use domain::frame::Frame;
use domain::ledger::Ledger;
use domain::order::OrderWave;
use domain::performance::Performance;
use domain::policy::Policy;
use domain::portfolio_close::PortfolioClose;
use domain::progress::Progress;
use domain::rebalance_event::RebalanceEvent;
use domain::refresh::Refresh;
use domain::risk::Risk;
use domain::snapshot::Snapshot;
use domain::{Input, InstrumentId, Output, PortfolioId, Topic};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A policy record: the portfolio, and its rules unless it closes.
pub(super) type PolicyRecord = (PortfolioId, Option<Box<Policy>>);

/// A BEGIN or DONE with the fingerprint of its bytes.
pub(super) type Marker = Seen<(Progress, u64)>;

/// Two records with one stamp.
#[derive(Debug)]
pub(super) struct Copy {
    pub(super) stamp: Stamp,
    pub(super) first: Place,
    pub(super) second: Place,
    pub(super) same: bool,
}

/// What the log knows of a record without its content.
#[derive(Debug, Clone)]
pub(super) struct Logged {
    /// Of key and value.
    pub(super) content: u64,
    /// Bytes of key, value and headers.
    pub(super) bytes: usize,
    /// Why nobody can take it in: unreadable, or filed under another portfolio's key.
    pub(super) fault: Option<String>,
    /// A copy of one of our outputs.
    pub(super) repeat: bool,
    /// The instrument of a tick or of reference data.
    pub(super) instrument: Option<InstrumentId>,
}

/// The whole log.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) counts: BTreeMap<String, u64>,
    pub(super) log: BTreeMap<(Topic, i32), BTreeMap<i64, Logged>>,
    pub(super) fills: Vec<Seen<Fill>>,
    pub(super) closes: Vec<Seen<PortfolioClose>>,
    pub(super) cash: Vec<Seen<CashEntry>>,
    pub(super) policies: Vec<Seen<PolicyRecord>>,
    pub(super) commands: Vec<Seen<Command>>,
    pub(super) refreshes: Vec<Seen<Refresh>>,
    pub(super) frames: Vec<Seen<Frame>>,
    pub(super) ledgers: Vec<Seen<Ledger>>,
    pub(super) snapshots: Vec<Seen<Snapshot>>,
    pub(super) drifts: Vec<Seen<Drift>>,
    pub(super) waves: Vec<Seen<OrderWave>>,
    pub(super) events: Vec<Seen<RebalanceEvent>>,
    pub(super) risks: Vec<Seen<Risk>>,
    /// Without figures, of which nothing is asked here.
    pub(super) performances: Vec<Seen<Performance>>,
    pub(super) letters: Vec<Seen<DeadLetter>>,
    pub(super) progress: BTreeMap<(&'static str, i32), Vec<Marker>>,
    pub(super) stamps: BTreeMap<Stamp, (Place, u64)>,
    pub(super) copies: Vec<Copy>,
    /// First offset that each partition still holds, by topic name and partition.
    starts: BTreeMap<(String, i32), i64>,
    /// Records in topics that only we write, which no lane of ours signed, or which cannot be read.
    pub(super) strange: Vec<(Place, String)>,
}

/// Topics in which every record is the output of a step.
pub(super) const OURS: [Topic; 9] = [
    Topic::Ledger,
    Topic::Snapshots,
    Topic::Drift,
    Topic::PortfolioCloses,
    Topic::Performance,
    Topic::Risk,
    Topic::Orders,
    Topic::RebalanceEvents,
    Topic::Refresh,
];

impl History {
    /// Reads records that come grouped by topic and partition, by offset.
    pub(super) fn read<'a>(records: impl IntoIterator<Item = SeenRecord<'a>>, given: &Given) -> Self {
        let mut history = Self { starts: given.starts.clone(), ..Self::default() };
        records.into_iter().for_each(|record| history.take(&record, &given.schemas));
        history
    }

    fn take(&mut self, record: &SeenRecord<'_>, schemas: &SchemaStore) {
        *self.counts.entry(record.topic.to_owned()).or_default() += 1;
        let dead = record.topic.ends_with(".dlq");
        let Some(topic) = Topic::from_name(record.topic.strip_suffix(".dlq").unwrap_or(record.topic)) else { return };
        let place = Place { topic, partition: record.partition, offset: record.offset, dead };
        // Whoever writes beside us may hand our headers on; of our roles the router alone writes where others do.
        let stamp = record.stamp().filter(|stamp| dead || !topic.is_from_outside() || stamp.role == ROUTER);
        let repeat = stamp.is_some_and(|stamp| self.is_copy(stamp, place, record));
        if dead {
            return self.take_letter(place, stamp, repeat, record);
        }
        if OURS.contains(&topic) && stamp.is_none() {
            self.strange.push((place, "a record without the headers of a step stands in a topic that only lanes write".to_owned()));
        }
        // A copy in such a topic was taken in: its ids tell that it is known.
        let repeat = repeat && !topic.is_from_outside();
        let seen = Envelope { place, stamp, repeat };
        let mut logged = Logged { content: content(record), bytes: bytes(record), fault: None, repeat, instrument: None };
        if let Err(why) = self.decode(seen, record, schemas, &mut logged) {
            let ours = stamp.is_some() || place.topic == Topic::Frames || ROLES.iter().any(|(_, progress)| *progress == topic);
            if ours || OURS.contains(&topic) {
                self.strange.push((place, why.clone()));
            }
            logged.fault = Some(why);
        }
        self.log.entry((topic, record.partition)).or_default().insert(record.offset, logged);
    }

    fn is_copy(&mut self, stamp: Stamp, place: Place, record: &SeenRecord<'_>) -> bool {
        let bytes = whole(record);
        let Some((first, known)) = self.stamps.get(&stamp).copied() else {
            self.stamps.insert(stamp, (place, bytes));
            return false;
        };
        self.copies.push(Copy { stamp, first, second: place, same: known == bytes });
        true
    }

    fn take_letter(&mut self, place: Place, stamp: Option<Stamp>, repeat: bool, record: &SeenRecord<'_>) {
        let headers = record.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        match dead_letter_from(record.key.as_deref(), record.value.as_deref(), headers) {
            Ok(letter) => self.letters.push(Envelope { place, stamp, repeat }.hold(letter, false)),
            Err(why) => self.strange.push((place, why.to_string())),
        }
    }

    fn decode(&mut self, seen: Envelope, record: &SeenRecord<'_>, schemas: &SchemaStore, logged: &mut Logged) -> Result<(), String> {
        let (topic, value) = (seen.place.topic, record.value.as_deref());
        if let Some((role, _)) = ROLES.iter().find(|(_, progress)| *progress == topic) {
            let progress = decode_progress(schemas, value.unwrap_or_default()).map_err(|why| why.to_string())?;
            let steps = self.progress.entry((role, record.partition)).or_default();
            steps.push(seen.hold((progress, logged.content), false));
            return Ok(());
        }
        match topic {
            Topic::Frames => {
                let frame = decode_frame(schemas, value.unwrap_or_default()).map_err(|why| why.to_string())?;
                self.frames.push(seen.hold(frame, false));
                Ok(())
            }
            Topic::Ledger | Topic::Snapshots | Topic::PortfolioCloses | Topic::Performance | Topic::Risk | Topic::RebalanceEvents => {
                let output = decode_output(schemas, topic, value.unwrap_or_default()).map_err(|why| why.to_string())?;
                self.take_output(seen, output);
                Ok(())
            }
            _ => {
                let input = decode(schemas, topic, record.key.as_deref(), value).map_err(|why| why.to_string())?;
                self.take_input(seen, input, record, logged)
            }
        }
    }

    fn take_output(&mut self, seen: Envelope, output: Output) {
        match output {
            Output::Ledger(ledger) => self.ledgers.push(seen.hold(*ledger, false)),
            Output::Snapshot(snapshot) => self.snapshots.push(seen.hold(*snapshot, false)),
            Output::PortfolioClose(close) => self.closes.push(seen.hold(*close, false)),
            Output::RebalanceEvent(event) => self.events.push(seen.hold(*event, false)),
            Output::Risk(risk) => self.risks.push(seen.hold(*risk, false)),
            Output::Performance(performance) => {
                let bare = Performance { metrics: closed::compared(&performance), drawdowns: Vec::new(), ..*performance };
                self.performances.push(seen.hold(bare, false));
            }
            _ => {}
        }
    }

    fn take_input(&mut self, seen: Envelope, input: Input, record: &SeenRecord<'_>, logged: &mut Logged) -> Result<(), String> {
        let key = record.key.as_deref().unwrap_or_default();
        let misfiled = input.portfolio_id().is_some_and(|portfolio| portfolio.as_str().as_bytes() != key);
        match input {
            Input::Fill(fill) => self.fills.push(seen.hold(*fill, misfiled)),
            Input::Cash(entry) => self.cash.push(seen.hold(*entry, misfiled)),
            Input::Policy(policy) => self.policies.push(seen.hold((policy.portfolio_id.clone(), Some(policy)), misfiled)),
            Input::PolicyClosed(portfolio) => self.policies.push(seen.hold((portfolio, None), misfiled)),
            Input::Command(command) => self.commands.push(seen.hold(*command, misfiled)),
            Input::Refresh(refresh) => self.refreshes.push(seen.hold(*refresh, misfiled)),
            Input::Drift(drift) => self.drifts.push(seen.hold(*drift, misfiled)),
            Input::OrderWave(wave) => self.waves.push(seen.hold(*wave, misfiled)),
            Input::Tick(tick) => logged.instrument = Some(tick.instrument_id),
            Input::Instrument(instrument) => logged.instrument = Some(instrument.instrument_id),
            Input::Frame(_)
            | Input::Ledger(_)
            | Input::PortfolioClose(_)
            | Input::Risk(_)
            | Input::OrderStatus(_)
            | Input::CorporateAction(_)
            | Input::MarketStatus(_)
            | Input::Close(_) => {}
        }
        if misfiled { Err(format!("its key {:?} is not its portfolio", String::from_utf8_lossy(key))) } else { Ok(()) }
    }

    /// First offset that a partition still holds; 0 where nothing was deleted.
    pub(super) fn start(&self, topic: Topic, partition: i32) -> i64 {
        self.start_of(topic.name(), partition)
    }
    fn start_of(&self, name: &str, partition: i32) -> i64 {
        self.starts.get(&(name.to_owned(), partition)).copied().unwrap_or(0)
    }
    /// Partitions of which retention has deleted something, by topic name.
    pub(super) fn cut(&self) -> impl Iterator<Item = (&str, i32)> {
        self.starts.iter().filter(|(_, start)| **start > 0).map(|((name, partition), _)| (name.as_str(), *partition))
    }
    /// Whether a dead letter of a record may have been deleted: those of later ones are kept, or none is.
    pub(super) fn letter_may_be_gone(&self, topic: Topic, partition: i32, offset: i64) -> bool {
        if self.start_of(topic.dead_letters(), partition) == 0 {
            return false;
        }
        let kept = self.letters.iter().map(|seen| &seen.record).filter(|l| l.topic == topic && l.partition == partition);
        kept.map(|letter| letter.offset).min().is_none_or(|first| offset < first)
    }
    /// What the log knows of the record at a place.
    pub(super) fn logged(&self, topic: Topic, partition: i32, offset: i64) -> Option<&Logged> {
        self.log.get(&(topic, partition))?.get(&offset)
    }
}

/// Everything of [`Seen`] but the record.
#[derive(Clone, Copy)]
struct Envelope {
    place: Place,
    stamp: Option<Stamp>,
    repeat: bool,
}

impl Envelope {
    fn hold<T>(self, record: T, misfiled: bool) -> Seen<T> {
        Seen { place: self.place, stamp: self.stamp, repeat: self.repeat, misfiled, record }
    }
}

fn bytes(record: &SeenRecord<'_>) -> usize {
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    record.key.as_ref().map_or(0, Vec::len) + record.value.as_ref().map_or(0, Vec::len) + headers
}

/// Fingerprint of a record's key and value.
fn content(record: &SeenRecord<'_>) -> u64 {
    content_of(record.key.as_deref(), record.value.as_deref())
}

/// Fingerprint of a key and a value.
pub(super) fn content_of(key: Option<&[u8]>, value: Option<&[u8]>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (key, value).hash(&mut hasher);
    hasher.finish()
}

/// Fingerprint of all that a copy must share: place, key, value, headers.
fn whole(record: &SeenRecord<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (record.topic, record.partition, &record.key, &record.value, &record.headers).hash(&mut hasher);
    hasher.finish()
}
