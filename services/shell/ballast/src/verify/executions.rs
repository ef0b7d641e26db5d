//! I3: an id acts at most once, and no valid execution or cash entry is lost.

use super::fate::{Fate, Fates, at, books, cash_key, fill_key};
use super::history::History;
use super::lanes::Lanes;
use super::ledger::{Cause, Causes};
use super::report::Check;
use super::seen::{Place, Seen};
use domain::cash::CashEntry;
use domain::fill::Fill;
use domain::{PortfolioId, SmolStr};
use std::collections::BTreeMap;

/// The rows of I3.
pub(super) fn check(history: &History, lanes: &Lanes, fates: &Fates, causes: &Causes<'_>) -> Vec<Check> {
    let mut conflicts = Check::new("I3", "a known id with other content is dead-lettered, never dropped");
    let queued = |portfolio: &PortfolioId| fates.queued.contains(portfolio);
    let fills = history.fills.iter().zip(&fates.fills).filter(|(seen, _)| !queued(&seen.record.portfolio_id));
    same_content(fills, fill_key, economics, &mut conflicts);
    let cash = history.cash.iter().zip(&fates.cash).filter(|(seen, _)| !queued(&seen.record.portfolio_id));
    same_content(cash, cash_key, cash_economics, &mut conflicts);
    vec![act_once(history, lanes, causes), none_lost(history, fates), conflicts, in_log_order(history, lanes, causes)]
}

fn act_once(history: &History, lanes: &Lanes, causes: &Causes<'_>) -> Check {
    let mut check = Check::new("I3", "each execution and cash entry acts at most once, and nothing else acts");
    let mut booked: BTreeMap<Vec<SmolStr>, Place> = BTreeMap::new();
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        for entry in seen.record.entries.iter().filter(|entry| books(entry)) {
            let cause = &entry.cause;
            let named = format!("{}/{}@{} ({})", cause.topic, cause.partition, cause.offset, cause.id);
            let key = match causes.get((cause.topic, cause.partition, cause.offset)) {
                Some(Cause::Fill(fill)) if fill.portfolio_id == seen.record.portfolio_id => fill_key(fill).to_vec(),
                Some(Cause::Cash(cash)) if cash.portfolio_id == seen.record.portfolio_id => cash_key(cash).to_vec(),
                _ => {
                    check.that(false, || {
                        format!("{}: an entry of {} names {named}, where no input of it stands", seen.place, seen.record.portfolio_id)
                    });
                    continue;
                }
            };
            let before = booked.insert(key, seen.place);
            check.that(before.is_none(), || {
                let first = before.map(|place| place.to_string()).unwrap_or_default();
                format!("{}: {named} of {} is booked again, first at {first}", seen.place, seen.record.portfolio_id)
            });
        }
    }
    check
}

fn none_lost(history: &History, fates: &Fates) -> Check {
    let mut check = Check::new("I3", "every execution and cash entry is booked, refused, known, waiting or unread");
    for (seen, fate) in history.fills.iter().zip(&fates.fills) {
        let fill = &seen.record;
        check.that(*fate != Fate::Lost, || {
            format!("{}: {} {} of {} is lost: {}", seen.place, fill.source, fill.exec_id, fill.portfolio_id, why(seen))
        });
    }
    for (seen, fate) in history.cash.iter().zip(&fates.cash) {
        let cash = &seen.record;
        check.that(*fate != Fate::Lost, || {
            format!("{}: {} {} of {} is lost: {}", seen.place, cash.source, cash.entry_id, cash.portfolio_id, why(seen))
        });
    }
    check
}

fn why<T>(seen: &Seen<T>) -> &'static str {
    if seen.misfiled {
        "its key is not its portfolio, and it is not dead-lettered"
    } else {
        "0 bookings, 0 dead letters, nothing to wait for"
    }
}

/// What another record with the same id must share to be the same.
fn economics(fill: &Fill) -> String {
    format!("{:?}", (&fill.instrument_id, fill.exec_type, fill.side, fill.quantity, fill.price, fill.currency, fill.gross_amount))
}

fn cash_economics(cash: &CashEntry) -> String {
    format!("{:?}", (cash.kind, cash.currency, cash.amount, &cash.instrument_id, cash.quantity))
}

fn same_content<'a, T: 'a, K: Ord>(
    judged: impl Iterator<Item = (&'a Seen<T>, &'a Fate)>,
    key: impl Fn(&T) -> K,
    content: impl Fn(&T) -> String,
    check: &mut Check,
) {
    let mut known: BTreeMap<K, (Place, String)> = BTreeMap::new();
    for (seen, fate) in judged {
        match fate {
            // One that waits is compared with nothing yet: both wait, and the second is refused once the first is booked.
            Fate::Applied => _ = known.insert(key(&seen.record), (seen.place, content(&seen.record))),
            Fate::Duplicate => {
                let Some((first, told)) = known.get(&key(&seen.record)) else { continue };
                let again = content(&seen.record);
                check.that(*told == again, || format!("{}: passed over as {first}, but {again} is not {told}", seen.place));
            }
            _ => {}
        }
    }
}

/// Within one step of one window, executions of an instrument are booked in the order of the log,
/// but for those that were read in an earlier step and waited, and those that waited for what they name.
fn in_log_order(history: &History, lanes: &Lanes, causes: &Causes<'_>) -> Check {
    let mut check = Check::new("I3", "executions of an instrument are booked in log order, unless they waited");
    let mut newest = BTreeMap::new();
    let mut named: BTreeMap<_, i64> = BTreeMap::new();
    for Seen { record: fill, place, .. } in &history.fills {
        let last = named.entry((&fill.portfolio_id, &fill.source, &fill.exec_id)).or_insert(place.offset);
        *last = place.offset.max(*last);
    }
    let has_waited = |fill: &Fill, offset: i64| {
        let names = fill.exec_ref_id.as_ref().and_then(|id| named.get(&(&fill.portfolio_id, &fill.source, id)));
        names.is_some_and(|named| *named > offset)
    };
    for seen in history.ledgers.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp)) {
        let Some(stamp) = seen.stamp else { continue };
        let Some(lane) = lanes.get(stamp.role, stamp.lane) else { continue };
        for entry in seen.record.entries.iter().filter(|entry| books(entry)) {
            let place = (entry.cause.topic, entry.cause.partition, entry.cause.offset);
            let Some(Cause::Fill(fill)) = causes.get(place) else { continue };
            let read = lane.position(stamp.step - 1, place.0, place.1);
            // What an earlier step read whose progress was deleted may have waited.
            let read_now = place.2 >= read && (read > 0 || !lane.was_cut());
            let key = (fill.portfolio_id.clone(), fill.instrument_id.clone(), place.0);
            let before = newest.get(&key).copied().unwrap_or(-1);
            check.that(place.2 > before || !read_now || !lane.is_single(stamp.step) || has_waited(fill, place.2), || {
                format!("{}: {} at offset {} is booked behind offset {before}", seen.place, fill.exec_id, place.2)
            });
            newest.insert(key, before.max(place.2));
        }
    }
    check
}

/// The fills that were booked.
pub(super) fn booked_fills<'a>(history: &'a History, fates: &'a Fates) -> impl Iterator<Item = &'a Seen<Fill>> {
    history.fills.iter().zip(&fates.fills).filter(|(_, fate)| **fate == Fate::Applied).map(|(seen, _)| seen)
}

/// The step that booked a fill first.
pub(super) fn act_step(fates: &Fates, seen: &Seen<Fill>) -> Option<i64> {
    fates.acts.get(&at(seen.place))?.iter().copied().min()
}
