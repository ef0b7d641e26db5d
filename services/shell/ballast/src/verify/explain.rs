//! I2: whether what the ledger says of one cause is what its input, or its corporate action, does to the book.
//!
//! At which window of a step an action took effect no record says. So an entry on a line of which actions were announced
//! is compared with every set of actions that may have stood when it was made, from the one which the line followed
//! before: one of them must explain it.

use super::actions::{Deed, Standing};
use super::amending::{Change, What};
use super::asked::{self, Asked};
use super::effect::Effect;
use super::exact::{Exact, Published, slack, zero};
use super::ledger::{Account, Ground, Scene, amounts_difference, differs};
use super::seen::Seen;
use super::sets::{self, wrong_name};
use super::worth::{Turned, Turns};
use domain::enums::EntryKind;
use domain::ledger::{self, Ledger, LedgerEntry};
use domain::{Date, InstrumentId, Topic};
use std::collections::BTreeMap;

/// What one cause has made: its own entry, and the one of what it changed of others.
pub(super) struct Group<'e> {
    pub(super) own: Option<&'e LedgerEntry>,
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
    /// The one that says what it is.
    pub(super) fn entry(&self) -> &'e LedgerEntry {
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
    let scene = Scene::of(&seen.record.portfolio_id, seen.stamp).of_cause(group.cause());
    let change = match asked::change(ground, account, scene, group)? {
        Asked::To(change) => change,
        Asked::Wrongly(why) => return Ok(Rebooked::As(Some(why))),
        Asked::Nothing => return Ok(Rebooked::WithoutInput),
    };
    let wrong_rate = asked::wrong_rate(ground, scene, &change, group.own);
    let may_be_split = is_of_a_split_unheard(ground, &change, group);
    match by_any_cause(ground, account, scene, change, group)? {
        Some(_) if may_be_split => Err(format!("frames are gone that may have told of a split before {} was booked", group.cause().id)),
        difference => Ok(Rebooked::As(wrong_rate.or(difference))),
    }
}

fn by_any_cause<'a>(
    ground: &Ground<'a>,
    account: &mut Account<'a>,
    scene: Scene<'_>,
    change: Change<'a>,
    group: &Group<'_>,
) -> Result<Option<String>, String> {
    let line = account.book.line_of(&change);
    let acted = line.as_ref().filter(|line| ground.facts.actions.concerns(line));
    let Some(line) = acted else { return plainly(account, change, group) };
    if ground.lanes.is_bygone(scene.stamp) {
        return Err(format!("what the step had read of the actions on {line} is not known: its progress was deleted"));
    }
    if ground.facts.actions.is_too_much(line) || !ground.facts.keeps_its_lots(line) {
        return Err(format!("{line} has more actions than are followed, or another lot or venue than before"));
    }
    let tried = sets::of(ground, account, scene, line, &change);
    learn(ground, account, scene, (line, &tried), group);
    among(account, change, group, tried)
}

/// Whether an execution came to other units than its own, as one does that stands before a split: a frame that is gone may
/// have told of it. That no unit is lost is asked of the last states, too (I1).
fn is_of_a_split_unheard(ground: &Ground<'_>, change: &Change<'_>, group: &Group<'_>) -> bool {
    let (Change::New(what @ What::Fill { .. }), Some(entry)) = (change, group.own) else { return false };
    ground.facts.is_cut() && entry.quantity_change.exact() != what.units()
}

/// Notes between which numbers the rates lie at which dividends in other currencies were turned: those of the step that
/// announced one in an entry of its own, else any since it was heard of.
fn learn(
    ground: &Ground<'_>,
    account: &mut Account<'_>,
    scene: Scene<'_>,
    (line, sets): (&InstrumentId, &[Vec<Standing>]),
    group: &Group<'_>,
) {
    let Some(local) = ground.facts.instrument(line, i64::MAX).map(|facts| facts.currency) else { return };
    for action in sets.iter().flatten() {
        let Deed::Dividend { currency: Some(currency), .. } = action.deed else { continue };
        let by = Turned::Action(line.clone(), action.id.clone(), action.telling);
        if currency == local || account.book.turns.is_used(&by) {
            continue;
        }
        let own = group.own.filter(|own| own.cause.topic == Topic::Frames && own.cause.id == action.id);
        let first = ground.facts.actions.first(&action.id).filter(|_| own.is_none());
        let told = own.and_then(|own| own.fx_rate).map(Published::exact);
        let span = scene.since(first).turn(ground, (currency, local), told.as_ref());
        account.book.turns.learn(by, span);
    }
}

