//! The group against a real broker: who is told which lanes, and when.

use crate::cluster::{LONG, settings, topic, unique};
use kafka_log::{KafkaSettings, Membership, MembershipError, MembershipEvent, MembershipSettings, TopicName};
use std::collections::BTreeSet;
use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The log's lines.
static TOLD: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Writes to them.
struct Told;

impl io::Write for Told {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        TOLD.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Member {
    membership: Membership,
    heard: Receiver<MembershipEvent>,
    lanes: BTreeSet<i32>,
}

fn join(settings: &KafkaSettings, group: &str, instance: &str, topic: &TopicName) -> Member {
    let mut membership = MembershipSettings::new(group.to_owned(), instance.to_owned(), topic.clone(), beside(settings));
    membership.heartbeat = Duration::from_millis(300);
    let (tell, heard) = channel();
    let membership = Membership::join(settings, membership, move |event| {
        let _ = tell.send(event);
    });
    Member { membership: membership.unwrap(), heard, lanes: BTreeSet::new() }
}

/// A topic that no lane is of.
fn beside(settings: &KafkaSettings) -> TopicName {
    topic(settings, 1)
}

impl Member {
    /// Follows the group until this many lanes are ours; acknowledges at once.
    fn settle_at(&mut self, lanes: usize) {
        let deadline = Instant::now() + LONG;
        while self.lanes.len() != lanes {
            let left = deadline.saturating_duration_since(Instant::now());
            let event = self.heard.recv_timeout(left);
            self.follow(event.unwrap_or_else(|_| panic!("{lanes} lanes never came, only {:?}", self.lanes)));
        }
    }

    /// The next event that takes or gives lanes.
    fn news(&self, limit: Duration) -> Option<MembershipEvent> {
        loop {
            match self.heard.recv_timeout(limit).ok()? {
                MembershipEvent::Assigned(lanes) if lanes.is_empty() => {}
                event => return Some(event),
            }
        }
    }

