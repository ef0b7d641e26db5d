//! What became of every fill and cash entry: booked, dead-lettered, known already, waiting, not read
//! yet, or lost. Only the inputs, the causes in the ledger and the dead letters are looked at.

use super::facts::Facts;
use super::history::{History, PolicyRecord};
use super::lanes::Lanes;
use super::needs::{Awaited, Needs};
use super::rates::Rates;
use super::seen::{KEEPER, Place, Seen};
use super::sources::Sources;
use avro_codec::{SchemaStore, decode};
use domain::cash::CashEntry;
use domain::enums::{CashKind, CommandKind, EntryKind};
use domain::fill::Fill;
use domain::ledger::LedgerEntry;
use domain::{Input, PortfolioId, SmolStr, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// A place in an input topic.
pub(super) type At = (Topic, i32, i64);

/// What became of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// A copy of an output of ours.
    Repeat,
    /// Its lane has not come to it.
    Unread,
    /// Booked.
    Applied,
    /// Refused, whole.
    DeadLettered,
    /// Its id was booked from another place.
    Duplicate,
    /// It lacks an instrument, a policy, a rate, or the execution that it names.
    Waiting,
    /// None of these.
    Lost,
}

/// The fates of all fills and cash entries.
#[derive(Debug, Default)]
pub(super) struct Fates {
    /// Steps that booked, by the place of the cause.
    pub(super) acts: BTreeMap<At, Vec<i64>>,
    /// Dead letters by the place that they name, with their role.
    pub(super) letters: BTreeMap<At, Vec<&'static str>>,
    /// Records that ADMIT commands carry, by the command's place.
    pub(super) admitted: BTreeMap<At, (At, Input)>,
    /// Who says what dividends come to.
    pub(super) sources: Sources,
    /// Aligned with the history's fills.
    pub(super) fills: Vec<Fate>,
    /// Aligned with the history's cash entries.
    pub(super) cash: Vec<Fate>,
    /// Portfolios of which records wait in their queue: what stands behind one, known or not, may wait too.
    pub(super) queued: BTreeSet<PortfolioId>,
}

/// Whether an entry books the input that it names, rather than following from it. What a corporate action does is
/// caused by the frame that told of it.
pub(super) fn books(entry: &LedgerEntry) -> bool {
    let follows = matches!(entry.kind, EntryKind::Restate | EntryKind::Split | EntryKind::Dividend | EntryKind::Unknown);
    !follows && entry.cause.topic != Topic::Frames
}

/// What makes an execution the same: portfolio, source, trade date, execution id.
pub(super) fn fill_key(fill: &Fill) -> [SmolStr; 4] {
    [fill.portfolio_id.as_str().into(), fill.source.clone(), SmolStr::new(fill.trade_date.to_string()), fill.exec_id.clone()]
}

/// What makes a cash entry the same: portfolio, source, entry id.
pub(super) fn cash_key(entry: &CashEntry) -> [SmolStr; 3] {
    [entry.portfolio_id.as_str().into(), entry.source.clone(), entry.entry_id.clone()]
}

impl Fates {
    /// Finds them.
    pub(super) fn of(history: &History, lanes: &Lanes, (facts, rates): (&Facts, &Rates), schemas: &SchemaStore) -> Self {
        let mut fates =
            Self { acts: acts(history, lanes), letters: letters(history, lanes), admitted: admitted(history, schemas), ..Self::default() };
        fates.sources = Sources::of(history, lanes, |place| fates.buried(place));
        let needs = Needs::of(history, lanes, facts, rates);
        let awaited = Awaited::of(history, lanes, |place| fates.acted(place), |place| fates.buried(place));
        // Records of a portfolio wait in one queue, so that one that lacks something holds up the others; but for
        // one that awaits its execution, which waits by itself.
        let stuck = fates.stuck(history, &needs, &awaited);
        fates.queued.clone_from(&stuck);
        let fill_may_wait = |seen: &Seen<Fill>| stuck.contains(&seen.record.portfolio_id) || awaited.by(seen);
        fates.fills = fates.judge(history, &history.fills, lanes, fill_key, fill_may_wait);
        let cash_may_wait = |seen: &Seen<CashEntry>| stuck.contains(&seen.record.portfolio_id) || awaited.by_entry(seen);
        fates.cash = fates.judge(history, &history.cash, lanes, cash_key, cash_may_wait);
        fates.pass_over_dividends(history, facts);
        fates
    }

    /// An entry of a dividend that its action has booked is a duplicate of that: whether it held is not known here. Where
    /// entries have always paid, no action has.
    fn pass_over_dividends(&mut self, history: &History, facts: &Facts) {
        for (seen, fate) in history.cash.iter().zip(&mut self.cash) {
            let action = seen.record.action_id.as_ref().filter(|_| seen.record.kind == CashKind::Dividend);
            let by_action = self.sources.may_pay_by_actions(&seen.record.portfolio_id);
            if *fate == Fate::Lost && by_action && !seen.misfiled && action.is_some_and(|action| facts.is_dividend(action)) {
                *fate = Fate::Duplicate;
            }
        }
    }

