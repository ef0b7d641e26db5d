//! Orders that no longer fit under `turnover_cap` (Σ |order value| over equity) are not made: TURNOVER_CAP.
//! The largest |drift| is served first, ties by instrument id; a smaller one may still fit.

use super::Draft;
use crate::plan::desk::{Desk, Wish};
use crate::plan::exact::{Int, int, ten};
use domain::Fraction;
use domain::reason::ReasonCode;

/// The rule over all drafts.
pub(super) fn serve(desk: &Desk, wishes: &mut [Wish]) {
    const ONE: Int = ten(Fraction::SCALE);
    let Some(cap) = desk.input.rules.orders.turnover_cap else { return };
    let mut left = int(cap.units()) * desk.book.equity;
    for index in desk.by_distance() {
        let wish = &mut wishes[index];
        if !wish.stands() {
            continue;
        }
        let value = Draft { desk, index, quantity: wish.quantity }.notional() * ONE;
        wish.note("turnover_cap", cap);
        if value <= left { left -= value } else { wish.skip(ReasonCode::TurnoverCap) }
    }
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::Case;

    #[test]
    fn the_largest_drift_is_served_first() {
        let book = "A 20 @ 10\nB 30 @ 10\nC 20 @ 10\ncash USD 300";
        let skip = "SKIP TURNOVER_CAP";
        for (cap, a, b, c) in [
            ("0.699999999999", "ORDER EXIT -20", "ORDER EXIT -30", skip),
            ("0.7", "ORDER EXIT -20", "ORDER EXIT -30", "ORDER EXIT -20"),
            ("0.700000000001", "ORDER EXIT -20", "ORDER EXIT -30", "ORDER EXIT -20"),
            ("0.3", skip, "ORDER EXIT -30", skip),
            ("0.299999999999", "ORDER EXIT -20", skip, skip),
        ] {
            let case = Case::new(&format!(r#""orders":{{"turnover_cap":"{cap}"}}"#), book);
            assert_eq!([case.decision("A"), case.decision("B"), case.decision("C")], [a, b, c], "{cap}");
        }
    }
}
