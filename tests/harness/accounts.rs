//! What the topics say in the end, against what was sent: every execution booked exactly once,
//! positions and cash equal to the sums, every order published once and ended.
//!
//! Shares no code with the service but the shape of its records.

use crate::load::Load;
use crate::stack::Stack;
use crate::topic::{each_input, each_output};
use crate::waiting::until;
use domain::enums::{EntryKind, ExecType, WaveKind};
use domain::fill::Fill;
use domain::{Input, Output, SmolStr, Topic};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

/// Kinds of entries of which each execution has one.
const BOOKED: [EntryKind; 3] = [EntryKind::Trade, EntryKind::Cancel, EntryKind::Correct];

/// What was counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Distinct executions in the topic of fills: the load's and the router's.
    pub executions: usize,
    /// Records there that repeat an earlier execution.
    pub repeats: usize,
    /// Executions that no ledger entry names.
    pub lost: Vec<String>,
    /// Executions that more than one ledger entry names.
    pub doubled: Vec<String>,
    /// Positions that differ from Σ of the distinct executions: (portfolio, instrument), expected, booked.
    pub wrong_positions: Vec<((String, String), i128, i128)>,
    /// Cash that differs from what the load knows: portfolio, expected, booked.
    pub wrong_cash: Vec<(String, i128, i128)>,
    /// Distinct orders.
    pub orders: usize,
    /// Order ids that stand in more than one wave.
    pub doubled_orders: Vec<String>,
    /// Orders without a terminal status.
    pub open_orders: usize,
    /// Dead letters of fills and cash.
    pub dead: usize,
}

/// Waits until every execution is booked and every order has ended, then counts. `meanwhile` is
/// called between two looks: prices must go on.
///
/// # Panics
/// When it does not come to that within `limit`: with what is missing.
pub fn settle(stack: &Stack, load: &Load, limit: Duration, mut meanwhile: impl FnMut()) -> Counts {
    let mut last = Counts::default();
    let settled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        until("every execution is booked and every order has ended", limit, || {
            meanwhile();
            last = count(stack, load);
            let whole = last.lost.is_empty() && last.open_orders == 0 && last.wrong_positions.is_empty() && last.wrong_cash.is_empty();
            whole.then_some(())
        });
    }));
    assert!(settled.is_ok(), "it did not settle within {limit:?}: {last}");
    last
}

/// Reads the topics as they are now and counts.
///
/// # Panics
/// When a record cannot be decoded.
pub fn count(stack: &Stack, load: &Load) -> Counts {
    let mut counts = Counts::default();
    let (executions, amended) = read_executions(stack, load, &mut counts);
    let ledger = Ledger::read(stack);
    for execution in &executions {
        match ledger.bookings.get(execution) {
            None => counts.lost.push(execution.clone()),
            Some(1) => {}
            Some(_) => counts.doubled.push(execution.clone()),
        }
    }
    let sums = sums(stack, &amended);
    for place in sums.keys().chain(ledger.positions.keys()).collect::<BTreeSet<_>>() {
        let (expected, booked) = (sums.get(place).copied().unwrap_or(0), ledger.positions.get(place).copied().unwrap_or(0));
        let of_load = load.model.positions.get(place).copied().unwrap_or(expected);
        if expected != booked || (load.quiet().contains(&place.0) && of_load != booked) {
            counts.wrong_positions.push((place.clone(), of_load, booked));
        }
    }
    for (portfolio, expected) in &load.model.cash {
        let booked = ledger.cash.get(portfolio).copied().unwrap_or(0);
        if *expected != booked {
            counts.wrong_cash.push((portfolio.clone(), *expected, booked));
        }
    }
    count_orders(stack, &mut counts);
    counts.dead =
        crate::topic::records(stack, Topic::Fills.dead_letters()).len() + crate::topic::records(stack, Topic::Cash.dead_letters()).len();
    counts
}

/// An execution's source and id.
type Name = (SmolStr, SmolStr);

/// The distinct execution ids in the log and in the load, and the executions that others take back or correct.
fn read_executions(stack: &Stack, load: &Load, counts: &mut Counts) -> (BTreeSet<String>, BTreeSet<Name>) {
    let (mut distinct, mut amended) = (BTreeSet::new(), BTreeSet::new());
    each_fill(stack, |fill| {
        if !distinct.insert(fill.exec_id.to_string()) {
            counts.repeats += 1;
        }
        amended.extend(fill.exec_ref_id.map(|id| (fill.source, id)));
    });
    counts.executions = distinct.len();
    distinct.extend(load.model.executions.iter().cloned());
    (distinct, amended)
}

