//! The sets of corporate actions that a line may follow when an entry is made: the one that it followed before, and what
//! stood at some moment of the entry's step. What they do is told elsewhere.

use super::actions::{Deed, Standing};
use super::amending::Change;
use super::exact::Published;
use super::explain::Group;
use super::ledger::{Account, Ground, Scene};
use super::seen::KEEPER;
use domain::enums::{DividendSource, EntryKind};
use domain::ledger::Cause;
use domain::{Date, InstrumentId, SmolStr, Topic};

/// The sets of actions that a line may follow after a change: what it follows, and what stood at some moment of the step.
pub(super) fn of(
    ground: &Ground<'_>,
    account: &Account<'_>,
    scene: Scene<'_>,
    line: &InstrumentId,
    change: &Change<'_>,
) -> Vec<Vec<Standing>> {
    let known = account.book.follows.get(line).cloned().unwrap_or_default();
    let stood = stood(ground, account, scene, line);
    let mut sets = Vec::new();
    let mut add = |set: Vec<Standing>| {
        if !sets.contains(&set) {
            sets.push(set);
        }
    };
    let Change::Action { id, .. } = change else {
        add(known);
        stood.into_iter().for_each(add);
        return sets;
    };
    for standing in stood {
        let now = standing.iter().find(|action| action.id == *id);
        // A dividend is earned first and paid then, be it in one moment.
        let unpaid = now.filter(|action| action.paid).map(|action| Standing { paid: false, ..action.clone() });
        for version in [now.cloned(), unpaid.clone().or(now.cloned())] {
            add(with(&known, id, version.clone()));
            add(with(&standing, id, version));
        }
    }
    sets
}

fn with(set: &[Standing], id: &SmolStr, version: Option<Standing>) -> Vec<Standing> {
    let mut set: Vec<_> = set.iter().filter(|action| action.id != *id).cloned().chain(version).collect();
    set.sort_by(|a, b| a.order().cmp(&b.order()));
    set
}

/// What may have stood for a line of a portfolio between the end of the step before and that of its own.
pub(super) fn stood(ground: &Ground<'_>, account: &Account<'_>, scene: Scene<'_>, line: &InstrumentId) -> Vec<Vec<Standing>> {
    let known = account.book.follows.get(line).map_or(&[][..], Vec::as_slice);
    let find = |id: &SmolStr| known.iter().find(|action| action.id == *id);
    let mut sets = Vec::new();
    let mut add = |set: Vec<Standing>| {
        if !sets.contains(&set) {
            sets.push(set);
        }
    };
    let sources = scene.sources(ground);
    for mut standing in announced(ground, scene, line) {
        // What entries have brought before a line followed it, the action does not.
        standing.retain(|action| !action.is_dividend() || find(&action.id).is_some() || !account.settled.contains(&action.id));
        for action in &mut standing {
            let next = account.book.tellings.get(&(line.clone(), action.id.clone())).map_or(0, |telling| telling + 1);
            action.telling = find(&action.id).filter(|known| known.says(action)).map_or(next, |known| known.telling);
        }
        // What its action has paid before stays paid; where nothing was owed, that was not said.
        let owes = |id: &SmolStr| account.book.debt(line, id).is_some_and(|owed| !owed.is_nothing());
        let in_silence = ground.sources.may_pay_by_actions(scene.portfolio);
        let mut tried = Vec::new();
        for source in &sources {
            if *source == DividendSource::Actions {
                tried.push(standing.clone());
                continue;
            }
            let paid_before =
                |action: &Standing, in_silence: bool| find(&action.id).is_some_and(|known| known.paid || in_silence && !owes(&action.id));
            let by_entries = |in_silence| {
                standing.iter().map(move |action| Standing { paid: action.paid && paid_before(action, in_silence), ..action.clone() })
            };
            tried.push(by_entries(false).collect());
            tried.extend(in_silence.then(|| by_entries(true).collect()));
        }
        for set in tried {
            let perhaps = |action: &Standing| find(&action.id).is_none() && account.perhaps_settled.contains(&action.id);
            let without: Vec<_> = set.iter().filter(|action| !perhaps(action)).cloned().collect();
            add(set);
            add(without);
        }
    }
    sets
}

