//! What an entry of the ledger asks the model to book: the input or the action that it names. Two things the ledger alone
//! tells, at what price securities crossed and at which rates something was turned into another currency: of these the
//! frames say between which numbers they lie.

use super::amending::{Change, Terms, What};
use super::effect::is_beside;
use super::exact::{Exact, Published, magnitude, rounded, whole, zero};
use super::explain::Group;
use super::fate::books;
use super::ledger::{Account, Cause, Ground, Scene, facts_of};
use super::owed::{Debts, Papers};
use super::sets::{self, Stood};
use super::worth::{Span, Turned};
use domain::cash::CashEntry;
use domain::corporate_action::CorporateAction;
use domain::enums::{ActionKind, CashKind, DividendSource, EntryKind, ExecType, InstrumentType};
use domain::instrument::Instrument;
use domain::ledger::LedgerEntry;
use domain::{Currency, InstrumentId, SmolStr, Topic};
use std::collections::BTreeSet;

/// What an entry asks the model to book.
pub(super) enum Asked<'a> {
    /// This.
    To(Change<'a>),
    /// Something that its cause never does.
    Wrongly(String),
    /// It names no input.
    Nothing,
}

/// What a group asks for, or why the model cannot tell.
pub(super) fn change<'a>(ground: &Ground<'a>, account: &mut Account<'a>, scene: Scene<'_>, group: &Group<'_>) -> Result<Asked<'a>, String> {
    let (entry, cause) = (group.entry(), group.cause());
    if cause.topic == Topic::Frames {
        return of_action(ground, entry);
    }
    if entry.kind == EntryKind::Unknown {
        return Err(format!("the entry of {} is of a kind that is not known", cause.id));
    }
    if !books(entry) {
        return Ok(Asked::Wrongly(format!("{} of which it is not the cause", entry.kind)));
    }
    match ground.causes.get((cause.topic, cause.partition, cause.offset)) {
        None => Ok(Asked::Nothing),
        Some(Cause::Cash(cash)) => match &cash.reverses {
            Some(named) => {
                let change = account.book.reversal(cash, named)?;
                account.unsay(&cash.source, named);
                Ok(Asked::To(change))
            }
            None => of_entry(ground, account, scene, cash, entry),
        },
        Some(Cause::Fill(fill)) => {
            let known = facts_of(ground, account, &fill.instrument_id)?;
            let trade = fill.exec_type == ExecType::Trade;
            Ok(Asked::To(if trade { Change::New(What::trade(fill, known)) } else { account.book.amendment(fill)? }))
        }
    }
}

fn of_action<'a>(ground: &Ground<'_>, entry: &LedgerEntry) -> Result<Asked<'a>, String> {
    let id = &entry.cause.id;
    let line = entry.instrument_id.clone().ok_or_else(|| format!("the entry of {id} names no instrument"))?;
    if ground.facts.is_cut() && ground.facts.actions.all(id).next().is_none() {
        return Err(format!("what frames said of {id} was deleted"));
    }
    Ok(Asked::To(Change::Action { line, id: id.clone() }))
}

fn of_entry<'a>(
    ground: &Ground<'a>,
    account: &mut Account<'a>,
    scene: Scene<'_>,
    cash: &'a CashEntry,
    entry: &LedgerEntry,
) -> Result<Asked<'a>, String> {
    // A dividend may name its action alone; the ledger says of which instrument that is.
    let of = cash.instrument_id.as_ref().or(entry.instrument_id.as_ref().filter(|_| cash.action_id.is_some()));
    let settles = match settles(ground, account, scene, cash, entry) {
        Ok(settles) => settles,
        Err(why) => return Ok(Asked::Wrongly(why)),
    };
    if let Some(id) = of.filter(|_| is_beside(cash.kind)) {
        let instrument = facts_of(ground, account, id)?;
        let what = if instrument.kind == InstrumentType::Fx {
            What::Cash(cash)
        } else {
            let turned = turned(ground, account, scene, (cash, entry), instrument);
            What::Beside { entry: cash, instrument, papers: Papers { turned, settles } }
        };
        return Ok(Asked::To(Change::New(what)));
    }
    let named = cash.instrument_id.as_ref().filter(|_| cash.quantity.is_some()).zip(entry.price);
    let Some((id, price)) = named else { return Ok(Asked::To(Change::New(What::Cash(cash)))) };
    let instrument = facts_of(ground, account, id)?;
    let mut terms = Terms { instrument, price, accrued: zero() };
    if instrument.kind == InstrumentType::Bond {
        terms.accrued = accrued(ground, account, scene, (cash, entry), &terms);
    }
    Ok(Asked::To(Change::New(What::Securities { entry: cash, terms })))
}

