//! Publishing of a lane's steps through its transactional producer.

use super::heard::{outcome_of, taken_over};
use super::read_error;
use crate::messages::{DEPLOYMENT, DONE, OutMessage, done_of, step_messages};
use crate::worker::ports::{Outcome, PortError, Publisher};
use domain::{SmolStr, Topic};
use engine::{Role, Step};
use kafka_log::{
    Commit, DoneStep, KafkaSettings, LaneProducer, LaneSettings, Leaving, Message, Outcome as Heard, Pace, Partition, Reader, TailProbe,
    TopicName,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a take-over may take.
const TAKE_OVER: Duration = Duration::from_secs(60);
/// Tries of a take-over that are ordinary: a broker loads the coordinators of transactions when they are first asked for.
const ORDINARY: u32 = 10;
/// How soon a take-over notices that nobody wants the lane any more.
const LOOK: Duration = Duration::from_millis(50);
/// How long the end of progress may be asked for; what was known before will do as well.
const ENDS: Duration = Duration::from_secs(2);

/// A lane's publisher.
pub struct KafkaPublisher {
    producer: LaneProducer,
    heard: Receiver<Heard>,
    settings: KafkaSettings,
    ends: Reader,
    known_end: i64,
    role: &'static str,
    progress: Topic,
    lane: i32,
    names: Names,
    troubles: u64,
}

/// Topic and header names, shared instead of copied.
#[derive(Default)]
struct Names {
    topics: BTreeMap<&'static str, TopicName>,
    /// In the order in which they were met: a handful.
    headers: Vec<(SmolStr, Arc<str>)>,
}

impl KafkaPublisher {
    /// A publisher that has not taken the lane over yet.
    pub fn open<R: Role>(settings: &KafkaSettings, lane: i32, topics: &[TopicName]) -> Result<Self, PortError> {
        let progress = TopicName::from(R::PROGRESS.name());
        let probe = TailProbe::new(settings, progress, lane, |record| {
            done_of(record.header(DONE)?).map(|(sequence, mark)| DoneStep { sequence, mark })
        });
        let (tell, heard) = channel();
        let id = settings.transactional_id(R::NAME, lane);
        let producer = LaneProducer::spawn(settings, LaneSettings::default(), id, topics, Box::new(probe), move |outcome| {
            // Nobody listens once the lane is let go.
            let _ = tell.send(outcome);
        })
        .map_err(PortError::of)?;
        Ok(Self {
            producer,
            heard,
            settings: settings.clone(),
            ends: ends(settings, R::NAME, lane)?,
            known_end: 0,
            role: R::NAME,
            progress: R::PROGRESS,
            lane,
            names: Names::default(),
            troubles: 0,
        })
    }

    /// Lets what was ordered end within a limit, and ends the producer's thread. Where it takes longer, the
    /// producer is handed back: nobody may take the lane over in this process before it has ended.
    pub fn close(self, limit: Duration) -> Option<Leaving> {
        self.producer.close(limit)
    }

    /// Commits that failed and were tried again, since the start.
    pub fn troubles(&self) -> u64 {
        self.troubles
    }
}

impl Names {
    fn message(&mut self, from: OutMessage) -> Message {
        let topic = self.topics.entry(from.topic).or_insert_with(|| TopicName::from(from.topic)).clone();
        let headers = from.headers.into_iter().map(|(name, value)| (self.header(name), value)).collect();
        Message { topic, partition: Partition::Exactly(from.partition), key: from.key, value: from.value, headers, timestamp: None }
    }
    fn header(&mut self, name: SmolStr) -> Arc<str> {
        // Names of foreign headers in dead letters are not worth remembering.
        if name.starts_with("original.") {
            return Arc::from(name.as_str());
        }
        if let Some((_, known)) = self.headers.iter().find(|(known, _)| *known == name) {
            return known.clone();
        }
        let known: Arc<str> = Arc::from(name.as_str());
        self.headers.push((name, known.clone()));
        known
    }
}

impl Publisher for KafkaPublisher {
    fn take_over(&mut self, let_go: &dyn Fn() -> bool) -> Result<(), PortError> {
        self.producer.init().map_err(PortError::later)?;
        let end = Instant::now() + TAKE_OVER;
        loop {
            match self.heard.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) if let_go() => {
                    return Err(PortError::later("the lane was let go while it was being taken over".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() < end => {}
                Ok(heard) => {
                    match &heard {
                        Heard::Troubled { error, attempt, .. } if *attempt <= ORDINARY => {
                            tracing::info!(role = self.role, lane = self.lane, attempt, %error, "taking the lane over; trying again");
                        }
                        Heard::Troubled { error, attempt, .. } => {
                            tracing::warn!(role = self.role, lane = self.lane, attempt, %error, "taking the lane over; trying again");
                        }
                        _ => {}
                    }
                    if let Some(taken_over) = taken_over(heard) {
                        tracing::debug!(role = self.role, lane = self.lane, ?taken_over, "the lane was taken over");
                        return taken_over;
                    }
                }
                Err(_) => {
                    return Err(PortError::later(format!("the lane could not be taken over within {TAKE_OVER:?}: is the broker up?")));
                }
            }
        }
    }

    fn submit(&mut self, step: Step) -> Result<(), PortError> {
        let messages = step_messages(self.role, self.progress, self.lane, step);
        let commit = Commit {
            step: DoneStep { sequence: u64::try_from(messages.step).map_err(PortError::of)?, mark: messages.mark },
            begin: vec![self.names.message(messages.begin).header(DEPLOYMENT, self.settings.deployment.clone().into_bytes())],
            outputs: messages.outputs.into_iter().map(|message| self.names.message(message)).collect(),
            done: vec![self.names.message(messages.done)],
        };
        self.producer.commit(commit).map_err(PortError::later)
    }

    fn outcome(&mut self, wait: Duration) -> Option<Outcome> {
        // Nobody polls this reader: what it has to tell of an outage would pile up.
        self.ends.serve();
        loop {
            let heard = match self.heard.recv_timeout(wait) {
                Ok(heard) => heard,
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Outcome::Failed(PortError::later("the producer's thread has ended".to_owned())));
                }
            };
            match &heard {
                Heard::Confirmed { sequence, took, recycled: true, .. } => tracing::warn!(
                    role = self.role,
                    lane = self.lane,
                    step = sequence,
                    ?took,
                    "the commit was slow or in doubt; the producer is renewed"
                ),
                Heard::Troubled { error, attempt, .. } => {
                    self.troubles += 1;
                    tracing::warn!(role = self.role, lane = self.lane, attempt, %error, "committing; trying again");
                }
                _ => {}
            }
            if let Some(outcome) = outcome_of(heard) {
                return Some(outcome);
            }
        }
    }

    fn progress_end(&mut self) -> Result<i64, PortError> {
        let topic = TopicName::from(self.progress.name());
        match self.ends.bounds(&topic, self.lane, ENDS) {
            Ok(bounds) => self.known_end = self.known_end.max(bounds.stable_end),
            Err(error) if error.retry() => {
                tracing::debug!(role = self.role, lane = self.lane, %error, "the end of progress is not known anew");
                self.ends = ends(&self.settings, self.role, self.lane)?;
            }
            Err(error) => return Err(read_error(error)),
        }
        Ok(self.known_end)
    }
}

/// Asks for the end of a lane's progress.
fn ends(settings: &KafkaSettings, role: &str, lane: i32) -> Result<Reader, PortError> {
    Reader::open(settings, Pace::Recovery, &format!("{role}-{lane}-ends")).map_err(read_error)
}