/// Books where no action was ever announced.
fn plainly<'a>(account: &mut Account<'a>, change: Change<'a>, group: &Group<'_>) -> Result<Option<String>, String> {
    match change {
        Change::New(what) => {
            let effect = account.book.book(what)?;
            Ok(agree(account, (&effect, &Effect::none()), group))
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
        let effect = account.book.book(what.clone())?;
        return Ok(agree(account, (&effect, &Effect::none()), group));
    }
    let line = account.book.line_of(&change);
    let known = line.and_then(|line| account.book.follows.get(&line).cloned()).unwrap_or_default();
    // What has another name, day or price is not worked out: a line is booked from its beginning for each set.
    let (named, misnamed): (Vec<_>, Vec<_>) =
        sets.into_iter().map(|set| (misnames(account, &change, (&known, &set), group), set)).partition(|(why, _)| why.is_none());
    // What was paid without a word is taken back as cash.
    let in_silence = account.book.may_be_paid_in_silence(&change);
    let tried = named.into_iter().flat_map(|(_, set)| std::iter::once((set.clone(), false)).chain(in_silence.then_some((set, true))));
    let mut first = None;
    for (set, silent) in tried {
        let outcome = account.book.weigh(&change, &set, silent)?;
        let difference = agree(account, (&outcome.own, &outcome.later), group);
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
    let outcome = account.book.weigh(&change, &set, false)?;
    account.book.write(&change, outcome, set);
    Ok(difference)
}

/// Whether an entry has another name than what became of its action. One that had done nothing may have been withdrawn
/// without a word.
fn misnames(account: &Account<'_>, change: &Change<'_>, (known, now): (&[Standing], &[Standing]), group: &Group<'_>) -> Option<String> {
    let why = wrong_name(change, (known, now), group)?;
    let Change::Action { line, id } = change else { return Some(why) };
    if account.book.has_done(line, id) {
        return Some(why);
    }
    let without: Vec<_> = known.iter().filter(|action| action.id != *id).cloned().collect();
    wrong_name(change, (&without, now), group)
}

/// Where a group differs from what the model has; where it does not, its figures tell the rates that were not known.
fn agree(account: &mut Account<'_>, (own, later): (&Effect, &Effect), group: &Group<'_>) -> Option<String> {
    let loose = account.loose;
    let turns = &account.book.turns;
    let difference = told(turns, own, group.own, loose)
        .or_else(|| told(turns, later, group.restate, loose).map(|why| format!("what it restates: {why}")));
    if difference.is_none() {
        for (effect, entry) in [(own, group.own), (later, group.restate)].into_iter().filter_map(|(effect, entry)| Some((effect, entry?))) {
            account.taken += u64::from(account.book.turns.is_open(&effect.income));
            account.book.turns.narrow(&effect.income, &entry.income.exact(), &slack(1, 1000));
        }
    }
    difference
}

/// Whether something is dated on the newest ex-date or later: no action looks at it by itself.
fn is_newest(what: &What<'_>, sets: &[Vec<Standing>]) -> bool {
    sets.iter().flatten().all(|action| Some(action.ex_date) <= what.date())
}

/// Where what an entry says differs from an effect; no entry says that there is none.
fn told(turns: &Turns, effect: &Effect, entry: Option<&LedgerEntry>, loose: bool) -> Option<String> {
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
    let income = || turns.differs("income", &entry.income.exact(), &effect.income, &one);
    differs("quantity", &entry.quantity_change.exact(), &effect.quantity, &zero())
        .or_else(cash)
        .or_else(fees)
        .or_else(realized)
        .or_else(income)
        .or_else(flows)
        .or_else(|| trades_difference(effect, entry))
}

/// Where an entry closes other trades than an effect, by trade date.
fn trades_difference(effect: &Effect, entry: &LedgerEntry) -> Option<String> {
    let told = entry.closed_trades.iter().map(|trades| (trades.trade_date, trades.winning + trades.losing + trades.even));
    let all = |trades: BTreeMap<Date, i64>| trades.into_iter().filter(|(_, trades)| *trades != 0).collect::<BTreeMap<_, _>>();
    let (told, expected) = (all(told.collect()), all(effect.closes.clone()));
    let (date, _) = told.iter().chain(&expected).find(|(date, _)| told.get(date) != expected.get(date))?;
    let [told, expected] = [&told, &expected].map(|trades| trades.get(date).copied().unwrap_or(0));
    Some(format!("closed trades of {date} are {told} and should be {expected}"))
}

/// What an effect changes and no entry says.
pub(super) fn untold(effect: &Effect, loose: bool) -> Option<String> {
    let one = slack(1, 1000);
    let nothing = |name: &str, amount: &Exact| differs(name, &zero(), amount, &one);
    let owed = effect.owed.values().flat_map(|owed| owed.amounts.values());
    let amounts = effect.cash.values().chain(effect.fees.values()).chain(owed);
    let realized = || if loose { None } else { nothing("realized", &effect.realized) };
    differs("quantity", &zero(), &effect.quantity, &zero())
        .or_else(|| amounts.filter_map(|amount| nothing("an amount of", amount)).next())
        .or_else(realized)
        .or_else(|| effect.income.amounts().find_map(|amount| nothing("income", amount)))
        .or_else(|| effect.closes.iter().find(|(_, trades)| **trades != 0).map(|(date, _)| format!("a closed trade of {date} is not told")))
}
