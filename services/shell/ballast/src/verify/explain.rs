//! I2: whether what the ledger says of one cause is what its input, or its corporate action, does to the book.
//!
//! At which window of a step an action took effect no record says. So an entry on a line of which actions were announced
//! is compared with every set of actions that may have stood when it was made, from the one which the line followed
//! before: one of them must explain it.

use super::actions::{Deed, Standing};
use super::amending::{Change, Terms, What};
use super::booking::Effect;
use super::exact::{Exact, Published, slack, zero};
use super::fate::books;
use super::ledger::{Account, Cause, Ground, amounts_difference, differs, facts_of};
use super::seen::{KEEPER, Place, Seen, Stamp};
use domain::cash::CashEntry;
use domain::enums::{ActionKind, CashKind, DividendSource, EntryKind, ExecType, InstrumentType};
use domain::ledger::{self, Ledger, LedgerEntry};
use domain::{Date, InstrumentId, SmolStr, Topic};

/// What one cause has made: its own entry, and the one of what it changed of others.
pub(super) struct Group<'e> {
    own: Option<&'e LedgerEntry>,
    restate: Option<&'e LedgerEntry>,
}

impl<'e> Group<'e> {
    /// The groups of a record: a RESTATE belongs to the entry of its cause before it.
    pub(super) fn all(entries: &'e [LedgerEntry]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for entry in entries {
            let restates = entry.kind == EntryKind::Restate;
            match groups.last_mut().filter(|group| restates && group.restate.is_none() && *group.cause() == entry.cause) {
                Some(group) => group.restate = Some(entry),
                None if restates => groups.push(Self { own: None, restate: Some(entry) }),
                None => groups.push(Self { own: Some(entry), restate: None }),
            }
        }
        groups
    }
    fn entry(&self) -> &'e LedgerEntry {
        self.own.or(self.restate).expect("a group is made of an entry")
    }
    /// The cause of both.
    pub(super) fn cause(&self) -> &'e ledger::Cause {
        &self.entry().cause
    }
}

/// What became of a comparison.
pub(super) enum Rebooked {
    /// It was booked again; where it differs from what the ledger says.
    As(Option<String>),
    /// The entry names no input.
    WithoutInput,
}

/// Books again what a group says, or says why the model cannot.
pub(super) fn rebook<'a>(
    ground: &Ground<'a>,
    account: &mut Account<'a>,
    seen: &Seen<Ledger>,
    group: &Group<'_>,
) -> Result<Rebooked, String> {
    let change = match change(ground, account, seen.place, group)? {
        Asked::To(change) => change,
        Asked::Wrongly(why) => return Ok(Rebooked::As(Some(why))),
        Asked::Nothing => return Ok(Rebooked::WithoutInput),
    };
    let line = account.book.line_of(&change);
    let acted = line.as_ref().filter(|line| ground.facts.actions.concerns(line));
    let Some(line) = acted else { return plainly(account, change, group).map(Rebooked::As) };
    if ground.facts.actions.is_too_much(line) || !ground.facts.keeps_its_lots(line) {
        return Err(format!("{line} has more actions than are followed, or another lot or venue than before"));
    }
    let by_actions = ground.dividends.get(&seen.record.portfolio_id) == Some(&DividendSource::Actions);
    if !by_actions && ground.facts.actions.are_any(line, ActionKind::CashDividend) {
        return Err(format!("{line} has dividends that cash entries settle, which this model does not follow"));
    }
    let tried = sets(ground, account, seen.stamp, line, &change);
    among(account, change, group, tried).map(Rebooked::As)
}

/// What an entry asks the model to book.
enum Asked<'a> {
    To(Change<'a>),
    Wrongly(String),
    Nothing,
}

fn change<'a>(ground: &Ground<'a>, account: &mut Account<'a>, place: Place, group: &Group<'_>) -> Result<Asked<'a>, String> {
    let (entry, cause) = (group.entry(), group.cause());
    if cause.topic == Topic::Frames {
        let line = entry.instrument_id.clone().ok_or_else(|| format!("the entry of {} names no instrument", cause.id))?;
        if ground.facts.is_cut() && ground.facts.actions.all(&cause.id).next().is_none() {
            return Err(format!("what frames said of {} was deleted", cause.id));
        }
        return Ok(Asked::To(Change::Action { line, id: cause.id.clone() }));
    }
    if entry.kind == EntryKind::Unknown {
        return Err(format!("the entry of {} is of a kind that is not known", cause.id));
    }
    if !books(entry) {
        return Ok(Asked::Wrongly(format!("{} of which it is not the cause", entry.kind)));
    }
    Ok(Asked::To(match ground.causes.get((cause.topic, cause.partition, cause.offset)) {
        None => return Ok(Asked::Nothing),
        Some(Cause::Cash(cash)) => match &cash.reverses {
            Some(named) => account.book.reversal(cash, named)?,
            None => match twice(account, cash) {
                Some(why) => return Ok(Asked::Wrongly(why)),
                None => Change::New(of_entry(ground, account, place, (cash, entry))?),
            },
        },
        Some(Cause::Fill(fill)) => {
            let known = facts_of(ground, account, place, &fill.instrument_id)?;
            if fill.exec_type == ExecType::Trade { Change::New(What::trade(fill, known)) } else { account.book.amendment(fill)? }
        }
    }))
}