    fn follow(&mut self, event: MembershipEvent) {
        match event {
            MembershipEvent::Assigned(lanes) => self.lanes.extend(lanes),
            MembershipEvent::Lost(lanes) => self.lanes.retain(|lane| !lanes.contains(lane)),
            MembershipEvent::Revoked(lanes, ack) => {
                self.lanes.retain(|lane| !lanes.contains(lane));
                ack.done();
            }
            MembershipEvent::Failed(error) => panic!("{error}"),
        }
    }
}

#[test]
fn lanes_are_shared_and_come_back_at_once_under_the_same_name() {
    let settings = settings();
    let (topic, group) = (topic(&settings, 4), settings.group_id("shared"));
    let mut first = join(&settings, &group, "first", &topic);
    first.settle_at(4);
    let mut second = join(&settings, &group, "second", &topic);
    first.settle_at(2);
    second.settle_at(2);
    assert!(first.lanes.is_disjoint(&second.lanes));

    let before = second.lanes.clone();
    let Member { membership, heard, .. } = second;
    membership.leave();
    drop(heard);
    let restarted = Instant::now();
    let mut second = join(&settings, &group, "second", &topic);
    second.settle_at(2);
    assert_eq!(second.lanes, before, "static membership");
    assert!(restarted.elapsed() < Duration::from_secs(5), "did not wait out the session");
    assert!(first.news(Duration::ZERO).is_none(), "the other member was not disturbed");
}

#[test]
fn lanes_of_a_member_that_is_gone_go_to_the_other() {
    let settings = settings();
    let (topic, group) = (topic(&settings, 2), settings.group_id("gone"));
    let mut first = join(&settings, &group, "first", &topic);
    first.settle_at(2);
    let mut second = join(&settings, &group, "second", &topic);
    first.settle_at(1);
    second.settle_at(1);
    second.membership.leave();
    first.settle_at(2);
}

#[test]
fn a_revocation_waits_for_its_answer_but_not_for_ever() {
    let settings = settings();
    let (topic, group) = (topic(&settings, 2), settings.group_id("slow"));
    let mut first = join(&settings, &group, "first", &topic);
    first.settle_at(2);
    let mut second = join(&settings, &group, "second", &topic);
    let event = first.news(LONG).unwrap();
    let MembershipEvent::Revoked(lanes, never_answered) = event else { panic!("{event:?}") };
    assert_eq!(lanes.len(), 1);
    let asked = Instant::now();
    second.settle_at(1);
    let waited = asked.elapsed();
    assert!(waited > Duration::from_millis(1500), "the lane moved after {waited:?}, without an answer");
    drop(never_answered);
}

/// An owner that has let lanes go and is killed before it says so to the group comes back to what it kept.
#[test]
fn lanes_of_nobody_are_shared_out_anew() {
    let settings = settings();
    let (topic, group) = (topic(&settings, 4), settings.group_id("nobody"));
    let mut patient = MembershipSettings::new(group.clone(), "first".to_owned(), topic.clone(), beside(&settings));
    patient.let_go_within = LONG;
    let (tell, heard) = channel();
    let membership = Membership::join(&settings, patient, move |event| {
        let _ = tell.send(event);
    });
    let mut first = Member { membership: membership.unwrap(), heard, lanes: BTreeSet::new() };
    first.settle_at(4);
    let mut second = join(&settings, &group, "second", &topic);
    let event = first.news(LONG).unwrap();
    let MembershipEvent::Revoked(lanes, never_answered) = event else { panic!("{event:?}") };
    assert_eq!(lanes.len(), 2);
    // It hangs there as one that was killed does; whoever has its name takes its place.
    let mut again = join(&settings, &group, "first", &topic);
    again.settle_at(2);
    assert!(second.news(Duration::from_secs(2)).is_none(), "nobody has told the group");
    second.settle_at(2);
    assert!(again.lanes.is_disjoint(&second.lanes));
    assert_eq!(again.lanes.len(), 2, "what is somebody's stays");
    drop(never_answered);
}

#[test]
fn a_stalled_worker_loses_its_lanes_and_gets_some_back() {
    let settings = settings();
    let (topic, group) = (topic(&settings, 2), settings.group_id("stalled"));
    let mut first = join(&settings, &group, "first", &topic);
    first.settle_at(2);
    let mut second = join(&settings, &group, "second", &topic);
    first.settle_at(1);
    second.settle_at(1);
    first.membership.set_stalled(true);
    let event = first.news(LONG).unwrap();
    assert!(matches!(event, MembershipEvent::Lost(_)), "{event:?}");
    first.follow(event);
    second.settle_at(2);
    first.membership.set_stalled(false);
    second.settle_at(1);
    first.settle_at(1);
}

/// And as what it is: the client's own complaint that it cannot leave a group which has put it out is no line of the log.
#[test]
fn a_second_process_under_the_same_name_is_reported() {
    tracing_subscriber::fmt().with_ansi(false).with_writer(|| Told).init();
    let settings = settings();
    let (topic, group) = (topic(&settings, 2), settings.group_id("twins"));
    let instance = unique("twin");
    let mut first = join(&settings, &group, &instance, &topic);
    first.settle_at(2);
    let mut second = join(&settings, &group, &instance, &topic);
    second.settle_at(2);
    loop {
        match first.heard.recv_timeout(LONG).expect("the older one is told") {
            MembershipEvent::Failed(error) => {
                assert_eq!(error, MembershipError::DuplicateInstance { group, instance });
                assert!(first.lanes.is_empty(), "its lanes were lost first");
                break;
            }
            event => first.follow(event),
        }
    }
    first.membership.leave();
    let told = String::from_utf8(TOLD.lock().unwrap().clone()).unwrap();
    assert!(told.contains("the group has put this member out") && told.contains("the membership ends"), "{told}");
    assert!(!told.contains("Failed to close consumer"), "{told}");
}