/// What is owed of the dividend that an entry pays, and is settled by it; an error where its action has paid it.
fn settles(
    ground: &Ground<'_>,
    account: &mut Account<'_>,
    scene: Scene<'_>,
    cash: &CashEntry,
    entry: &LedgerEntry,
) -> Result<Debts, String> {
    let Some(action) = cash.action_id.as_ref().filter(|_| cash.kind == CashKind::Dividend) else { return Ok(Debts::new()) };
    let follows = |actions: &Vec<super::actions::Standing>| actions.iter().find(|known| known.id == *action).map(|known| known.paid);
    let followed = account.book.follows.iter().find_map(|(line, actions)| Some((line.clone(), follows(actions)?)));
    let by_entries = scene.sources(ground).contains(&DividendSource::Cash);
    // Of one that was withdrawn and had changed nothing the ledger says nothing.
    let stands = |line: &InstrumentId| sets::stood_then(ground, scene, line, action).is_some();
    match followed.filter(|(line, _)| account.book.has_done(line, action) || stands(line)) {
        Some((line, false)) if by_entries => Ok(all_owed(account, &line, action)),
        Some((line, _)) if account.book.has_done(&line, action) => Err(format!("a dividend that the action {action} has booked already")),
        _ => not_followed(ground, account, scene, (cash, entry, action), by_entries),
    }
}

/// An entry of a dividend that its line does not follow is income, and the action books nothing any more. One of a dividend
/// that it follows, with nothing owed of it, is income too, and what becomes owed later is owed. An error where something
/// was owed.
fn not_followed(
    ground: &Ground<'_>,
    account: &mut Account<'_>,
    scene: Scene<'_>,
    (cash, entry, action): (&CashEntry, &LedgerEntry, &SmolStr),
    by_entries: bool,
) -> Result<Debts, String> {
    let line = cash.instrument_id.as_ref().or(entry.instrument_id.as_ref());
    let line = line.filter(|line| !ground.facts.actions.is_too_much(line) && ground.facts.keeps_its_lots(line));
    let stood = line.map_or(Stood::Never, |line| sets::when_booked(ground, scene, line, action));
    let begun = line.and_then(|line| account.book.log.has_begun(line)).filter(|_| !ground.unreconciled.contains(scene.portfolio));
    let said = account.said.contains_key(action);
    let known = said || account.perhaps_said.contains(action);
    match (line, stood, begun) {
        // What an entry had settled before the action was withdrawn is owed back, and settled by the next.
        (Some(line), Stood::Surely(_), Some(true)) if known && by_entries => {
            if said {
                account.say(None, action, cash);
            }
            return Ok(all_owed(account, line, action));
        }
        _ if said => account.say(None, action, cash),
        _ if known => {}
        (Some(line), Stood::Surely(dividend), Some(true)) if account.book.would_change(line, &dividend) => {
            return Err(format!("a dividend of the action {action}, which its line has not followed"));
        }
        // What follows one that it pays itself, books no entry of it.
        (_, Stood::Surely(_), Some(true)) if by_entries => {}
        (_, Stood::Surely(_), None) | (_, Stood::Perhaps, Some(true) | None) if by_entries => {
            account.perhaps_said.insert(action.clone());
        }
        _ => account.say(line, action, cash),
    }
    Ok(Debts::new())
}

