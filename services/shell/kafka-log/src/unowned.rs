//! Lanes that a group has given to nobody.
//!
//! A hand-over takes two rebalances: in the first the owner lets a lane go, in the second another is given it. An owner that
//! is killed between both and comes back under its name is told its assignment of the first, and no rebalance follows
//! (KIP-345): what it let go is nobody's until somebody joins or leaves. So the members look at how the group stands. Where
//! it is at rest and lanes are nobody's, a passer-by joins that reads another topic, and leaves: either has the group share
//! out its lanes anew, and those that are somebody's stay where they are. The first member by name sends it; the next ones
//! wait a little longer each, for the case that those before them are no help.

use crate::callbacks::Callbacks;
use crate::message::TopicName;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::groups::GroupInfo;
use std::collections::{BTreeMap, BTreeSet};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Between two looks while the group has just been rebalanced: it is then that lanes are left to nobody.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How long that is.
const RECENTLY: Duration = Duration::from_secs(60);
/// Between two looks at other times. Every broker is asked for its groups each time.
const LOOK_SELDOM: Duration = Duration::from_secs(30);
/// How long the broker may take to tell; the membership's own poll waits meanwhile.
const TELL_WITHIN: Duration = Duration::from_millis(500);
/// How long the passer-by may take to become a member: others may take as long to let go.
const JOIN_WITHIN: Duration = Duration::from_secs(10);

/// The looks of one member.
pub(crate) struct Unowned {
    config: ClientConfig,
    group: String,
    client_id: String,
    topic: TopicName,
    beside: TopicName,
    looked: Instant,
    /// How many looks in a row have found each lane nobody's.
    seen: BTreeMap<i32, u32>,
    /// Passers-by since all lanes were somebody's.
    sent: u32,
    passing: Option<JoinHandle<()>>,
}

impl Unowned {
    /// Of the member of a group whose lanes are the partitions of `topic`; `beside` is what the passer-by reads.
    pub(crate) fn of(config: &ClientConfig, group: &str, topic: &TopicName, beside: &TopicName) -> Self {
        let mut config = config.clone();
        config.remove("group.instance.id");
        Self {
            group: group.to_owned(),
            client_id: config.get("client.id").unwrap_or_default().to_owned(),
            topic: topic.clone(),
            beside: beside.clone(),
            looked: Instant::now(),
            seen: BTreeMap::new(),
            sent: 0,
            passing: None,
            config,
        }
    }

    /// Looks where it is time to, of a group that has given this member an assignment then.
    pub(crate) fn look<C: ConsumerContext>(&mut self, member: &BaseConsumer<C>, assigned: Option<Instant>) {
        // What was found is looked at again soon, too.
        let soon = !self.seen.is_empty() || assigned.is_some_and(|at| at.elapsed() < RECENTLY);
        if self.looked.elapsed() < if soon { LOOK_EVERY } else { LOOK_SELDOM }
            || self.passing.as_ref().is_some_and(|passing| !passing.is_finished())
        {
            return;
        }
        self.looked = Instant::now();
        // A broker that is away or busy is asked again.
        let (rank, found) = match self.lanes_of_nobody(member) {
            Ok(Some(found)) => found,
            Ok(None) | Err(_) => return self.seen.clear(),
        };
        self.seen = found.into_iter().map(|lane| (lane, self.seen.get(&lane).map_or(1, |looks| looks + 1))).collect();
        if self.seen.is_empty() {
            self.sent = 0;
        }
        let Some(looks) = looks_before(rank, self.sent) else { return };
        let lasting: Vec<i32> = self.seen.iter().filter(|(_, seen)| **seen >= looks).map(|(lane, _)| *lane).collect();
        if lasting.is_empty() {
            return;
        }
        tracing::warn!(target: "kafka", group = self.group, lanes = ?lasting, "lanes are nobody's; the group is had to share them out anew");
        self.seen.values_mut().for_each(|looks| *looks = 1);
        self.sent += 1;
        let (config, beside) = (self.config.clone(), self.beside.clone());
        let passing = move || match pass_by(&config, &beside) {
            Ok(true) => {}
            Ok(false) => tracing::warn!(target: "kafka", "the passer-by was no member of the group within {JOIN_WITHIN:?}"),
            Err(error) => tracing::warn!(target: "kafka", %error, "the group could not be had to share its lanes out anew"),
        };
        self.passing = thread::Builder::new().name(format!("passer-by {}", self.group)).spawn(passing).ok();
    }

