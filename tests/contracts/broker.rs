//! The log in memory, on which clusters are simulated, held against a broker: the same script of owners and steps on
//! both, by the same commit policy, leaves the same committed records at the same offsets, and says the same.

use ballast::memory::{MemoryLog, ProducerEpoch, Refused};
use ballast::messages::OutMessage;
use domain::Topic;
use kafka_log::{
    Commit, CommitError, DoneStep, Ground, KafkaSettings, LanePolicy, LaneProducer, LaneSettings, Message, Outcome, Pace, Partition,
    ProbeError, Reader, Record, TailProbe, TopicName, TopicSpec, Topics, Transactions, Written,
};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use system_tests::dice::Dice;
use system_tests::stack::Stack;
use system_tests::topic::kafka;

const PROGRESS: Topic = Topic::RebalancerProgress;
const OUTPUTS: Topic = Topic::Drift;
const PLACES: [(Topic, i32); 3] = [(PROGRESS, 0), (OUTPUTS, 0), (OUTPUTS, 1)];
const LONG: Duration = Duration::from_secs(60);
/// The most bytes of a record here.
const LARGEST: usize = 1 << 20;

/// What is done.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// An owner takes the lane over.
    TakeOver(&'static str),
    /// An owner commits a step of its own.
    Commit(&'static str, u64),
    /// An owner commits a step with a record that is too large.
    TooLarge(&'static str, u64),
}

/// What an owner said, by kind.
fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Ready { .. } => "ready".to_owned(),
        Outcome::Confirmed { sequence, .. } => format!("confirmed {sequence}"),
        Outcome::Fenced { sequence } => format!("fenced at {sequence:?}"),
        Outcome::Failed { error: CommitError::Refused { topic, passes, .. }, .. } => format!("refused by {topic}, passes {passes}"),
        Outcome::Failed { error, .. } => format!("failed: {error}"),
        Outcome::Troubled { .. } => "troubled".to_owned(),
    }
}

fn step(owner: &str, number: u64, large: bool) -> Commit {
    let message = |topic: Topic, partition, text: String| Message::to(topic.name().into(), partition, text.into_bytes());
    let mut outputs = vec![
        message(OUTPUTS, 0, format!("{owner}{number} a")),
        message(OUTPUTS, 1, format!("{owner}{number} b")),
        message(OUTPUTS, 0, format!("{owner}{number} c")),
    ];
    if large {
        // Of bytes that do not compress.
        let mut dice = Dice::new(number);
        outputs[1].value = Some(std::iter::repeat_with(|| dice.roll().to_le_bytes()[0]).take(LARGEST * 3).collect());
    }
    let mark = u64::from(owner.as_bytes()[0]);
    Commit {
        step: DoneStep { sequence: number, mark },
        begin: vec![message(PROGRESS, 0, format!("BEGIN {number} {mark}"))],
        outputs,
        done: vec![message(PROGRESS, 0, format!("DONE {number} {mark}"))],
    }
}

fn done(value: Option<&[u8]>) -> Option<DoneStep> {
    let (sequence, mark) = std::str::from_utf8(value?).ok()?.strip_prefix("DONE ")?.split_once(' ')?;
    Some(DoneStep { sequence: sequence.parse().ok()?, mark: mark.parse().ok()? })
}

/// Committed records with their offsets, and the end of what is stable, of each place.
type Seen = Vec<(Vec<(i64, String)>, i64)>;

fn text(value: Option<&[u8]>) -> String {
    String::from_utf8_lossy(value.unwrap_or_default()).into_owned()
}

