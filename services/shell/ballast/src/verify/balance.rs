//! I10: every input is accounted for: applied, known already, waiting or dead-lettered; every dead
//! letter is an input, whole; every request has its answer.

use super::facts::{BROADCAST, Facts};
use super::fate::{At, Fate, Fates, at, is_read};
use super::history::{History, content_of};
use super::lanes::Lanes;
use super::report::{Balance, Check};
use super::seen::{KEEPER, Place};
use domain::command::Command;
use domain::enums::{CommandKind, DriftCause};
use domain::{PortfolioId, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// Inputs keyed by portfolio whose effects the model does not follow.
const FOLDED: [Topic; 6] = [Topic::Policies, Topic::Commands, Topic::OrderStatus, Topic::Refresh, Topic::Drift, Topic::Orders];

/// The rows of I10.
pub(super) fn check(history: &History, lanes: &Lanes, fates: &Fates) -> Vec<Check> {
    vec![
        settled_once(history, fates),
        faulty_are_buried(history, lanes, fates),
        letters_are_inputs(history, lanes, fates),
        answered(history, lanes, fates),
        policies_in_force(history, lanes, fates),
    ]
}

/// What became of the records of each input topic.
pub(super) fn balances(history: &History, lanes: &Lanes, facts: &Facts, fates: &Fates) -> BTreeMap<String, Balance> {
    let mut balances: BTreeMap<String, Balance> = BTreeMap::new();
    for (topic, fates) in [(Topic::Fills, &fates.fills), (Topic::Cash, &fates.cash)] {
        let balance = balances.entry(topic.name().to_owned()).or_default();
        fates.iter().for_each(|fate| count(balance, *fate));
    }
    for ((topic, partition), log) in &history.log {
        let balance = balances.entry(topic.name().to_owned()).or_default();
        for (offset, logged) in log {
            let place = (*topic, *partition, *offset);
            let fate = match topic {
                // Fills and cash that can be read are counted above.
                Topic::Fills | Topic::Cash if logged.fault.is_none() || is_misfiled(history, place) => continue,
                _ if logged.repeat => Fate::Repeat,
                _ if fates.buried(place) => Fate::DeadLettered,
                _ if BROADCAST.contains(topic) => contained(facts, place),
                _ if lanes.is_unread(*topic, *partition, *offset) => Fate::Unread,
                _ if logged.fault.is_some() && history.letter_may_be_gone(place.0, place.1, place.2) => Fate::DeadLettered,
                _ if logged.fault.is_some() && !lanes.reported(*topic, *partition, *offset) => Fate::Unread,
                _ if logged.fault.is_some() => Fate::Lost,
                _ => Fate::Applied,
            };
            count(balance, fate);
        }
    }
    let inputs = |name: &String| {
        Topic::from_name(name).is_some_and(|t| matches!(t, Topic::Fills | Topic::Cash) || FOLDED.contains(&t) || BROADCAST.contains(&t))
    };
    balances.retain(|name, _| inputs(name));
    balances
}

fn is_misfiled(history: &History, place: At) -> bool {
    let misfiled = history.fills.iter().filter(|s| s.misfiled).any(|s| at(s.place) == place);
    misfiled || history.cash.iter().filter(|s| s.misfiled).any(|s| at(s.place) == place)
}

fn contained(facts: &Facts, (topic, partition, offset): At) -> Fate {
    // What stands before the frames that are kept was told by some that are not.
    if offset >= facts.contained_to(topic, partition) { Fate::Unread } else { Fate::Applied }
}

fn count(balance: &mut Balance, fate: Fate) {
    balance.inputs += 1;
    *match fate {
        Fate::Repeat => &mut balance.repeated,
        Fate::Unread => &mut balance.unread,
        Fate::Applied => &mut balance.applied,
        Fate::DeadLettered => &mut balance.dead_lettered,
        Fate::Duplicate => &mut balance.duplicate,
        Fate::Waiting => &mut balance.waiting,
        Fate::Lost => &mut balance.lost,
    } += 1;
}

/// Nothing is booked and dead-lettered, unless a command carried it back in.
fn settled_once(history: &History, fates: &Fates) -> Check {
    let mut check = Check::new("I10", "inputs = applied + duplicate + waiting + dead-lettered: none is two of these");
    let places = history.fills.iter().map(|s| s.place).chain(history.cash.iter().map(|s| s.place));
    for place in places {
        let both = fates.acts.contains_key(&at(place)) && fates.buried(at(place));
        let carried = fates.admitted.values().any(|(original, _)| *original == at(place));
        check.that(!both || carried, || format!("{place}: booked and dead-lettered, and no ADMIT carries it back in"));
    }
    check
}

/// What nobody can take in lies in the dead letters of a role that has read it.
fn faulty_are_buried(history: &History, lanes: &Lanes, fates: &Fates) -> Check {
    let mut check = Check::new("I10", "each unreadable or misfiled input that was read is dead-lettered");
    for ((topic, partition), log) in &history.log {
        let by_lane = matches!(topic, Topic::Fills | Topic::Cash) || FOLDED.contains(topic);
        for (offset, logged) in log.iter().filter(|_| by_lane) {
            let Some(why) = &logged.fault else { continue };
            let read = lanes.reported(*topic, *partition, *offset);
            let place = (*topic, *partition, *offset);
            let buried = fates.buried(place) || history.letter_may_be_gone(place.0, place.1, place.2);
            check.that(buried || !read || logged.repeat, || format!("{topic}/{partition}@{offset}: read, not dead-lettered: {why}"));
        }
    }
    check
}

fn letters_are_inputs(history: &History, lanes: &Lanes, fates: &Fates) -> Check {
    let mut check = Check::new("I10", "each dead letter is an input with its very bytes, refused once by a role");
    let mut known: BTreeMap<(At, &str), Place> = BTreeMap::new();
    for seen in history.letters.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        let letter = &seen.record;
        let place = (letter.topic, letter.partition, letter.offset);
        let named = || format!("{}: the dead letter of {}/{}@{}", seen.place, letter.topic, letter.partition, letter.offset);
        let content = content_of(letter.key.as_deref(), letter.value.as_deref());
        match history.logged(letter.topic, letter.partition, letter.offset) {
            // One beyond its topic's size leaves its place only.
            Some(logged) if logged.bytes > letter.topic.record_bytes() && letter.value.is_none() => {}
            Some(logged) => check.that(logged.content == content, || format!("{} has other bytes than the input", named())),
            // Frames and broadcast inputs are kept for a short time only.
            None => check.that(is_gone(history, place) || BROADCAST.contains(&letter.topic) || letter.topic == Topic::Frames, || {
                format!("{} names a record that is not there", named())
            }),
        }
        let carried = fates.admitted.values().any(|(original, _)| *original == place);
        let first = known.insert((place, seen.stamp.map_or("", |stamp| stamp.role)), seen.place);
        check
            .that(first.is_none() || carried, || format!("{} stands at {} too", named(), first.map(|p| p.to_string()).unwrap_or_default()));
    }
    check
}

