//! What earlier legs ask for on a newer drift event: the wishes of a later wave. Never more than the legs,
//! never past a goal that has been reached since, never more sold than is there; what was approved never through
//! the band and out on the other side; the buys that waited never more than the newer event would order, and none
//! where a line was to come back inside its band and has.

use super::desk::{Desk, Wish};
use super::outcome::Leg;
use super::quantity::{missing, oversteps, quantity};
use super::refusal::Refusal;
use domain::InstrumentId;
use domain::enums::{Goal, RebalanceTrigger, Side};
use domain::reason::ReasonCode;
use std::collections::BTreeMap;

/// How far a wish may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// As far as the legs, unless that leads out of the band on the other side.
    Legs,
    /// As far as the legs, and no further than the goal of the newer event.
    Goal,
    /// The same of slices, which are to lead on where those before them have led a line back inside its band.
    Slice,
}

/// What the legs of one instrument ask for, in units.
#[derive(Default, Clone, Copy)]
struct Asked {
    /// Signed sum.
    quantity: i128,
    /// Units sold short.
    short: i128,
    /// Whether the line stood outside its bounds when they were planned first.
    outside: bool,
}

/// One wish for every holding; instruments outside `legs` are left alone.
pub(crate) fn wishes(desk: &Desk, legs: &[Leg], reach: &impl Fn(&InstrumentId) -> Reach) -> Result<Vec<Wish>, Refusal> {
    let mut asked = asked(legs)?;
    let holdings = 0..desk.book.holdings.len();
    let wishes = holdings.map(|index| match asked.remove(&desk.holding(index).at.instrument_id) {
        Some(asked) => wish(desk, index, asked, reach(&desk.holding(index).at.instrument_id)),
        None => Ok(Wish::none(left_alone(desk, index))),
    });
    let wishes = wishes.collect::<Result<_, _>>()?;
    match asked.keys().next() {
        None => Ok(wishes),
        Some(id) => {
            let text = format!("{id} is to be ordered and has no line in the drift event: plan anew");
            Err(Refusal::new(ReasonCode::DataGap, text))
        }
    }
}

fn asked(legs: &[Leg]) -> Result<BTreeMap<&InstrumentId, Asked>, Refusal> {
    let mut sums = BTreeMap::<_, Asked>::new();
    for leg in legs {
        if !leg.quantity.is_positive() || !leg.quantity.fits_wire() || leg.side == Side::Unknown {
            return Err(Refusal::absurd(leg.instrument_id.as_str()));
        }
        let sum = sums.entry(&leg.instrument_id).or_default();
        sum.quantity = sum.quantity.checked_add(leg.signed_quantity().units()).ok_or_else(|| Refusal::absurd("a leg"))?;
        sum.outside |= leg.outside;
        if leg.side == Side::SellShort {
            sum.short = sum.short.checked_add(leg.quantity.units()).ok_or_else(|| Refusal::absurd("a leg"))?;
        }
    }
    Ok(sums)
}

/// Why nothing is wanted of a line now: it stands inside its band, or its breach is left to another cycle.
fn left_alone(desk: &Desk, index: usize) -> ReasonCode {
    if desk.scoped.outside[index] { ReasonCode::OpenCycle } else { ReasonCode::WithinBand }
}

/// Whether a breach is over for good once its line stands inside again. A person and a schedule plan every line,
/// and the way to its target. Slices lead half way from inside as well; to the edge of a band they lead from outside.
fn stops_inside(desk: &Desk, reach: Reach) -> bool {
    let of_threshold = desk.input.trigger == RebalanceTrigger::Threshold;
    match (desk.input.rules.trigger.goal, reach) {
        (Goal::BandEdge, Reach::Goal | Reach::Slice) | (Goal::Midpoint, Reach::Goal) => of_threshold,
        _ => false,
    }
}

/// Why no more than so many units are bought back of a short holding.
fn why_no_more(desk: &Desk, index: usize, most: i128) -> ReasonCode {
    match (most, desk.holding(index).coverable()) {
        (0, 0) => left_alone(desk, index),
        (0, _) => ReasonCode::RoundedToZero,
        _ => ReasonCode::WithinBand,
    }
}

fn wish(desk: &Desk, index: usize, asked: Asked, reach: Reach) -> Result<Wish, Refusal> {
    let mut wish = Wish::of(asked.quantity);
    let (holding, side) = (desk.holding(index), desk.goal_side(index));
    // An exit may be an odd lot, and nothing else.
    let exit = desk.aim(index).target.is_zero();
    let lots = |units: i128| if exit { units } else { desk.whole_lots(index, units) };
    wish.cut(lots(asked.quantity), ReasonCode::RoundedToZero);
    let missing = missing(desk, index);
    // At an edge that is still out nothing is missing but the lot that leads inside.
    let leads = if missing.is_zero() { super::exact::int(quantity(desk, index)?.signum()) } else { missing.signum() };
    if leads != super::exact::int(asked.quantity.signum()) {
        wish.skip(left_alone(desk, index));
    }
    if asked.outside && !exit && stops_inside(desk, reach) && !desk.scoped.outside[index] {
        wish.skip(ReasonCode::WithinBand);
    }
    let sellable = if side < 0 { holding.sellable() + asked.short } else { holding.sellable() };
    if wish.quantity < -sellable {
        wish.cut(lots(-sellable), ReasonCode::ShortNotAllowed);
    }
    if wish.quantity > holding.coverable() && side <= 0 {
        let most = lots(holding.coverable());
        wish.cut(most, why_no_more(desk, index, most));
    }
    // Prices may carry a goal a little way from what was approved; a book that has changed since carries it off.
    if reach == Reach::Legs && wish.stands() && oversteps(desk, index, wish.quantity)? {
        wish.skip(ReasonCode::StaleProposal);
    }
    if reach != Reach::Legs && wish.stands() {
        let now = quantity(desk, index)?;
        wish.cut(now, if now == 0 { ReasonCode::RoundedToZero } else { ReasonCode::WithinBand });
    }
    Ok(wish)
}