    /// Those of a group at rest, with how many members stand before this one by name; `None` where it is not at rest.
    fn lanes_of_nobody<C: ConsumerContext>(&self, member: &BaseConsumer<C>) -> KafkaResult<Option<(u32, BTreeSet<i32>)>> {
        let told = member.fetch_group_list(Some(&self.group), TELL_WITHIN)?;
        let Some(group) = told.groups().iter().find(|group| group.name() == self.group) else { return Ok(None) };
        let names: BTreeSet<&str> = group.members().iter().map(|member| member.client_id()).collect();
        if group.state() != "Stable" || !names.contains(self.client_id.as_str()) {
            return Ok(None);
        }
        let rank = (0..).zip(names).find(|(_, name)| *name == self.client_id).map_or(0, |(rank, _)| rank);
        let known = member.fetch_metadata(Some(self.topic.as_str()), TELL_WITHIN)?;
        let lanes = known.topics().iter().flat_map(|topic| topic.partitions()).map(|partition| partition.id()).collect();
        Ok(Some((rank, without_owners(group, self.topic.as_str(), lanes))))
    }
}

/// Looks in a row that must find a lane nobody's before a member acts; `None` for those behind the first eight. Two at
/// least: a group that is asked between two rebalances seems to be at rest. The next by name wait as much longer as one
/// passer-by needs; and each that was sent in vain is followed by a longer wait, so that a group which cannot be helped is
/// not rebalanced all the time.
fn looks_before(rank: u32, sent: u32) -> Option<u32> {
    (rank < 8).then(|| (2 + 4 * rank) << sent.min(5))
}

fn without_owners(group: &GroupInfo, topic: &str, mut lanes: BTreeSet<i32>) -> BTreeSet<i32> {
    for member in group.members() {
        // What cannot be read may own any.
        let Some(owned) = member.assignment().and_then(|bytes| owned(bytes, topic)) else { return BTreeSet::new() };
        lanes.retain(|lane| !owned.contains(lane));
    }
    lanes
}

/// The partitions of a topic in an assignment as the protocol of consumers writes it: a version, then topics, each a text
/// and its partitions; what follows is the assignor's.
fn owned(bytes: &[u8], topic: &str) -> Option<Vec<i32>> {
    let mut rest = bytes;
    take::<2>(&mut rest)?;
    let mut owned = Vec::new();
    for _ in 0..i32::from_be_bytes(take(&mut rest)?) {
        let length = usize::try_from(i16::from_be_bytes(take(&mut rest)?)).ok()?;
        let (name, after) = rest.split_at_checked(length)?;
        rest = after;
        for _ in 0..i32::from_be_bytes(take(&mut rest)?) {
            let partition = i32::from_be_bytes(take(&mut rest)?);
            if name == topic.as_bytes() {
                owned.push(partition);
            }
        }
    }
    Some(owned)
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}

/// Joins the group, and leaves it; whether it was a member.
fn pass_by(config: &ClientConfig, beside: &TopicName) -> KafkaResult<bool> {
    let consumer: BaseConsumer<Callbacks> = config.create_with_context(Callbacks::of(config))?;
    consumer.subscribe(&[beside.as_str()])?;
    let end = Instant::now() + JOIN_WITHIN;
    while consumer.assignment()?.count() == 0 {
        if Instant::now() >= end {
            return Ok(false);
        }
        // Its records are nobody's news.
        drop(consumer.poll(Duration::from_millis(50)));
    }
    Ok(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn assignment(topics: &[(&str, &[i32])]) -> Vec<u8> {
        let mut bytes = vec![0, 1];
        bytes.extend(i32::try_from(topics.len()).unwrap().to_be_bytes());
        for (name, partitions) in topics {
            bytes.extend(i16::try_from(name.len()).unwrap().to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(i32::try_from(partitions.len()).unwrap().to_be_bytes());
            partitions.iter().for_each(|partition| bytes.extend(partition.to_be_bytes()));
        }
        bytes.extend([0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn an_assignment_is_read_for_its_topic() {
        let bytes = assignment(&[("other", &[7]), ("lanes", &[0, 3])]);
        assert_eq!(owned(&bytes, "lanes"), Some(vec![0, 3]));
        assert_eq!(owned(&assignment(&[]), "lanes"), Some(vec![]));
    }

    #[test]
    fn the_first_by_name_acts_first_and_less_and_less_often() {
        assert_eq!([0, 1, 2, 8].map(|rank| looks_before(rank, 0)), [Some(2), Some(6), Some(10), None]);
        assert_eq!([0, 1, 5, 99].map(|sent| looks_before(0, sent)), [2, 4, 64, 64].map(Some));
    }

    #[test]
    fn what_is_cut_short_is_not_read() {
        let bytes = assignment(&[("lanes", &[0, 3])]);
        let whole = bytes.len() - 4;
        assert!((0..whole).all(|length| owned(&bytes[..length], "lanes").is_none()));
        assert_eq!(owned(&bytes[..whole], "lanes"), Some(vec![0, 3]));
        let mut negative = bytes;
        negative[6] = 0xff;
        assert_eq!(owned(&negative, "lanes"), None);
    }
}