/// Whether retention has deleted the record at a place.
fn is_gone(history: &History, (topic, partition, offset): At) -> bool {
    offset < history.start(topic, partition)
}

/// Policies that the position-keeper follows at the end: the highest version since the last closing.
fn in_force(history: &History, lanes: &Lanes, fates: &Fates) -> BTreeMap<PortfolioId, (Option<i64>, Place)> {
    let mut force: BTreeMap<PortfolioId, (Option<i64>, Place)> = BTreeMap::new();
    for seen in history.policies.iter().filter(|seen| is_read(lanes, seen) && !seen.misfiled && !fates.buried(at(seen.place))) {
        let (portfolio, policy) = &seen.record;
        let version = policy.as_ref().map(|policy| policy.policy_version);
        let held = force.get(portfolio).and_then(|(version, _)| *version);
        if version.is_none() || version > held {
            force.insert(portfolio.clone(), (version, seen.place));
        }
    }
    force
}

fn policies_in_force(history: &History, lanes: &Lanes, fates: &Fates) -> Check {
    let mut check = Check::new("I10", "the last drift event of a portfolio has the newest policy that was not refused");
    let drifts = history.drifts.iter().filter(|seen| !seen.repeat && !seen.record.shadow && lanes.is_settled(seen.stamp));
    let last: BTreeMap<&PortfolioId, _> = drifts.map(|seen| (&seen.record.portfolio_id, seen)).collect();
    for (portfolio, (version, place)) in in_force(history, lanes, fates) {
        if lanes.ends_behind(KEEPER, place.partition) {
            continue;
        }
        let drift = last.get(&portfolio);
        let told = drift.map(|seen| seen.record.policy.as_ref().map(|policy| policy.policy_version));
        check.that(told == Some(version), || {
            let at = drift.map_or("no drift event".to_owned(), |seen| seen.place.to_string());
            format!("{place}: {portfolio} has policy version {version:?}, {at} has {told:?}")
        });
    }
    check
}

/// REBALANCE and APPROVE commands and refreshes are each answered by a drift event that names them.
fn answered(history: &History, lanes: &Lanes, fates: &Fates) -> Check {
    let mut check = Check::new("I10", "each REBALANCE, APPROVE and refresh is answered by a drift event");
    let drifts = history.drifts.iter().filter(|seen| !seen.repeat);
    let answers: BTreeSet<(DriftCause, String)> =
        drifts.filter_map(|seen| Some((seen.record.cause?, seen.record.cause_id.as_ref()?.to_string()))).collect();
    let followed = in_force(history, lanes, fates);
    let has_policy = |portfolio: &PortfolioId| followed.get(portfolio).is_some_and(|(version, _)| version.is_some());
    let reaches = |place: Place| place.offset < lanes.end(KEEPER, place.partition, place.topic, place.partition);
    let read = |place: Place| reaches(place) && !lanes.ends_behind(KEEPER, place.partition);
    let mut first: BTreeMap<_, &Command> = BTreeMap::new();
    for seen in history.commands.iter().filter(|s| matches!(s.record.kind, CommandKind::Rebalance | CommandKind::Approve)) {
        let known = seen.record.portfolio_id.as_ref().is_some_and(has_policy);
        if seen.misfiled || !read(seen.place) {
            continue;
        }
        // A repeat is answered by what its first one got, be that a dead letter; only the date may differ.
        let earlier = *first.entry((&seen.record.portfolio_id, &seen.record.command_id)).or_insert(&seen.record);
        let repeats = !std::ptr::eq(earlier, &seen.record) && Command { issued_at: earlier.issued_at, ..seen.record.clone() } == *earlier;
        if !known || fates.buried(at(seen.place)) || repeats {
            continue;
        }
        let answer = (DriftCause::Command, seen.record.command_id.to_string());
        check.that(answers.contains(&answer), || format!("{}: {} {} has no answer", seen.place, seen.record.kind, seen.record.command_id));
    }
    for seen in history.refreshes.iter().filter(|s| !s.repeat && has_policy(&s.record.portfolio_id) && read(s.place)) {
        let answer = (DriftCause::Refresh, seen.record.request_id.to_string());
        check.that(answers.contains(&answer), || format!("{}: refresh {} has no answer", seen.place, seen.record.request_id));
    }
    check
}
