//! The sets of corporate actions that a line may follow when an entry is made: the one that it followed before, and what
//! stood at some moment of the entry's step. What they do is told elsewhere.

use super::actions::{Deed, Standing};
use super::amending::Change;
use super::exact::Published;
use super::explain::Group;
use super::ledger::{Account, Ground, Scene};
use super::seen::KEEPER;
use domain::enums::{ActionStatus, DividendSource, EntryKind};
use domain::{Date, InstrumentId, SmolStr, Timestamp, Topic};

/// Dividends of which nobody knows of each whether it counts, and of which every choice is tried; of more, the last count
/// together.
const MOST_OPEN: usize = 4;

/// Every choice among so many.
fn choices(of: usize) -> std::ops::Range<usize> {
    0..1 << of.min(MOST_OPEN)
}

/// Whether a choice has the one at a place.
fn has(choice: usize, at: usize) -> bool {
    choice >> at.min(MOST_OPEN - 1) & 1 == 1
}

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
    let mut add = |set| add_new(&mut sets, set);
    let Change::Action { id, .. } = change else {
        // What is dated before an action that stood in the window which read it, or that its line followed, has met what
        // stood in that window, unless it waited: so that comes first.
        let date = if let Change::New(what) = change { what.date() } else { None };
        let meets = |set: &[Standing]| set.iter().any(|action| date < Some(action.ex_date));
        let certain = scene.window(ground).is_some() && date.is_some() && scene.sources(ground).len() == 1;
        let first = stood.first().filter(|first| certain && (meets(first) || meets(&known))).cloned();
        first.into_iter().chain(std::iter::once(known)).chain(stood).for_each(add);
        return sets;
    };
    for standing in stood {
        let now = standing.iter().find(|action| action.id == *id);
        // A dividend is earned first and paid then, be it in one moment.
        let unpaid = now.filter(|action| action.paid).map(|action| Standing { paid: false, ..action.clone() });
        for version in [unpaid.or(now.cloned()), now.cloned()] {
            add(with(&known, id, version.clone()));
            add(with(&standing, id, version));
        }
    }
    sets
}

fn add_new(sets: &mut Vec<Vec<Standing>>, set: Vec<Standing>) {
    if !sets.contains(&set) {
        sets.push(set);
    }
}

fn with(set: &[Standing], id: &SmolStr, version: Option<Standing>) -> Vec<Standing> {
    let mut set: Vec<_> = set.iter().filter(|action| action.id != *id).cloned().chain(version).collect();
    set.sort_by(|a, b| a.order().cmp(&b.order()));
    set
}

/// What may have stood for a line of a portfolio between the end of the step before and that of its own.
pub(super) fn stood(ground: &Ground<'_>, account: &Account<'_>, scene: Scene<'_>, line: &InstrumentId) -> Vec<Vec<Standing>> {
    let mut sets = Vec::new();
    let silent = paid_in_silence(ground, account, scene, line);
    for standing in announced(ground, scene, line) {
        for told in as_told(ground, account, line, standing) {
            for source in scene.sources(ground) {
                for paid in as_paid(account, line, &told, source, &silent) {
                    as_counted(account, line, &paid).into_iter().for_each(|set| add_new(&mut sets, set));
                }
            }
        }
    }
    sets
}

fn known_of<'a>(account: &'a Account<'_>, line: &InstrumentId, id: &SmolStr) -> Option<&'a Standing> {
    account.book.follows.get(line)?.iter().find(|action| action.id == *id)
}

/// For each choice among some ids, whether it has one of them; of other ids it says nothing.
fn each_choice(ids: &[SmolStr]) -> impl Iterator<Item = impl Fn(&SmolStr) -> Option<bool>> {
    let place = |id: &SmolStr| ids.iter().position(|one| one == id);
    choices(ids.len()).map(move |choice| move |id: &SmolStr| place(id).map(|at| has(choice, at)))
}