/// An entry of a dividend that its action has booked already.
fn twice(account: &mut Account<'_>, cash: &CashEntry) -> Option<String> {
    let action = cash.action_id.as_ref().filter(|_| cash.kind == CashKind::Dividend)?;
    let mut followed = account.book.follows.iter().filter(|(_, actions)| actions.iter().any(|known| known.id == *action));
    let booked = followed.any(|(line, _)| account.book.has_done(line, action));
    if !booked {
        account.settled.insert(action.clone());
    }
    booked.then(|| format!("a dividend that the action {action} has booked already"))
}

/// A cash entry; securities cross at the price that the ledger names.
fn of_entry<'a>(
    ground: &Ground<'a>,
    account: &mut Account<'a>,
    place: Place,
    (cash, entry): (&'a CashEntry, &LedgerEntry),
) -> Result<What<'a>, String> {
    // A dividend may name its action alone; the ledger says of which instrument that is.
    let of = cash.instrument_id.as_ref().or(entry.instrument_id.as_ref().filter(|_| cash.action_id.is_some()));
    if let Some(id) = of.filter(|_| super::booking::is_beside(cash.kind)) {
        let instrument = facts_of(ground, account, place, id)?;
        if instrument.kind == InstrumentType::Fx {
            return Ok(What::Cash(cash));
        }
        // In another currency rates of booking are in its figures, and in no input.
        let own = cash.currency == instrument.currency;
        return if own {
            Ok(What::Beside { entry: cash, instrument })
        } else {
            Err(format!("entry {} in another currency than {id}", cash.entry_id))
        };
    }
    let named = cash.instrument_id.as_ref().filter(|_| cash.quantity.is_some()).zip(entry.price);
    let Some((id, price)) = named else { return Ok(What::Cash(cash)) };
    let terms = Terms { instrument: facts_of(ground, account, place, id)?, price };
    // What bonds have accrued is part of their worth, and in no input that this model reads.
    if terms.instrument.kind == InstrumentType::Bond {
        return Err(format!("a transfer of the bond {}", entry.cause.id));
    }
    Ok(What::Securities { entry: cash, terms })
}

/// Books where no action was ever announced.
fn plainly<'a>(account: &mut Account<'a>, change: Change<'a>, group: &Group<'_>) -> Result<Option<String>, String> {
    match change {
        Change::New(what) => {
            let effect = account.book.book(what)?;
            Ok(told(&effect, group.own, account.loose).or_else(|| told(&Effect::none(), group.restate, account.loose)))
        }
        Change::Instead { .. } => among(account, change, group, vec![Vec::new()]),
        Change::Action { id, .. } => Ok(Some(format!("the action {id}, of which no frame tells"))),
    }
}

/// Books by the first of these sets of actions that explains a group; by the first of all where none does.
fn among<'a>(account: &mut Account<'a>, change: Change<'a>, group: &Group<'_>, sets: Vec<Vec<Standing>>) -> Result<Option<String>, String> {
    if let (Change::New(what), true) = (&change, group.restate.is_none())
        && is_newest(what, &sets)
    {
        let effect = account.book.book(*what)?;
        return Ok(told(&effect, group.own, account.loose));
    }
    let line = account.book.line_of(&change);
    let known = line.and_then(|line| account.book.follows.get(&line).cloned()).unwrap_or_default();
    // What has another name, day or price is not worked out: a line is booked from its beginning for each set.
    let (named, misnamed): (Vec<_>, Vec<_>) =
        sets.into_iter().map(|set| (wrong_name(&change, (&known, &set), group), set)).partition(|(why, _)| why.is_none());
    let mut first = None;
    for (_, set) in named {
        let outcome = account.book.weigh(&change, &set)?;
        let difference = told(&outcome.own, group.own, account.loose)
            .or_else(|| told(&outcome.later, group.restate, account.loose).map(|why| format!("what it restates: {why}")));
        if difference.is_none() {
            account.book.write(&change, outcome, set);
            return Ok(None);
        }
        first = first.or(Some((outcome, set, difference)));
    }
    if let Some((outcome, set, difference)) = first {
        account.book.write(&change, outcome, set);
        return Ok(difference);
    }
    let (difference, set) = misnamed.into_iter().next().ok_or("nothing is known to compare with")?;
    let outcome = account.book.weigh(&change, &set)?;
    account.book.write(&change, outcome, set);
    Ok(difference)
}

