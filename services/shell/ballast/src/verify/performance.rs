//! What was earned: I11 the parts of a record of performance add up, I2 a timeframe has earned what equity grew by beyond its
//! flows, by the closes that were read, and of all time bookings brought what the ledger's entries say, each counted once.
//!
//! A record is compared with what the tracker had read in one of the windows of its step. Returns and figures are not
//! worked out again, nor is what a strategy, sector or hour has of the whole. Where a portfolio's entries are in other
//! currencies than its base, its day was cut in more than one way, or its keeper began anew, bookings are not compared.

use super::closed;
use super::exact::{self, Exact, Published, near, show, slack, zero};
use super::history::History;
use super::lanes::Lanes;
use super::report::Check;
use super::seen::{Seen, TRACKER, by_portfolio};
use domain::enums::{EntryKind, Grouping};
use domain::ledger::{Ledger, LedgerEntry, StrategyChange};
use domain::performance::{ALL, Attribution, Performance};
use domain::portfolio_close::PortfolioClose;
use domain::{Currency, Date, Money, PortfolioId, Topic};
use std::collections::{BTreeMap, BTreeSet};

/// The rows about records of performance.
pub(super) fn check(history: &History, lanes: &Lanes) -> Vec<Check> {
    let mut parts = Check::new("I11", "buckets of performance are the sums of their parts, and with the residual the total");
    let settled = history.performances.iter().filter(|seen| !seen.repeat && lanes.is_settled(seen.stamp));
    let told = by_portfolio(settled, |record| &record.portfolio_id);
    told.values().flatten().for_each(|seen| adds_up(seen, &mut parts));
    let mut checks = vec![parts, grown(history, lanes, &told), booked(history, lanes, &told)];
    checks.extend(closed::check(history, lanes, &told));
    checks
}

pub(super) fn named(seen: &Seen<Performance>) -> String {
    let record = &seen.record;
    let until = record.date.map_or_else(String::new, |date| date.to_string());
    format!("{}: {} of {} until {until}", seen.place, record.timeframe, record.portfolio_id)
}

fn adds_up(seen: &Seen<Performance>, check: &mut Check) {
    for Attribution { grouping, buckets, residual, total } in &seen.record.attribution {
        for bucket in buckets {
            let sum = bucket.realized_gross.units() - bucket.fees.units() + bucket.income.units() + bucket.unrealized.units();
            check.that(bucket.total.units() == sum, || {
                format!("{}: {grouping} {}: total {}, its parts {}", named(seen), bucket.name, bucket.total, Money::from_units(sum))
            });
        }
        let sum = buckets.iter().map(|bucket| bucket.total.units()).sum::<i128>() + residual.units();
        check.that(total.units() == sum, || {
            format!("{}: {grouping}: total {total}, buckets and residual {}", named(seen), Money::from_units(sum))
        });
    }
}

/// The newest closes of a portfolio, as far as they were read, each with the flows of all days up to it.
#[derive(Default)]
struct Days<'a> {
    newest: BTreeMap<Date, (&'a PortfolioClose, i128)>,
}

impl<'a> Days<'a> {
    fn take(&mut self, close: &'a PortfolioClose) {
        if self.newest.get(&close.date).is_some_and(|(known, _)| close.version <= known.version) {
            return;
        }
        let before = self.newest.range(..close.date).next_back().map_or(0, |(_, (_, flows))| *flows);
        self.newest.insert(close.date, (close, before));
        // Of few days: only the newest are closed again.
        self.newest.range_mut(close.date..).fold(before, |flows, (_, (close, counted))| {
            *counted = flows + close.net_external_flow.units();
            *counted
        });
    }
    /// What the days of a record have earned; `None` where it was made of another version of its last day.
    fn earned(&self, record: &Performance) -> Option<Money> {
        let (last, flows) = self.newest.get(&record.date?).filter(|(close, _)| Some(close.version) == record.close_version)?;
        let before = self.newest.range(..record.from_date?).next_back();
        let (equity, earlier) = before.map_or((0, 0), |(_, (close, flows))| (close.equity.units(), *flows));
        Some(Money::from_units(last.equity.units() - equity - (flows - earlier)))
    }
}

