//! Step 7: buys share the cash that there is, from the sells that remain. Cuts only; the cash that they need
//! never passes the cash that they may use, fees, open buys and the reserve taken off. Where only settled cash
//! may be spent, what the sells bring is none of it: it settles later.
//!
//! A LIMIT order may cost its limit, so that is what it is funded at. What short sales have brought is not used.
//!
//! A future moves no cash but fees and what closing it realizes: a gain of a buy is not counted, a loss is.

use super::book::Holding;
use super::desk::{Desk, Wish};
use super::exact::{Int, SHARE, VALUE, int, money, narrow, ten};
use super::legs::{Limit, limit, parts};
use domain::enums::{CashBasis, Shortage, Side};
use domain::reason::ReasonCode;
use domain::{Fraction, Money};
use std::cmp::Ordering;

const ONE: Int = ten(Fraction::SCALE);
/// The number of what buys may use.
pub(crate) const CASH_FOR_BUYS: &str = "cash_for_buys";

/// Cuts the buys to the cash, where the policy says so. Buys that the cash reaches for are left as they are.
pub(crate) fn fund(desk: &Desk, wishes: &mut [Wish]) {
    let buys: Vec<_> = (0..wishes.len()).filter(|index| wishes[*index].quantity > 0).collect();
    if buys.is_empty() || !desk.input.rules.orders.cash_limited {
        return;
    }
    let cash = cash_for_buys(desk, wishes);
    let needed = buys.iter().fold(Int::ZERO, |sum, index| sum + need(desk, *index, wishes[*index].quantity));
    let short = needed > cash;
    for index in &buys {
        note(&mut wishes[*index], CASH_FOR_BUYS, cash, short);
        note(&mut wishes[*index], "cash_needed", needed, short);
    }
    if !short {
        return;
    }
    match desk.input.rules.orders.shortage {
        Shortage::Priority => by_priority(desk, wishes, buys, cash),
        Shortage::ProRata | Shortage::Unknown => pro_rata(desk, wishes, &buys, cash),
    }
}

/// Funding may be asked again; the numbers of the last shortage are those that count.
fn note(wish: &mut Wish, name: &'static str, share: Int, anew: bool) {
    match super::exact::rescaled(share, SHARE, Money::SCALE).map(Money::from_units) {
        Some(money) if anew => wish.note_anew(name, money),
        Some(money) => wish.note(name, money),
        None => {}
    }
}

/// What buys may use, at scale SHARE; may be negative.
fn cash_for_buys(desk: &Desk, wishes: &[Wish]) -> Int {
    let reserve = int(desk.input.rules.orders.cash_reserve.units()) * desk.book.equity;
    let settled = desk.input.rules.orders.cash_basis == CashBasis::Settled;
    let mut cash = (desk.book.spendable - desk.book.open_buys - money(desk.input.short_proceeds)) * ONE - reserve;
    for (index, wish) in wishes.iter().enumerate().filter(|(_, wish)| wish.quantity < 0) {
        let holding = desk.holding(index);
        for (side, units) in parts(holding, wish.quantity) {
            if side == Side::Sell {
                let brought = int(units) * holding.gain.unwrap_or(holding.unit) * ONE;
                // The loss that closing a future realizes is taken off, settled or not.
                cash += if settled { brought.min(Int::ZERO) } else { brought };
            }
            cash -= desk.fees(holding.notional(units), 1);
        }
    }
    cash
}

/// Cash that a buy of one unit takes, with the rate of the fee, at scale UNIT + 12.
fn each(desk: &Desk, holding: &Holding) -> Int {
    let unit = unit_of_buy(desk, holding);
    let price = if holding.gain.is_some() { Int::ZERO } else { unit * ONE };
    // Fees are charged on the price without accrued interest.
    let quoted = unit - (holding.unit - holding.clean);
    price + quoted * int(desk.input.rules.orders.fees.rate.units())
}

/// What a unit is worth to its buyer, at scale UNIT: at the limit price where there is one.
fn unit_of_buy(desk: &Desk, holding: &Holding) -> Int {
    match limit(desk.input.rules.orders, holding.at, Side::Buy) {
        Limit::At(price) => holding.at_price(price),
        Limit::Market | Limit::Impossible => holding.unit,
    }
}

/// Cash that a buy takes whatever its size: the fixed fee, and the loss that covering a future realizes.
fn once(desk: &Desk, holding: &Holding, quantity: i128) -> Int {
    let covered = int(quantity.min((-holding.held()).max(0)));
    let loss = holding.gain.map_or(Int::ZERO, |gain| covered * gain.max(Int::ZERO));
    desk.fixed_fee() + loss * ONE
}

fn need(desk: &Desk, index: usize, quantity: i128) -> Int {
    let holding = desk.holding(index);
    int(quantity) * each(desk, holding) + once(desk, holding, quantity)
}

/// All buys by one factor, again toward zero to the lot.
fn pro_rata(desk: &Desk, wishes: &mut [Wish], buys: &[usize], cash: Int) {
    let (mut rest, mut whole) = (cash, Int::ZERO);
    for index in buys {
        let (holding, quantity) = (desk.holding(*index), wishes[*index].quantity);
        rest -= once(desk, holding, quantity);
        whole += int(quantity) * each(desk, holding);
    }
    for index in buys {
        let (quantity, lot) = (wishes[*index].quantity, desk.lot(*index));
        let lots = if rest.is_positive() && whole.is_positive() { int(quantity) * rest / (whole * int(lot)) } else { Int::ZERO };
        wishes[*index].cut(narrow(lots).map_or(0, |lots| lots.saturating_mul(lot)), reason(cash));
    }
}

/// The largest underweight first, each as far as the rest reaches.
fn by_priority(desk: &Desk, wishes: &mut [Wish], mut buys: Vec<usize>, cash: Int) {
    let id = |index: usize| &desk.holding(index).at.instrument_id;
    buys.sort_by(|a, b| match desk.drift(*a).cmp(&desk.drift(*b)) {
        Ordering::Equal => id(*a).cmp(id(*b)),
        order => order,
    });
    let mut rest = cash;
    for index in buys {
        let (quantity, holding) = (wishes[index].quantity, desk.holding(index));
        if need(desk, index, quantity) > rest {
            let (left, each) = (rest - once(desk, holding, quantity), each(desk, holding));
            let units = if left.is_positive() && each.is_positive() { narrow(left / each).unwrap_or(quantity) } else { 0 };
            wishes[index].cut(desk.whole_lots(index, units.min(quantity)), reason(cash));
        }
        if wishes[index].stands() {
            rest -= need(desk, index, wishes[index].quantity);
        }
    }
}

fn reason(cash: Int) -> ReasonCode {
    if cash.is_positive() { ReasonCode::CashShortage } else { ReasonCode::InsufficientFunds }
}

// The scale of `each` times a quantity is that of a share.
const _: () = assert!(super::exact::UNIT + 8 + Fraction::SCALE == SHARE && VALUE + Fraction::SCALE == SHARE);