/// The script on a broker.
fn on_a_broker(settings: &KafkaSettings, deeds: &[Deed]) -> (Vec<String>, Seen) {
    let mut owners: BTreeMap<&str, (LaneProducer, Receiver<Outcome>)> = BTreeMap::new();
    let mut said = Vec::new();
    for deed in deeds {
        let (owner, order) = of(*deed);
        let (producer, heard) = owners.entry(owner).or_insert_with(|| {
            let probe = TailProbe::new(settings, PROGRESS.name().into(), 0, |record: &Record<'_>| done(record.value()));
            let (tell, heard) = channel();
            let producer =
                LaneProducer::spawn(settings, LaneSettings::default(), "contract".to_owned(), &[], Box::new(probe), move |outcome| {
                    let _ = tell.send(outcome);
                });
            (producer.expect("settings"), heard)
        });
        match order {
            None => producer.init().expect("it runs"),
            Some(commit) => producer.commit(commit).expect("it runs"),
        }
        let outcome = loop {
            match heard.recv_timeout(LONG).expect("an answer") {
                Outcome::Troubled { .. } => {}
                outcome => break outcome,
            }
        };
        said.push(kind(&outcome));
    }
    (said, PLACES.iter().map(|(topic, partition)| read(settings, *topic, *partition)).collect())
}

/// Reads a partition when its last markers stand.
fn read(settings: &KafkaSettings, topic: Topic, partition: i32) -> (Vec<(i64, String)>, i64) {
    let name = TopicName::from(topic.name());
    let all = Reader::open(settings, Pace::Undecided, "contract").expect("settings");
    let mut reader = Reader::open(settings, Pace::Recovery, "contract").expect("settings");
    let whole = all.bounds(&name, partition, LONG).expect("a broker").stable_end;
    let stable = system_tests::waiting::until("the last markers", LONG, || {
        let stable = reader.bounds(&name, partition, LONG).expect("a broker").stable_end;
        (stable >= whole).then_some(stable)
    });
    let mut records = Vec::new();
    reader.read_to_end(&name, partition, 0, LONG, |record| records.push((record.offset(), text(record.value())))).expect("it is readable");
    (records, stable)
}

fn of(deed: Deed) -> (&'static str, Option<Commit>) {
    match deed {
        Deed::TakeOver(owner) => (owner, None),
        Deed::Commit(owner, number) => (owner, Some(step(owner, number, false))),
        Deed::TooLarge(owner, number) => (owner, Some(step(owner, number, true))),
    }
}

/// A client of the log in memory, on which nothing fails.
struct Client {
    log: MemoryLog,
    epoch: Cell<Option<ProducerEpoch>>,
    written: RefCell<Vec<Written>>,
}

struct Memory {
    log: MemoryLog,
    now: Cell<Duration>,
    heard: Heard,
}

/// What an owner has heard.
type Heard = Rc<RefCell<Vec<Outcome>>>;

const ID: &str = "contract";

fn complete(log: &MemoryLog) {
    while log.write_marker(ID, false) {}
}

fn failed(attempted: &'static str, refused: Refused) -> CommitError {
    match refused {
        Refused::Fenced => CommitError::Fenced { transactional_id: ID.to_owned() },
        other => CommitError::Interrupted { transactional_id: ID.to_owned(), attempted, reason: other.to_string() },
    }
}

impl Transactions for Client {
    fn warm_up(&self, _topics: &[TopicName]) {}
    fn init(&mut self, _limit: Duration) -> Result<(), CommitError> {
        loop {
            match self.log.take_over(ID) {
                Ok(epoch) => {
                    self.epoch.set(Some(epoch));
                    return Ok(());
                }
                Err(_) => complete(&self.log),
            }
        }
    }
    fn serve(&self) {}
    fn saw_errors(&self) -> bool {
        false
    }
    fn begin(&self) -> Result<(), CommitError> {
        self.written.borrow_mut().clear();
        Ok(())
    }
    fn acknowledged(&self, messages: &[Message]) -> Result<(), CommitError> {
        let epoch = self.epoch.get().expect("it was initialised");
        for message in messages {
            let Partition::Exactly(partition) = message.partition else { panic!("a script says which partition") };
            let topic = Topic::from_name(message.topic.as_str()).expect("a topic of the service").name();
            let out = OutMessage { topic, partition, key: None, value: message.value.clone(), headers: Vec::new() };
            self.log.add_partition(ID, epoch, topic, partition).map_err(|refused| failed("sending", refused))?;
            // The coordinator knows of the partition by then: it gets a marker.
            if message.value.as_ref().is_some_and(|value| value.len() > LARGEST) {
                let (topic, reason) = (message.topic.clone(), "too large".to_owned());
                return Err(CommitError::Refused { topic, partition: message.partition, reason, passes: false });
            }
            let offset = self.log.append_in(ID, epoch, out).map_err(|refused| failed("sending", refused))?;
            self.written.borrow_mut().push(Written { topic: message.topic.clone(), partition, offset });
        }
        Ok(())
    }
    fn end(&self, _budget: Duration) -> Result<(), CommitError> {
        let epoch = self.epoch.get().expect("it was initialised");
        self.log.end_transaction(ID, epoch, true).map_err(|refused| failed("commit_transaction", refused))?;
        complete(&self.log);
        Ok(())
    }
    fn written(&self) -> Vec<Written> {
        self.written.borrow().clone()
    }
    fn abort_and_drop(self, _limit: Duration) {
        if let Some(epoch) = self.epoch.get() {
            let _ = self.log.end_transaction(ID, epoch, false);
            complete(&self.log);
        }
    }
}

impl Ground for Memory {
    type Client = Client;
    fn client(&self) -> Result<Client, CommitError> {
        Ok(Client { log: self.log.clone(), epoch: Cell::new(None), written: RefCell::default() })
    }
    fn elapsed(&self) -> Duration {
        self.now.get()
    }
    fn sleep(&self, span: Duration) {
        self.now.set(self.now.get() + span);
    }
    fn is_abandoned(&self) -> bool {
        false
    }
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError> {
        Ok(self.log.read(PROGRESS.name(), 0, 0).iter().filter_map(|record| done(record.value.as_deref())).max())
    }
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError> {
        Ok(partitions.iter().map(|(topic, partition)| self.log.stable_end(topic.as_str(), *partition)).collect())
    }
    fn tell(&mut self, outcome: Outcome) {
        self.heard.borrow_mut().push(outcome);
    }
}

/// The script in memory.
fn in_memory(deeds: &[Deed]) -> (Vec<String>, Seen) {
    let log = MemoryLog::new();
    let mut owners: BTreeMap<&str, (LanePolicy<Memory>, Heard)> = BTreeMap::new();
    let mut said = Vec::new();
    for deed in deeds {
        let (owner, order) = of(*deed);
        let (policy, heard) = owners.entry(owner).or_insert_with(|| {
            let heard = Rc::new(RefCell::new(Vec::new()));
            let ground = Memory { log: log.clone(), now: Cell::default(), heard: heard.clone() };
            (LanePolicy::new(ground, LaneSettings::default(), ID.to_owned(), &[]).expect("a client"), heard)
        });
        let _ = match order {
            None => policy.take_over(),
            Some(commit) => policy.commit(&commit),
        };
        said.push(kind(heard.borrow().last().expect("an answer")));
    }
    let seen = PLACES.iter().map(|(topic, partition)| {
        let records = log.read(topic.name(), *partition, 0).iter().map(|record| (record.offset, text(record.value.as_deref()))).collect();
        (records, log.stable_end(topic.name(), *partition))
    });
    (said, seen.collect())
}

fn topics(settings: &KafkaSettings) {
    let spec = |topic: Topic, partitions| TopicSpec {
        name: topic.name().into(),
        partitions,
        replication: 1,
        configs: [("max.message.bytes".to_owned(), LARGEST.to_string())].into(),
    };
    let topics = Topics::open(settings).expect("settings");
    topics.ensure(&[spec(PROGRESS, 1), spec(OUTPUTS, 2)]).expect("a broker");
}

#[test]
fn the_log_in_memory_says_and_shows_what_a_broker_does() {
    use Deed::{Commit, TakeOver, TooLarge};
    let stack = Stack::bare("log-contract");
    let settings = kafka(&stack);
    topics(&settings);
    let script = [
        TakeOver("a"),
        Commit("a", 1),
        Commit("a", 2),
        TakeOver("b"),
        Commit("a", 3),
        Commit("b", 3),
        TakeOver("c"),
        Commit("c", 4),
        Commit("b", 4),
        TooLarge("c", 5),
        TakeOver("d"),
        Commit("d", 5),
    ];
    let (broker, memory) = (on_a_broker(&settings, &script), in_memory(&script));
    assert_eq!(broker.0, memory.0, "what owners hear");
    let values =
        |seen: &Seen| seen.iter().map(|(records, _)| records.iter().map(|(_, text)| text.clone()).collect()).collect::<Vec<Vec<_>>>();
    assert_eq!(values(&broker.1), values(&memory.1), "what readers see");
    // Of a step that was refused its client may have sent more or less: where it lies, offsets are not compared.
    let early = |seen: &Seen| seen.iter().map(|(records, _)| records.iter().take(4).cloned().collect()).collect::<Vec<Vec<_>>>();
    assert_eq!(early(&broker.1), early(&memory.1), "and where");
    assert!(
        memory.0.iter().any(|said| said.starts_with("fenced")) && memory.0.iter().any(|said| said.starts_with("refused")),
        "{:?}",
        memory.0
    );
}