fn grown(history: &History, lanes: &Lanes, told: &BTreeMap<&PortfolioId, Vec<&Seen<Performance>>>) -> Check {
    let mut check = Check::new("I2", "total of a timeframe = what equity grew by − flows, by the closes that were read");
    let closes = by_portfolio(history.closes.iter().filter(|seen| !seen.repeat), |close| &close.portfolio_id);
    for (portfolio, records) in told {
        let Some(closes) = closes.get(portfolio).filter(|closes| is_whole(history, lanes, closes)) else { continue };
        let (mut days, mut unread) = (Days::default(), closes.iter().peekable());
        for step in records.chunk_by(|one, next| step_of(one) == step_of(next)) {
            let mut open: Vec<(&&Seen<Performance>, Option<Money>)> = step.iter().map(|seen| (seen, None)).collect();
            for window in windows(lanes, step[0], Topic::PortfolioCloses) {
                while let Some(close) = unread.next_if(|close| close.place.offset < window) {
                    days.take(&close.record);
                }
                open.retain_mut(|(seen, earned)| {
                    *earned = days.earned(&seen.record).or(*earned);
                    let holds = earned.is_some_and(|earned| seen.record.attribution.iter().all(|group| group.total == earned));
                    if holds {
                        check.that(true, String::new);
                    }
                    !holds
                });
            }
            for (seen, earned) in open {
                let Some(earned) = earned else { continue };
                check.that(false, || {
                    let total = seen.record.attribution.first().map_or(Money::ZERO, |group| group.total);
                    format!("{}: total {total}, equity less flows grew by {earned}", named(seen))
                });
            }
        }
    }
    check
}

/// Realised, fees, income.
type Brought = [Exact; 3];

const NAMES: [&str; 3] = ["realized_gross", "fees", "income"];

fn nothing() -> Brought {
    [zero(), zero(), zero()]
}

fn booked(history: &History, lanes: &Lanes, told: &BTreeMap<&PortfolioId, Vec<&Seen<Performance>>>) -> Check {
    let mut check = Check::new("I2", "realized, fees, income of all time in performance = Σ of the ledger's entries, each once");
    for (last, date, ledgers) in of_all_time(history, lanes, told) {
        let Some(group) = last.record.attribution.iter().find(|group| group.grouping == Grouping::InstrumentType) else { continue };
        if ledgers.iter().any(|seen| !is_plain(&seen.record, last.record.base_currency)) {
            continue;
        }
        let mut brought = nothing();
        for bucket in &group.buckets {
            let parts = [bucket.realized_gross, bucket.fees, bucket.income].map(Published::exact);
            brought.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        }
        let (mut sum, mut entries, mut found) = (nothing(), 0, false);
        let mut unread = ledgers.iter().peekable();
        for window in windows(lanes, last, Topic::Ledger) {
            while let Some(seen) = unread.next_if(|seen| seen.place.offset < window) {
                for entry in seen.record.entries.iter().filter(|entry| is_of(entry, date, &last.record)) {
                    sum.iter_mut().zip(of_entry(entry)).for_each(|(sum, part)| *sum += part);
                    entries += 1 + entry.by_strategy.len() as u64;
                }
            }
            let slack = slack(entries + group.buckets.len() as u64, entries);
            found |= sum.iter().zip(&brought).all(|(sum, told)| near(sum, told, &slack));
        }
        check.that(found, || {
            let differs = (0..NAMES.len()).find(|at| sum[*at] != brought[*at]).unwrap_or(0);
            let (told, sum) = (show(&brought[differs]), show(&sum[differs]));
            format!("{}: {} is {told}, the entries add up to {sum}", named(last), NAMES[differs])
        });
    }
    check
}

/// A record of all time, the date of its last day, and its portfolio's ledger.
type OfAllTime<'a> = (&'a Seen<Performance>, Date, Vec<&'a Seen<Ledger>>);