/// Whether something is dated on the newest ex-date or later: no action looks at it by itself.
fn is_newest(what: &What<'_>, sets: &[Vec<Standing>]) -> bool {
    sets.iter().flatten().all(|action| Some(action.ex_date) <= what.date())
}

/// The sets of actions that a line may follow after a change: what it follows, and what stood at some moment of the step.
fn sets(ground: &Ground<'_>, account: &Account<'_>, stamp: Option<Stamp>, line: &InstrumentId, change: &Change<'_>) -> Vec<Vec<Standing>> {
    let known = account.book.follows.get(line).cloned().unwrap_or_default();
    let stood = stood(ground, account, stamp, line);
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
pub(super) fn stood(ground: &Ground<'_>, account: &Account<'_>, stamp: Option<Stamp>, line: &InstrumentId) -> Vec<Vec<Standing>> {
    let actions = &ground.facts.actions;
    let Some((stamp, lane)) = stamp.and_then(|stamp| Some((stamp, ground.lanes.get(KEEPER, stamp.lane)?))) else { return Vec::new() };
    let venue = ground.facts.instrument(line, i64::MAX).and_then(|facts| facts.venue.clone());
    let day = |step| lane.now(step).map(|now| domain::venue::day_of(venue.as_deref(), now));
    let (first, last) = (day(stamp.step - 1).unwrap_or(Date::from_days(i32::MIN)), day(stamp.step).unwrap_or(Date::from_days(i32::MAX)));
    let mut days = vec![first];
    days.extend(actions.days(line).into_iter().filter(|day| first < *day && *day <= last));
    let known = account.book.follows.get(line).map_or(&[][..], Vec::as_slice);
    let follows = |id: &SmolStr| known.iter().any(|action| action.id == *id);
    let mut sets = Vec::new();
    for frames in [stamp.step - 1, stamp.step].map(|step| lane.position(step, Topic::Frames, 0)) {
        for day in &days {
            let mut standing = actions.standing(line, frames, *day);
            standing.retain(|action| !matches!(action.deed, Deed::Symbol(_)));
            // What entries bring, the action does not.
            standing.retain(|action| !action.is_dividend() || follows(&action.id) || !account.settled.contains(&action.id));
            if !sets.contains(&standing) {
                sets.push(standing);
            }
        }
    }
    sets
}

/// Whether the entry of an action has the name, the day and the price of what it does.
fn wrong_name(change: &Change<'_>, (known, now): (&[Standing], &[Standing]), group: &Group<'_>) -> Option<String> {
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

/// Where what an entry says differs from an effect; no entry says that there is none.
fn told(effect: &Effect, entry: Option<&LedgerEntry>, loose: bool) -> Option<String> {
    let one = slack(1, 1000);
    let Some(entry) = entry else { return untold(effect, loose) };
    let cash = || amounts_difference(&effect.cash, &entry.cash, &one).map(|d| format!("cash legs: {d}"));
    let fees = || amounts_difference(&effect.fees, &entry.fees, &one).map(|d| format!("fees: {d}"));
    // A flow is in base, at the rate that the entry names.
    let rate = entry.fx_rate.map_or_else(|| super::exact::whole(1), Published::exact);
    let flow = effect.flow.as_ref().map_or_else(zero, |(_, amount)| amount * rate);
    let flows = || {
        // What is restated stands at the rates of its bookings, which the entry does not name.
        let told = entry.kind != EntryKind::Restate;
        told.then(|| differs("external_flow", &entry.external_flow.exact(), &flow, &one)).flatten()
    };
    let realized = || if loose { None } else { differs("realized", &entry.realized_gross.exact(), &effect.realized, &one) };
    let income = || if effect.foreign { None } else { differs("income", &entry.income.exact(), &effect.income, &one) };
    differs("quantity", &entry.quantity_change.exact(), &effect.quantity, &zero())
        .or_else(cash)
        .or_else(fees)
        .or_else(realized)
        .or_else(income)
        .or_else(flows)
}

/// What an effect changes and no entry says.
pub(super) fn untold(effect: &Effect, loose: bool) -> Option<String> {
    let one = slack(1, 1000);
    let nothing = |name: &str, amount: &Exact| differs(name, &zero(), amount, &one);
    let amounts = effect.cash.values().chain(effect.fees.values()).chain(effect.owed.values());
    let realized = || if loose { None } else { nothing("realized", &effect.realized) };
    differs("quantity", &zero(), &effect.quantity, &zero())
        .or_else(|| amounts.filter_map(|amount| nothing("an amount of", amount)).next())
        .or_else(realized)
        .or_else(|| nothing("income", &effect.income))
}
