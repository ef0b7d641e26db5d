//! Release: drafts become orders and leave in one record, sells first where the buys must wait; and
//! requests to cancel what has left.

use crate::cycle::announcement::Announcement;
use crate::cycle::execution::Benchmark;
use crate::cycle::{Cycle, Desk, Leg, Turn};
use crate::orders::draft::Draft;
use crate::orders::wave::wave;
use domain::drift::Drift;
use domain::enums::{RebalanceStatus, Side, WaveKind};
use domain::fixed::FixedError;
use domain::order::Order;
use domain::{Money, OrderId, Output};

const WAITING: &str = "sells first: the buys follow when every sell is terminal and applied";
const TOGETHER: &str = "all orders at once";
const SLICED: &str = "slices: no larger than planned, and than cash, limits and goals of now allow";
const FUNDED: &str = "buys, no larger than the cash that the sells have brought and the goals of now allow";

/// Releases the first wave of an opening or approved cycle: all drafts, or the sells among them; of large ones a slice.
pub fn release_first(desk: &mut Desk, cycle: &mut Cycle, drafts: Vec<Draft>, waits: bool, wave: Wave<'_>, turn: &mut Turn<'_, '_>) {
    let (now, later): (Vec<_>, Vec<_>) = drafts.into_iter().partition(|draft| !waits || draft.leg.side != Side::Buy);
    // Without sells there is nothing to wait for.
    let (now, later) = if now.is_empty() { (later, now) } else { (now, later) };
    let note = if later.is_empty() { TOGETHER } else { WAITING };
    cycle.later = later;
    begin(desk, cycle, now, note, wave, turn);
}

/// Releases the buys that waited.
pub fn release_later(desk: &mut Desk, cycle: &mut Cycle, drafts: Vec<Draft>, wave: Wave<'_>, turn: &mut Turn<'_, '_>) {
    cycle.later.clear();
    begin(desk, cycle, drafts, FUNDED, wave, turn);
}

/// Releases the slices that were due; what is left of them was taken off.
pub fn release_slices(desk: &mut Desk, cycle: &mut Cycle, drafts: Vec<Draft>, wave: Wave<'_>, turn: &mut Turn<'_, '_>) {
    let note = noted(SLICED, cycle);
    leave(desk, cycle, drafts, &note, wave, turn);
}

/// What a wave is said with, and the drift event that it was decided on.
pub struct Wave<'a> {
    /// The event of the release.
    pub said: Announcement,
    /// The book of its moment.
    pub drift: &'a Drift,
}

fn begin(desk: &mut Desk, cycle: &mut Cycle, drafts: Vec<Draft>, note: &str, wave: Wave<'_>, turn: &mut Turn<'_, '_>) {
    let due = turn.now().plus_seconds(cycle.terms.slice_seconds);
    let drafts = cycle.slices.begin(drafts, due);
    let note = noted(note, cycle);
    leave(desk, cycle, drafts, &note, wave, turn);
}

/// A note, and when more of its orders leaves.
fn noted(note: &str, cycle: &Cycle) -> String {
    cycle.slices.due().map_or_else(|| note.to_owned(), |due| format!("{note}; large orders leave in slices, the next no sooner than {due}"))
}

fn leave(desk: &mut Desk, cycle: &mut Cycle, drafts: Vec<Draft>, note: &str, wave: Wave<'_>, turn: &mut Turn<'_, '_>) {
    let orders = cycle.terms.orders(turn.portfolio, cycle.id, &drafts, turn.now());
    let left = (cycle.waves + 1, turn.now());
    let leg = |(draft, order): (Draft, &Order)| {
        let benchmark = Benchmark::of(&draft, wave.drift);
        Leg::new(order.clone(), draft.before, left, benchmark)
    };
    cycle.legs.extend(drafts.into_iter().zip(&orders).map(leg));
    let count = u32::try_from(orders.len()).expect("a plan has far fewer legs than 2^32");
    desk.budget.spend(turn.now(), total(&orders).unwrap_or(Money::from_units(i128::MAX)), count);
    wave.said.with_text(note).with_orders(orders.clone()).send(turn);
    send_wave(cycle, WaveKind::New, orders, Some(note), turn);
}

/// Asks to cancel the open legs that `which` picks and that were not asked before; how many those are.
pub fn ask_cancel(cycle: &mut Cycle, which: impl Fn(&Leg) -> bool, note: &str, turn: &mut Turn<'_, '_>) -> usize {
    let now = turn.now();
    let mut orders = Vec::new();
    for leg in &mut cycle.legs {
        if leg.can_be_asked_back() && which(leg) {
            leg.cancel_asked = Some(now);
            orders.push(leg.order.clone());
        }
    }
    let count = orders.len();
    if count > 0 {
        send_wave(cycle, WaveKind::Cancel, orders, Some(note), turn);
    }
    count
}

fn send_wave(cycle: &mut Cycle, kind: WaveKind, orders: Vec<Order>, note: Option<&str>, turn: &mut Turn<'_, '_>) {
    cycle.waves += 1;
    turn.emit(Output::OrderWave(Box::new(wave(&cycle.terms, cycle.id, cycle.waves, kind, orders, note))));
}

/// Worth of orders.
pub fn total(orders: &[Order]) -> Result<Money, FixedError> {
    orders.iter().try_fold(Money::ZERO, |sum, order| sum.checked_add(order.expected_value))
}

/// The event of a release.
pub fn released(turn: &Turn<'_, '_>, cycle: &Cycle) -> Announcement {
    Announcement::of(turn, cycle, RebalanceStatus::Released)
}

/// The drafts whose legs a newer plan still has, with the quantities that it left them; ids stay.
pub fn kept(cycle: &[Draft], legs: &[crate::plan::Leg]) -> Vec<Draft> {
    let mut used: Vec<OrderId> = Vec::new();
    let mut drafts = Vec::new();
    for leg in legs {
        let same =
            |draft: &&Draft| draft.leg.instrument_id == leg.instrument_id && draft.leg.side == leg.side && !used.contains(&draft.order_id);
        if let Some(draft) = cycle.iter().find(same) {
            used.push(draft.order_id);
            drafts.push(Draft { leg: leg.clone(), ..draft.clone() });
        }
    }
    drafts
}