/// The tellings by which actions that stand may be followed: each as it was known, the next one where it is new, and
/// of those that may have been told again that one too.
fn as_told(ground: &Ground<'_>, account: &Account<'_>, line: &InstrumentId, mut standing: Vec<Standing>) -> Vec<Vec<Standing>> {
    // What entries have brought before a line followed it, the action does not.
    standing
        .retain(|action| !action.is_dividend() || known_of(account, line, &action.id).is_some() || !account.said.contains_key(&action.id));
    for action in &mut standing {
        let next = account.book.tellings.get(&(line.clone(), action.id.clone())).map_or(0, |telling| telling + 1);
        action.telling = known_of(account, line, &action.id).filter(|known| known.says(action)).map_or(next, |known| known.telling);
    }
    let again = told_again(ground, account, line, &standing);
    let told = each_choice(&again).map(|is_anew| {
        let anew = |action: &Standing| u32::from(is_anew(&action.id) == Some(true));
        standing.iter().map(|action| Standing { telling: action.telling + anew(action), ..action.clone() }).collect()
    });
    told.collect()
}

/// What of these is paid: by actions as they say; by entries what was paid before, and any of those that may have been
/// paid in silence.
fn as_paid(
    account: &Account<'_>,
    line: &InstrumentId,
    standing: &[Standing],
    source: DividendSource,
    silent: &[SmolStr],
) -> Vec<Vec<Standing>> {
    if source == DividendSource::Actions {
        return vec![standing.to_vec()];
    }
    let paid = each_choice(silent).map(|is_silent| {
        // What its action has paid before stays paid.
        let known = |id: &SmolStr| known_of(account, line, id).is_some_and(|known| known.paid);
        let paid = |action: &Standing| action.paid && (known(&action.id) || is_silent(&action.id) == Some(true));
        standing.iter().map(|action| Standing { paid: paid(action), ..action.clone() }).collect()
    });
    paid.collect()
}

/// Each of those that an entry may have brought counts by itself; at first none does.
fn as_counted(account: &Account<'_>, line: &InstrumentId, standing: &[Standing]) -> Vec<Vec<Standing>> {
    let perhaps = |action: &&Standing| known_of(account, line, &action.id).is_none() && account.perhaps_said.contains(&action.id);
    let open: Vec<SmolStr> = standing.iter().filter(perhaps).map(|action| action.id.clone()).collect();
    let counted = each_choice(&open).map(|counts| standing.iter().filter(|action| counts(&action.id) != Some(false)).cloned().collect());
    counted.collect()
}

/// Dividends in other currencies that may have been withdrawn and announced again without a word, since they came to
/// nothing: they are turned anew then.
fn told_again(ground: &Ground<'_>, account: &Account<'_>, line: &InstrumentId, standing: &[Standing]) -> Vec<SmolStr> {
    let known = account.book.follows.get(line).map_or(&[][..], Vec::as_slice);
    let as_known = |action: &&Standing| known.iter().any(|known| known.id == action.id && known.says(action));
    let abroad = |action: &&Standing| matches!(action.deed, Deed::Dividend { currency: Some(_), .. });
    let withdrawn = |action: &&Standing| ground.facts.actions.all(&action.id).any(|told| told.status == ActionStatus::Cancelled);
    let silent = |action: &&Standing| !account.book.has_done(line, &action.id);
    standing.iter().filter(abroad).filter(as_known).filter(withdrawn).filter(silent).map(|action| action.id.clone()).collect()
}

/// What frames said of a line: by those read at the end of the step before, and by each of its own that told something of
/// the line, on each day on which something takes effect in between. What the window of the cause met comes first.
fn announced(ground: &Ground<'_>, scene: Scene<'_>, line: &InstrumentId) -> Vec<Vec<Standing>> {
    let actions = &ground.facts.actions;
    let Some((stamp, lane)) = scene.stamp.and_then(|stamp| Some((stamp, ground.lanes.get(KEEPER, stamp.lane)?))) else { return Vec::new() };
    let venue = ground.facts.instrument(line, i64::MAX).and_then(|facts| facts.venue.clone());
    let day = |step| lane.now(step).map(|now| domain::venue::day_of(venue.as_deref(), now));
    let (first, last) = (day(stamp.step - 1).unwrap_or(Date::from_days(i32::MIN)), day(stamp.step).unwrap_or(Date::from_days(i32::MAX)));
    let mut days = vec![first];
    days.extend(actions.days(line).into_iter().filter(|day| first < *day && *day <= last));
    let mut told: Vec<_> = scene.window(ground).map(|moment| all_at(ground, line, moment)).into_iter().collect();
    let [from, to] = [stamp.step - 1, stamp.step].map(|step| lane.position(step, Topic::Frames, 0));
    for frames in std::iter::once(from).chain(actions.frames(line, from, to).into_iter().map(|offset| offset + 1)) {
        told.extend(days.iter().map(|day| all_on(ground, line, (frames, *day))));
    }
    told
}