/// Σ of the signed distinct executions in the log that nothing has taken back or corrected.
fn sums(stack: &Stack, amended: &BTreeSet<Name>) -> BTreeMap<(String, String), i128> {
    let (mut distinct, mut sums) = (BTreeSet::new(), BTreeMap::new());
    each_fill(stack, |fill| {
        let name = (fill.source.clone(), fill.exec_id.clone());
        let stands = fill.exec_type != ExecType::Cancel && !amended.contains(&name);
        if distinct.insert(name) && stands {
            let place = (fill.portfolio_id.to_string(), fill.instrument_id.to_string());
            *sums.entry(place).or_default() += fill.signed_quantity().expect("a test's quantities are small").units();
        }
    });
    sums
}

fn each_fill(stack: &Stack, mut take: impl FnMut(Fill)) {
    each_input(stack, Topic::Fills, |input| {
        if let Input::Fill(fill) = input {
            take(*fill);
        }
    });
}

#[derive(Default)]
struct Ledger {
    bookings: BTreeMap<String, usize>,
    positions: BTreeMap<(String, String), i128>,
    cash: BTreeMap<String, i128>,
}

impl Ledger {
    fn read(stack: &Stack) -> Self {
        let mut ledger = Self::default();
        each_output(stack, Topic::Ledger, |output| {
            let Output::Ledger(record) = output else { return };
            let portfolio = record.portfolio_id.to_string();
            for entry in record.entries.iter().filter(|entry| BOOKED.contains(&entry.kind)) {
                *ledger.bookings.entry(entry.cause.id.to_string()).or_default() += 1;
            }
            for position in &record.positions {
                ledger.positions.insert((portfolio.clone(), position.instrument_id.to_string()), position.quantity.units());
            }
            ledger.cash.insert(portfolio, record.cash.iter().map(|cash| cash.amount.units()).sum());
        });
        ledger
    }
}

fn count_orders(stack: &Stack, counts: &mut Counts) {
    let (mut orders, mut ended) = (BTreeMap::<String, usize>::new(), BTreeSet::new());
    each_output(stack, Topic::Orders, |output| {
        if let Output::OrderWave(wave) = output
            && wave.kind == WaveKind::New
        {
            wave.orders.iter().for_each(|order| *orders.entry(order.order_id.to_string()).or_default() += 1);
        }
    });
    each_input(stack, Topic::OrderStatus, |input| {
        if let Input::OrderStatus(status) = input
            && status.status.is_terminal()
        {
            ended.insert(status.order_id.to_string());
        }
    });
    counts.orders = orders.len();
    counts.doubled_orders = orders.iter().filter(|(_, times)| **times > 1).map(|(order, _)| order.clone()).collect();
    counts.open_orders = orders.keys().filter(|order| !ended.contains(*order)).count();
}

impl Counts {
    /// Whether everything that was sent is booked once, and no order stands twice.
    ///
    /// # Panics
    /// If not.
    pub fn assert_whole(&self) {
        let whole = self.lost.is_empty() && self.doubled.is_empty() && self.doubled_orders.is_empty() && self.dead == 0;
        assert!(whole && self.wrong_positions.is_empty() && self.wrong_cash.is_empty() && self.open_orders == 0, "{self}");
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "executions {}, repeats sent {}, lost {}, doubled {}, orders {}, doubled {}, open {}, dead letters {}, wrong positions {}, wrong cash {}",
            self.executions,
            self.repeats,
            self.lost.len(),
            self.doubled.len(),
            self.orders,
            self.doubled_orders.len(),
            self.open_orders,
            self.dead,
            self.wrong_positions.len(),
            self.wrong_cash.len()
        )?;
        let few = |ids: &[String]| ids.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        for (what, ids) in [("lost", &self.lost), ("doubled", &self.doubled), ("doubled orders", &self.doubled_orders)] {
            if !ids.is_empty() {
                write!(f, "; {what}: {}", few(ids))?;
            }
        }
        if let Some(((portfolio, instrument), expected, booked)) = self.wrong_positions.first() {
            write!(f, "; {instrument} of {portfolio}: expected {expected}, booked {booked} (10⁻⁸)")?;
        }
        if let Some((portfolio, expected, booked)) = self.wrong_cash.first() {
            write!(f, "; cash of {portfolio}: expected {expected}, booked {booked} (10⁻¹⁰)")?;
        }
        Ok(())
    }
}
