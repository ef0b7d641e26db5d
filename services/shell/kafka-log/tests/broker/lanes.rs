//! A lane's transactions against a real broker: whole or not at all, once, whatever the wire does.

use crate::cluster::wire::{Fault, Wire};
use crate::cluster::{self, LONG, behind_a_wire, eventually, message, settings, topic, unique, visible};
use kafka_log::{
    Commit, CommitError, DoneStep, KafkaSettings, LaneProducer, LaneSettings, Outcome, ProbeError, ProgressProbe, Record, TailProbe,
    TopicName,
};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

struct Lane {
    producer: LaneProducer,
    heard: Receiver<Outcome>,
}

struct Topics {
    progress: TopicName,
    outputs: TopicName,
}

fn topics(settings: &KafkaSettings) -> Topics {
    Topics { progress: topic(settings, 1), outputs: topic(settings, 2) }
}

/// `DONE n` is step n of the lane's owner, `DONE n by another` another owner's.
fn done(record: &Record<'_>) -> Option<DoneStep> {
    let text = std::str::from_utf8(record.value()?).ok()?.strip_prefix("DONE ")?;
    let (number, mark) = text.split_once(" by another").map_or((text, 0), |(number, _)| (number, 1));
    Some(DoneStep { sequence: number.parse().ok()?, mark })
}

fn lane(settings: &KafkaSettings, lane: LaneSettings, id: &str, topics: &Topics) -> Lane {
    let probe = TailProbe::new(settings, topics.progress.clone(), 0, done);
    let (tell, heard) = channel();
    let known = [topics.progress.clone(), topics.outputs.clone()];
    let producer = LaneProducer::spawn(settings, lane, id.to_owned(), &known, Box::new(probe), move |outcome| {
        let _ = tell.send(outcome);
    });
    Lane { producer: producer.unwrap(), heard }
}

fn ready(settings: &KafkaSettings, id: &str, topics: &Topics) -> Lane {
    let lane = lane(settings, LaneSettings::default(), id, topics);
    lane.producer.init().unwrap();
    assert!(matches!(lane.last_word(), Outcome::Ready { .. }));
    lane
}

impl Lane {
    /// The next outcome that is not merely news of trouble.
    fn last_word(&self) -> Outcome {
        loop {
            match self.heard.recv_timeout(LONG).expect("an outcome") {
                Outcome::Troubled { .. } => {}
                outcome => return outcome,
            }
        }
    }

    fn confirmed(&self, expected: u64) -> bool {
        match self.last_word() {
            Outcome::Confirmed { sequence, recycled, .. } if sequence == expected => recycled,
            other => panic!("expected step {expected} to be confirmed, heard {other:?}"),
        }
    }
}

fn step(topics: &Topics, n: u64) -> Commit {
    let output =
        |partition, text: &str| message(&topics.outputs, partition, &format!("{n}{text}")).key(b"k".to_vec()).header("step", b"1".to_vec());
    Commit {
        step: DoneStep { sequence: n, mark: 0 },
        begin: vec![message(&topics.progress, 0, &format!("BEGIN {n}"))],
        outputs: vec![output(0, "a"), output(1, "b"), output(0, "c")],
        done: vec![message(&topics.progress, 0, &format!("DONE {n}"))],
    }
}

/// Every step from 1 to `last` is there once, whole and in order.
fn assert_whole(settings: &KafkaSettings, topics: &Topics, last: u64) {
    let steps = || 1..=last;
    // The commit's answer comes before its markers stand in every partition.
    let places = [(&topics.progress, 0, 2 * last), (&topics.outputs, 0, 2 * last), (&topics.outputs, 1, last)];
    for (topic, partition, records) in places {
        eventually("the commit's markers", || (visible(settings, topic, partition).len() as u64 >= records).then_some(()));
    }
    let progress: Vec<String> = steps().flat_map(|n| [format!("BEGIN {n}"), format!("DONE {n}")]).collect();
    assert_eq!(visible(settings, &topics.progress, 0), progress);
    let first: Vec<String> = steps().flat_map(|n| [format!("{n}a"), format!("{n}c")]).collect();
    assert_eq!(visible(settings, &topics.outputs, 0), first);
    let second: Vec<String> = steps().map(|n| format!("{n}b")).collect();
    assert_eq!(visible(settings, &topics.outputs, 1), second);
}