    /// Portfolios one of whose unsettled records lacks something.
    fn stuck(&self, history: &History, needs: &Needs<'_>, awaited: &Awaited<'_>) -> BTreeSet<PortfolioId> {
        let open = |place: Place, repeat: bool| !repeat && !self.acted(at(place)) && !self.buried(at(place));
        let lacks = |s: &&Seen<Fill>| !awaited.by(s) && needs.fill_may_wait(s.place.partition, &s.record);
        let fills = history.fills.iter().filter(|s| open(s.place, s.repeat)).filter(lacks);
        let lacks = |s: &&Seen<CashEntry>| !awaited.by_entry(s) && needs.cash_may_wait(s.place.partition, &s.record);
        let cash = history.cash.iter().filter(|s| open(s.place, s.repeat)).filter(lacks);
        fills.map(|s| s.record.portfolio_id.clone()).chain(cash.map(|s| s.record.portfolio_id.clone())).collect()
    }

    fn judge<T, K: Ord>(
        &self,
        history: &History,
        seen: &[Seen<T>],
        lanes: &Lanes,
        key: impl Fn(&T) -> K,
        may_wait: impl Fn(&Seen<T>) -> bool,
    ) -> Vec<Fate> {
        let booked: BTreeSet<K> = seen.iter().filter(|s| self.acted(at(s.place))).map(|s| key(&s.record)).collect();
        let mut waiting = BTreeSet::new();
        let mut fates = Vec::with_capacity(seen.len());
        for s in seen {
            let place = at(s.place);
            let end = lanes.end(KEEPER, s.place.partition, s.place.topic, s.place.partition);
            let unread = s.place.offset >= end && !self.acted(place) && !self.buried(place);
            fates.push(match s {
                _ if s.repeat => Fate::Repeat,
                _ if unread => Fate::Unread,
                _ if self.acted(place) => Fate::Applied,
                _ if self.buried(place) => Fate::DeadLettered,
                _ if history.letter_may_be_gone(place.0, place.1, place.2) && !booked.contains(&key(&s.record)) => Fate::DeadLettered,
                _ if s.misfiled => Fate::Lost,
                _ if booked.contains(&key(&s.record)) || waiting.contains(&key(&s.record)) => Fate::Duplicate,
                _ if may_wait(s) => {
                    waiting.insert(key(&s.record));
                    Fate::Waiting
                }
                _ => Fate::Lost,
            });
        }
        fates
    }

    /// Whether the record at a place was booked: as it came, or carried back in.
    pub(super) fn acted(&self, place: At) -> bool {
        self.acts.contains_key(&place)
            || self.admitted.iter().any(|(command, (original, _))| *original == place && self.acts.contains_key(command))
    }
    /// Whether the record at a place was dead-lettered.
    pub(super) fn buried(&self, place: At) -> bool {
        self.letters.contains_key(&place)
    }
}

/// A place without the mark of dead letters.
pub(super) fn at(place: Place) -> At {
    (place.topic, place.partition, place.offset)
}

fn acts(history: &History, lanes: &Lanes) -> BTreeMap<At, Vec<i64>> {
    let mut acts: BTreeMap<At, Vec<i64>> = BTreeMap::new();
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        let Some(stamp) = seen.stamp else { continue };
        for entry in seen.record.entries.iter().filter(|entry| books(entry)) {
            let cause = (entry.cause.topic, entry.cause.partition, entry.cause.offset);
            acts.entry(cause).or_default().push(stamp.step);
        }
    }
    acts
}

/// Dead letters by the place that they name, with their role.
pub(super) fn letters(history: &History, lanes: &Lanes) -> BTreeMap<At, Vec<&'static str>> {
    let mut letters: BTreeMap<At, Vec<&'static str>> = BTreeMap::new();
    for seen in history.letters.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        let letter = &seen.record;
        let role = seen.stamp.map_or("", |stamp| stamp.role);
        letters.entry((letter.topic, letter.partition, letter.offset)).or_default().push(role);
    }
    letters
}

fn admitted(history: &History, schemas: &SchemaStore) -> BTreeMap<At, (At, Input)> {
    let admits = history.commands.iter().filter(|seen| seen.record.kind == CommandKind::Admit);
    let carried = admits.filter_map(|seen| {
        let letter = seen.record.dead_letter.as_ref()?;
        let topic = Topic::from_name(&letter.topic)?;
        let input = decode(schemas, topic, letter.key.as_deref(), Some(&letter.bytes)).ok()?;
        Some((at(seen.place), ((topic, letter.partition, letter.offset), input)))
    });
    carried.collect()
}

/// Whether the position-keeper's closed steps have read a policy.
pub(super) fn is_read(lanes: &Lanes, seen: &Seen<PolicyRecord>) -> bool {
    seen.place.offset < lanes.end(KEEPER, seen.place.partition, Topic::Policies, seen.place.partition)
}