/// The last record of all time of each portfolio whose days were always cut alike, and of which all was read.
pub(super) fn of_all_time<'a>(
    history: &'a History,
    lanes: &Lanes,
    told: &BTreeMap<&'a PortfolioId, Vec<&'a Seen<Performance>>>,
) -> Vec<OfAllTime<'a>> {
    let mut ledgers = by_portfolio(history.ledgers.iter().filter(|seen| !seen.repeat), |ledger| &ledger.portfolio_id);
    let cut = cut_alike(history);
    let one = |(portfolio, records): (&&'a PortfolioId, &Vec<&'a Seen<Performance>>)| {
        let last = *records.iter().rev().find(|seen| seen.record.timeframe == ALL)?;
        let date = last.record.date.filter(|_| cut.contains(portfolio) && last.record.policy_version.is_some())?;
        let ledgers = ledgers.remove(portfolio).filter(|ledgers| is_whole(history, lanes, ledgers))?;
        Some((last, date, ledgers))
    };
    told.iter().filter_map(one).collect()
}

/// What an entry brought, where every amount is in the base currency.
fn of_entry(entry: &LedgerEntry) -> Brought {
    if entry.by_strategy.is_empty() {
        return [entry.realized_gross.exact(), exact::sum(entry.fees.iter().map(|fee| fee.amount.exact())), entry.income.exact()];
    }
    let sum = |part: fn(&StrategyChange) -> Money| exact::sum(entry.by_strategy.iter().map(|own| part(own).exact()));
    [sum(|part| part.realized_gross), sum(|part| part.fees), sum(|part| part.income)]
}

/// Whether an entry belongs to the days of a record: by its date, paid dividends and plain cash by the moment of its effect.
fn is_of(entry: &LedgerEntry, date: Date, record: &Performance) -> bool {
    let dated = entry.trade_date.filter(|_| entry.kind != EntryKind::CashDividend);
    dated.map_or(entry.effective_at < record.as_of, |dated| dated <= date)
}

/// Whether every amount is in the base currency, and of what crosses the boundary as securities nothing counts: its day is
/// its venue's.
fn is_plain(ledger: &Ledger, base: Currency) -> bool {
    let crosses =
        |entry: &LedgerEntry| entry.instrument_id.is_some() && entry.cause.topic == Topic::Cash && !entry.quantity_change.is_zero();
    let plain = |entry: &LedgerEntry| {
        let amounts = entry.cash.iter().chain(&entry.fees).all(|leg| leg.currency == base);
        amounts && (!crosses(entry) || of_entry(entry) == nothing())
    };
    ledger.positions.iter().all(|position| position.currency == base) && ledger.entries.iter().all(plain)
}

/// Portfolios whose policies all cut the day alike.
fn cut_alike(history: &History) -> BTreeSet<&PortfolioId> {
    let mut cuts: BTreeMap<&PortfolioId, BTreeSet<String>> = BTreeMap::new();
    for (portfolio, policy) in history.policies.iter().map(|seen| &seen.record) {
        let cut = policy.as_ref().map(|policy| (&policy.calendar, &policy.time_zone, &policy.day_cut, &policy.base_currency));
        cuts.entry(portfolio).or_default().insert(format!("{cut:?}"));
    }
    cuts.into_iter().filter(|(_, cuts)| cuts.len() == 1).map(|(portfolio, _)| portfolio).collect()
}

/// Whether everything that a portfolio's keeper and its tracker ever said of it is there, in one life of each.
fn is_whole<T>(history: &History, lanes: &Lanes, records: &[&Seen<T>]) -> bool {
    let whole = |seen: &&Seen<T>| {
        let lane = seen.place.partition;
        history.start(seen.place.topic, lane) == 0
            && !lanes.has_lived(seen.stamp)
            && lanes.get(TRACKER, lane).is_some_and(|t| t.life() == 0 && !t.was_cut())
    };
    records.iter().all(whole)
}

fn step_of<T>(seen: &Seen<T>) -> Option<i64> {
    seen.stamp.map(|stamp| stamp.step)
}

/// How far an input was read at the end of each window of a record's step.
pub(super) fn windows(lanes: &Lanes, seen: &Seen<Performance>, topic: Topic) -> Vec<i64> {
    let lane = seen.stamp.and_then(|stamp| Some((lanes.get(TRACKER, stamp.lane)?, stamp)));
    lane.map_or_else(Vec::new, |(lane, stamp)| lane.windows_of(stamp.step, topic, stamp.lane))
}