#[test]
fn steps_are_read_back_whole_and_in_order() {
    let settings = settings();
    let topics = topics(&settings);
    let lane = ready(&settings, &unique("lane"), &topics);
    for n in 1..=20 {
        lane.producer.commit(step(&topics, n)).unwrap();
    }
    for n in 1..=20 {
        match lane.last_word() {
            Outcome::Confirmed { sequence, timings: Some(timings), recycled: false, .. } => {
                assert_eq!(sequence, n);
                assert!(timings.whole >= timings.begin + timings.outputs + timings.done + timings.commit);
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(lane.producer.close(LONG).is_none());
    assert_whole(&settings, &topics, 20);
}

#[test]
fn a_commit_in_flight_is_finished_when_the_lane_closes() {
    let settings = settings();
    let topics = topics(&settings);
    let lane = ready(&settings, &unique("lane"), &topics);
    lane.producer.commit(step(&topics, 1)).unwrap();
    assert!(lane.producer.close(LONG).is_none());
    assert_whole(&settings, &topics, 1);
}

#[test]
fn a_fenced_producer_writes_nothing_and_does_not_fight() {
    let settings = settings();
    let topics = topics(&settings);
    let id = unique("lane");
    let old = ready(&settings, &id, &topics);
    old.producer.commit(step(&topics, 1)).unwrap();
    old.confirmed(1);

    let new = ready(&settings, &id, &topics);
    old.producer.commit(step(&topics, 99)).unwrap();
    assert_eq!(old.last_word(), Outcome::Fenced { sequence: Some(99) });
    assert!(old.heard.recv_timeout(LONG).is_err(), "its last word, and the thread has ended");
    let ended = || matches!(old.producer.commit(step(&topics, 100)), Err(CommitError::Ended { .. })).then_some(());
    eventually("the end of the thread", ended);

    new.producer.commit(step(&topics, 2)).unwrap();
    assert!(!new.confirmed(2), "the new owner was not disturbed");
    assert_whole(&settings, &topics, 2);
}

#[test]
fn a_record_that_can_never_be_written_ends_the_lane_and_leaves_nothing() {
    let settings = settings();
    let topics = topics(&settings);
    let lane = ready(&settings, &unique("lane"), &topics);
    let mut bad = step(&topics, 1);
    // The topic's limit is 1 MiB; the client's own is larger.
    bad.outputs[1].value = Some(cluster::noise(3 << 20));
    lane.producer.commit(bad).unwrap();
    match lane.last_word() {
        Outcome::Failed { sequence: Some(1), error: CommitError::Refused { topic, .. } } => {
            assert_eq!(topic, topics.outputs);
        }
        other => panic!("{other:?}"),
    }
    assert_whole(&settings, &topics, 0);
}

/// Commits three steps over a wire that harms the second one's EndTxn.
fn with_a_harmed_commit(fault: Fault) -> (bool, u32) {
    let (direct, wire, harmed) = behind_a_wire();
    let topics = topics(&direct);
    let lane = ready(&harmed, &unique("lane"), &topics);
    lane.producer.commit(step(&topics, 1)).unwrap();
    lane.confirmed(1);
    wire.harm(fault);
    lane.producer.commit(step(&topics, 2)).unwrap();
    let recycled = lane.confirmed(2);
    assert_eq!(wire.is_holding(), fault == Fault::HoldIntoNextTransaction);
    for n in 3..=4 {
        lane.producer.commit(step(&topics, n)).unwrap();
        lane.confirmed(n);
    }
    assert!(!wire.is_holding(), "what was held has arrived");
    assert!(lane.producer.close(LONG).is_none());
    assert_whole(&direct, &topics, 4);
    (recycled, wire.end_txns())
}

#[test]
fn a_lost_answer_recycles_the_producer_and_doubles_nothing() {
    let (recycled, end_txns) = with_a_harmed_commit(Fault::LoseAnswer);
    assert!(recycled, "the client retried in silence for three seconds and said Ok");
    assert!(end_txns > 4, "the lost one was asked for again: {end_txns}");
}

#[test]
fn a_connection_cut_before_the_commit_recycles_the_producer() {
    let (recycled, _) = with_a_harmed_commit(Fault::CutRequest);
    assert!(recycled);
}

#[test]
fn a_connection_cut_after_the_commit_recycles_the_producer() {
    let (recycled, _) = with_a_harmed_commit(Fault::CutAnswer);
    assert!(recycled);
}

/// The torn transaction: a commit that stood still on the wire arrives inside the next transaction.
#[test]
fn a_commit_that_arrives_inside_the_next_transaction_tears_nothing() {
    let (recycled, _) = with_a_harmed_commit(Fault::HoldIntoNextTransaction);
    assert!(recycled);
}

#[test]
fn a_step_in_doubt_that_is_visible_is_not_sent_again() {
    in_doubt(Fault::LoseAnswer);
}

#[test]
fn a_step_in_doubt_that_is_not_visible_is_sent_again_unchanged() {
    in_doubt(Fault::CutRequest);
}

/// Without any patience for EndTxn, every harm leaves the step in doubt.
fn in_doubt(fault: Fault) {
    let mut direct = settings();
    // One try of commit_transaction outlasts a socket time-out; so that the answer is missed, the
    // client must neither find the connection dead nor connect again in time.
    direct.client = cluster::map(&[("socket.timeout.ms", "8000"), ("reconnect.backoff.ms", "7000"), ("reconnect.backoff.max.ms", "7000")]);
    let topics = topics(&direct);
    let wire = Wire::to(&direct.brokers);
    let harmed = KafkaSettings { brokers: wire.address.clone(), ..direct.clone() };
    let impatient = LaneSettings { commit_budget: Duration::ZERO, ..LaneSettings::default() };
    let lane = lane(&harmed, impatient, &unique("lane"), &topics);
    lane.producer.init().unwrap();
    assert!(matches!(lane.last_word(), Outcome::Ready { .. }));
    wire.harm(fault);
    lane.producer.commit(step(&topics, 1)).unwrap();
    let mut troubles = 0;
    loop {
        match lane.heard.recv_timeout(LONG).unwrap() {
            Outcome::Troubled { sequence: Some(1), .. } => troubles += 1,
            Outcome::Confirmed { sequence: 1, timings, recycled: true, .. } => {
                assert_eq!(timings.is_none(), fault == Fault::LoseAnswer, "found or sent again");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(troubles > 0);
    lane.producer.commit(step(&topics, 2)).unwrap();
    assert!(!lane.confirmed(2));
    assert_whole(&direct, &topics, 2);
}

/// A lane whose first step is cut off before its commit, while the progress topic, as `shown` by the probe from
/// then on, tells of another step.
fn after_a_cut(shown: DoneStep) -> Outcome {
    let (direct, wire, mut harmed) = behind_a_wire();
    let topics = topics(&direct);
    harmed.client = cluster::map(&[("reconnect.backoff.ms", "7000"), ("reconnect.backoff.max.ms", "7000")]);
    let (tell, heard) = channel();
    let impatient = LaneSettings { commit_budget: Duration::ZERO, ..LaneSettings::default() };
    let mut looks = 0;
    let probe = move || {
        looks += 1;
        Ok((looks > 1).then_some(shown))
    };
    let producer = LaneProducer::spawn(&harmed, impatient, unique("lane"), &[], Box::new(probe), move |o| {
        let _ = tell.send(o);
    });
    let lane = Lane { producer: producer.unwrap(), heard };
    lane.producer.init().unwrap();
    assert!(matches!(lane.last_word(), Outcome::Ready { .. }));
    wire.harm(Fault::CutRequest);
    lane.producer.commit(step(&topics, 1)).unwrap();
    lane.last_word()
}

#[test]
fn a_step_of_another_owner_is_not_taken_for_ours() {
    assert_eq!(after_a_cut(DoneStep { sequence: 1, mark: 1 }), Outcome::Fenced { sequence: Some(1) });
    assert_eq!(after_a_cut(DoneStep { sequence: 7, mark: 0 }), Outcome::Fenced { sequence: Some(1) });
}

/// Whoever was cut off and comes back has fenced the new owner by then, but never goes on above its steps.
#[test]
fn an_owner_that_comes_back_finds_that_another_was_there() {
    let (direct, wire, harmed) = behind_a_wire();
    let topics = topics(&direct);
    let id = unique("lane");
    let old = ready(&harmed, &id, &topics);
    old.producer.commit(step(&topics, 1)).unwrap();
    old.confirmed(1);
    let new = ready(&direct, &id, &topics);
    let mut other = step(&topics, 2);
    other.step.mark = 1;
    other.done = vec![message(&topics.progress, 0, "DONE 2 by another")];
    new.producer.commit(other).unwrap();
    new.confirmed(2);
    // A cut connection costs the old owner its client; the next one would fence the new owner and go on.
    wire.cut();
    assert_eq!(old.last_word(), Outcome::Fenced { sequence: None });
    assert_eq!(visible(&direct, &topics.progress, 0), ["BEGIN 1", "DONE 1", "BEGIN 2", "DONE 2 by another"]);
}

/// A producer that nobody wants any more gives up soon and fences nobody, whatever it was doing.
#[test]
fn a_producer_that_is_let_go_ends_soon_and_leaves_its_successor_alone() {
    let (direct, wire, harmed) = behind_a_wire();
    let topics = topics(&direct);
    let id = unique("lane");
    let old = ready(&harmed, &id, &topics);
    old.producer.commit(step(&topics, 1)).unwrap();
    old.confirmed(1);
    wire.close();
    old.producer.commit(step(&topics, 2)).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let leaving = old.producer.close(Duration::ZERO).expect("it waits for a broker");
    eventually("the end of the producer that was let go", || leaving.has_ended().then_some(()));
    wire.open();
    let new = ready(&direct, &id, &topics);
    new.producer.commit(step(&topics, 2)).unwrap();
    new.confirmed(2);
    assert_whole(&direct, &topics, 2);
}

/// Brokers that have lost the markers of a commit that they confirmed: the step is not seen before it is sent again.
struct Blind<P> {
    inner: P,
    looks: u32,
}

impl<P: ProgressProbe> ProgressProbe for Blind<P> {
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError> {
        self.looks += 1;
        // The first look is at the take-over, the second after the commit.
        if self.looks == 2 { Ok(None) } else { self.inner.last_done() }
    }
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError> {
        if self.looks < 2 { Ok(vec![0; partitions.len()]) } else { self.inner.stable_ends(partitions) }
    }
}

/// Brokers that have lost the marker of a commit in a topic of outputs, until the next transaction frees it; or
/// where somebody else's transaction is open for ever.
struct Hanging<P> {
    inner: P,
    outputs: TopicName,
    /// The end at which it is free.
    until: i64,
}

impl<P: ProgressProbe> ProgressProbe for Hanging<P> {
    fn last_done(&mut self) -> Result<Option<DoneStep>, ProbeError> {
        self.inner.last_done()
    }
    fn stable_ends(&mut self, partitions: &[(TopicName, i32)]) -> Result<Vec<i64>, ProbeError> {
        let ends = self.inner.stable_ends(partitions)?;
        let hangs = |topic: &TopicName, end| *topic == self.outputs && end < self.until;
        Ok(partitions.iter().zip(ends).map(|((topic, _), end)| if hangs(topic, end) { 0 } else { end }).collect())
    }
}

fn lane_with(settings: &KafkaSettings, topics: &Topics, probe: impl ProgressProbe + 'static) -> Lane {
    let (tell, heard) = channel();
    let known = [topics.progress.clone(), topics.outputs.clone()];
    let producer = LaneProducer::spawn(settings, LaneSettings::default(), unique("lane"), &known, Box::new(probe), move |outcome| {
        let _ = tell.send(outcome);
    });
    let lane = Lane { producer: producer.unwrap(), heard };
    lane.producer.init().unwrap();
    assert!(matches!(lane.last_word(), Outcome::Ready { .. }));
    lane
}

#[test]
fn a_step_whose_outputs_alone_hang_is_sent_again_once() {
    let settings = settings();
    // Free with the marker of the second transaction; never free.
    for until in [4, i64::MAX] {
        let topics = topics(&settings);
        let inner = TailProbe::new(&settings, topics.progress.clone(), 0, done);
        let lane = lane_with(&settings, &topics, Hanging { inner, outputs: topics.outputs.clone(), until });
        lane.producer.commit(step(&topics, 1)).unwrap();
        assert!(lane.confirmed(1), "with another client");
        let twice = || (visible(&settings, &topics.progress, 0).len() == 4).then_some(());
        eventually("the second transaction", twice);
        assert_eq!(visible(&settings, &topics.progress, 0), ["BEGIN 1", "DONE 1", "BEGIN 1", "DONE 1"]);
        assert_eq!(visible(&settings, &topics.outputs, 0), ["1a", "1c", "1a", "1c"]);
    }
}

#[test]
fn a_step_that_is_confirmed_and_not_visible_is_sent_again_unchanged() {
    let settings = settings();
    let topics = topics(&settings);
    let probe = Blind { inner: TailProbe::new(&settings, topics.progress.clone(), 0, done), looks: 0 };
    let lane = lane_with(&settings, &topics, probe);
    lane.producer.commit(step(&topics, 1)).unwrap();
    assert!(lane.confirmed(1), "with another client");
    let twice = || (visible(&settings, &topics.progress, 0).len() == 4).then_some(());
    eventually("the second transaction", twice);
    assert_eq!(visible(&settings, &topics.progress, 0), ["BEGIN 1", "DONE 1", "BEGIN 1", "DONE 1"]);
    assert_eq!(visible(&settings, &topics.outputs, 0), ["1a", "1c", "1a", "1c"]);
    lane.producer.commit(step(&topics, 2)).unwrap();
    assert!(!lane.confirmed(2));
}