fn all_owed(account: &Account<'_>, line: &InstrumentId, action: &SmolStr) -> Debts {
    let owed = account.book.debt(line, action).filter(|owed| !owed.is_nothing());
    owed.map(|owed| (action.clone(), owed.clone())).into_iter().collect()
}

/// What an entry in another currency than its instrument's was turned by, and at what.
fn turned(
    ground: &Ground<'_>,
    account: &mut Account<'_>,
    scene: Scene<'_>,
    (cash, entry): (&CashEntry, &LedgerEntry),
    instrument: &Instrument,
) -> Option<Turned> {
    if cash.currency == instrument.currency {
        return None;
    }
    let by = Turned::Entry(account.book.log.next());
    let told = entry.fx_rate.map(Published::exact);
    let span = scene.turn(ground, (cash.currency, instrument.currency), told.as_ref());
    account.book.turns.learn(by.clone(), span);
    Some(by)
}

/// What one unit of a bond had accrued when it crossed: as the entry comes to it, as far as ticks gave that.
fn accrued(
    ground: &Ground<'_>,
    account: &mut Account<'_>,
    scene: Scene<'_>,
    (cash, entry): (&CashEntry, &LedgerEntry),
    terms: &Terms<'_>,
) -> Exact {
    let known = scene.frames(ground).and_then(|frames| ground.rates.accrued(frames, &terms.instrument.instrument_id));
    if let Some(Span { low, .. }) = known.as_ref().filter(|span| span.low == span.high) {
        return low.clone();
    }
    let units = magnitude(&cash.quantity.map_or_else(zero, Published::exact)) * terms.instrument.multiplier.exact();
    let rate = entry.fx_rate.map_or_else(|| whole(1), Published::exact);
    let told = rounded(&(magnitude(&entry.external_flow.exact()) / (units * rate) - terms.price.exact()), domain::Price::SCALE);
    match known {
        Some(span) => told.clamp(span.low, span.high),
        None => {
            account.taken += 1;
            told
        }
    }
}

/// Where the rate of what is booked anew is none that frames gave.
pub(super) fn wrong_rate(ground: &Ground<'_>, scene: Scene<'_>, change: &Change<'_>, entry: Option<&LedgerEntry>) -> Option<String> {
    let (entry, base) = (entry?, ground.sources.base(scene.portfolio)?);
    let rate = entry.fx_rate?.exact();
    let (currency, given) = rated(ground, change, entry)?;
    if let Some(given) = given.filter(|_| currency != base) {
        return (rate != given).then(|| format!("the rate {}, its execution names another", entry.fx_rate.unwrap_or_default()));
    }
    let spans = ground.rates.during(scene.frames(ground)?, currency, base)?;
    let quoted = spans.iter().any(|span| span.holds(&rate, &zero()));
    (!quoted).then(|| format!("the rate {} of {currency}, which no frame gave then", entry.fx_rate.unwrap_or_default()))
}

/// The currency whose rate an entry names, and the rate that its record gives, where it was looked up by the entry's step.
fn rated(ground: &Ground<'_>, change: &Change<'_>, entry: &LedgerEntry) -> Option<(Currency, Option<Exact>)> {
    match change {
        Change::New(What::Fill { stands, .. }) => Some((stands.currency, stands.fx_rate.map(Published::exact))),
        Change::New(What::Securities { terms, .. }) => Some((terms.instrument.currency, None)),
        Change::New(What::Cash(cash) | What::Beside { entry: cash, .. }) => Some((cash.currency, None)),
        Change::Action { line, id } if matches!(entry.kind, EntryKind::Dividend | EntryKind::Split | EntryKind::Correct) => {
            let local = ground.facts.instrument(line, i64::MAX)?.currency;
            let pays = |action: &CorporateAction| action.currency.filter(|_| action.kind == ActionKind::CashDividend).unwrap_or(local);
            let paid: BTreeSet<Currency> = ground.facts.actions.all(id).map(pays).collect();
            paid.first().filter(|_| paid.len() == 1).map(|currency| (*currency, None))
        }
        Change::Action { .. } | Change::Instead { .. } => None,
    }
}