/// What frames said of a line: by those read at the end of the step before and of its own, on each day on which
/// something takes effect in between.
fn announced(ground: &Ground<'_>, scene: Scene<'_>, line: &InstrumentId) -> Vec<Vec<Standing>> {
    let actions = &ground.facts.actions;
    let Some((stamp, lane)) = scene.stamp.and_then(|stamp| Some((stamp, ground.lanes.get(KEEPER, stamp.lane)?))) else { return Vec::new() };
    let venue = ground.facts.instrument(line, i64::MAX).and_then(|facts| facts.venue.clone());
    let day = |step| lane.now(step).map(|now| domain::venue::day_of(venue.as_deref(), now));
    let (first, last) = (day(stamp.step - 1).unwrap_or(Date::from_days(i32::MIN)), day(stamp.step).unwrap_or(Date::from_days(i32::MAX)));
    let mut days = vec![first];
    days.extend(actions.days(line).into_iter().filter(|day| first < *day && *day <= last));
    let mut told = Vec::new();
    for frames in [stamp.step - 1, stamp.step].map(|step| lane.position(step, Topic::Frames, 0)) {
        for day in &days {
            let mut standing = actions.standing(line, frames, *day);
            standing.retain(|action| !matches!(action.deed, Deed::Symbol(_)));
            told.push(standing);
        }
    }
    told
}

/// A dividend that stood on a line when an entry was booked, where that is certain: in the window that read its cause,
/// or when the step began, and at the step's end.
pub(super) fn stood_for(ground: &Ground<'_>, scene: Scene<'_>, cause: &Cause, line: &InstrumentId, id: &SmolStr) -> Option<Standing> {
    let stamp = scene.stamp?;
    let lane = ground.lanes.get(KEEPER, stamp.lane)?;
    let at_end = |step| Some((lane.position(step, Topic::Frames, 0), lane.now(step)?));
    let read = lane.window_of(stamp.step, cause.topic, cause.partition, cause.offset);
    let venue = ground.facts.instrument(line, i64::MAX).and_then(|facts| facts.venue.clone());
    let stood = |(frames, now)| {
        let day = domain::venue::day_of(venue.as_deref(), now);
        let standing = ground.facts.actions.standing(line, frames, day).into_iter();
        standing.filter(Standing::is_dividend).find(|action| action.id == *id).map(|action| Standing { paid: false, ..action })
    };
    let then = stood(read.or_else(|| at_end(stamp.step - 1))?)?;
    at_end(stamp.step).and_then(stood).filter(|now| *now == then)
}

/// Whether the entry of an action has the name, the day and the price of what it does.
pub(super) fn wrong_name(change: &Change<'_>, (known, now): (&[Standing], &[Standing]), group: &Group<'_>) -> Option<String> {
    let Change::Action { id, .. } = change else { return None };
    let find = |set: &[Standing]| set.iter().find(|action| action.id == *id).cloned();
    let (was, is) = (find(known), find(now));
    let kind = match (&was, &is) {
        (None, None) => return Some(format!("the action {id}, which does not stand then")),
        (_, None) => EntryKind::Cancel,
        (None, Some(action)) if action.is_dividend() => EntryKind::Dividend,
        (None, Some(_)) => EntryKind::Split,
        (Some(was), Some(is)) if was == is => return Some(format!("the action {id} again")),
        (Some(was), Some(is)) if is.paid && *was == (Standing { paid: false, ..is.clone() }) => EntryKind::CashDividend,
        (Some(_), Some(_)) => EntryKind::Correct,
    };
    let (own, action) = (group.own?, is.or(was)?);
    let price = match &action.deed {
        Deed::Split { in_lieu, .. } => in_lieu.clone(),
        Deed::Dividend { per_share, .. } => Some(per_share.clone()),
        Deed::Symbol(_) => None,
    };
    if own.kind != kind {
        return Some(format!("the kind {}, the model {kind}", own.kind));
    }
    if own.trade_date != Some(action.ex_date) {
        return Some(format!("the day {:?}, the model {}", own.trade_date, action.ex_date));
    }
    (own.price.map(Published::exact) != price).then(|| format!("the price {:?}, the model another", own.price))
}