/// What stood on a line at a moment: by the frames before an offset, on the day of a clock.
fn all_at(ground: &Ground<'_>, line: &InstrumentId, (frames, now): (i64, Timestamp)) -> Vec<Standing> {
    let venue = ground.facts.instrument(line, i64::MAX).and_then(|facts| facts.venue.clone());
    all_on(ground, line, (frames, domain::venue::day_of(venue.as_deref(), now)))
}

/// The same on a day.
fn all_on(ground: &Ground<'_>, line: &InstrumentId, (frames, day): (i64, Date)) -> Vec<Standing> {
    let mut standing = ground.facts.actions.standing(line, frames, day);
    standing.retain(|action| !matches!(action.deed, Deed::Symbol(_)));
    standing
}

fn stood_at(ground: &Ground<'_>, line: &InstrumentId, id: &SmolStr, moment: (i64, Timestamp)) -> Option<Standing> {
    all_at(ground, line, moment).into_iter().filter(Standing::is_dividend).find(|action| action.id == *id)
}

/// A dividend that stood on a line in the window that read an entry's cause, or when the step began.
pub(super) fn stood_then(ground: &Ground<'_>, scene: Scene<'_>, line: &InstrumentId, id: &SmolStr) -> Option<Standing> {
    let stamp = scene.stamp?;
    let lane = ground.lanes.get(KEEPER, stamp.lane)?;
    let begun = || Some((lane.position(stamp.step - 1, Topic::Frames, 0), lane.now(stamp.step - 1)?));
    stood_at(ground, line, id, scene.window(ground).or_else(begun)?).map(|action| Standing { paid: false, ..action })
}

/// Whether a dividend stood when an entry was booked.
pub(super) enum Stood {
    /// In the window that read the entry's cause, or when the step began, and at the end of the step too.
    Surely(Standing),
    /// At one of these moments, or at the other one otherwise.
    Perhaps,
    /// At neither.
    Never,
}

/// Whether a dividend stood on a line when the entry of a scene was booked.
pub(super) fn when_booked(ground: &Ground<'_>, scene: Scene<'_>, line: &InstrumentId, id: &SmolStr) -> Stood {
    let lane = scene.stamp.and_then(|stamp| Some((stamp, ground.lanes.get(KEEPER, stamp.lane)?)));
    let end = lane.and_then(|(stamp, lane)| Some((lane.position(stamp.step, Topic::Frames, 0), lane.now(stamp.step)?)));
    match (stood_then(ground, scene, line, id), end.and_then(|end| stood_at(ground, line, id, end))) {
        (None, None) => Stood::Never,
        (Some(then), Some(end)) if then.says(&end) => Stood::Surely(then),
        _ => Stood::Perhaps,
    }
}

/// Dividends that may have been paid without a word, for want of anything that was owed: when actions paid last, their
/// day of payment had come.
fn paid_in_silence(ground: &Ground<'_>, account: &Account<'_>, scene: Scene<'_>, line: &InstrumentId) -> Vec<SmolStr> {
    let known = account.book.follows.get(line).map_or(&[][..], Vec::as_slice);
    let owes = |id: &SmolStr| account.book.debt(line, id).is_some_and(|owed| !owed.is_nothing());
    let Some(lane) = scene.stamp.and_then(|stamp| ground.lanes.get(KEEPER, stamp.lane)) else { return Vec::new() };
    let last = scene.stamp.and_then(|stamp| ground.sources.paid_by_actions_last(scene.portfolio, stamp, lane));
    let Some(moment) = last.and_then(|step| Some((lane.position(step, Topic::Frames, 0), lane.now(step)?))) else { return Vec::new() };
    let is_paid = |id: &SmolStr| known.iter().any(|known| known.id == *id && known.paid);
    let due = all_at(ground, line, moment).into_iter().filter(|action| action.is_dividend() && action.paid);
    due.map(|action| action.id).filter(|id| !is_paid(id) && !owes(id)).collect()
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
