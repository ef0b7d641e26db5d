//! No order takes Σ |value| beyond `max_gross` × equity: GROSS_LIMIT. The targets keep to it by themselves; what
//! leads beyond it are lines that cannot be brought to theirs, next to others that can. It cuts to the lots that
//! fit; what brings a holding nearer to zero passes and makes room.
//!
//! It comes after the funding, so that a buy without cash says so. Sells are served first, by what the book is before
//! any buy has filled, each side by falling |drift|. Rounding to the nearest lot may lead half a lot of each line
//! further that is ordered, itself and those served before it.

use super::sells_first;
use crate::plan::book::{Holding, closes};
use crate::plan::desk::{Desk, Wish};
use crate::plan::exact::{Int, int, narrow, ratio, ten};
use domain::Fraction;
use domain::enums::Rounding;
use domain::reason::ReasonCode;

/// The rule over all drafts.
pub(super) fn serve(desk: &Desk, wishes: &mut [Wish]) {
    const ONE: Int = ten(Fraction::SCALE);
    let order = sells_first(desk, wishes);
    let mut room = int(desk.input.rules.orders.max_gross.units()) * desk.book.equity / ONE;
    let mut gross = desk.book.holdings.iter().fold(Int::ZERO, |sum, holding| sum + holding.worth(holding.expected().abs()));
    for buys in [false, true] {
        let side: Vec<_> = order.iter().copied().filter(|index| (wishes[*index].quantity > 0) == buys).collect();
        for index in &side {
            gross -= desk.holding(*index).worth(shrinks(desk.holding(*index), wishes[*index].quantity));
        }
        for index in side {
            let half = slack(desk, index);
            gross += grow(desk, index, &mut wishes[index], room + half, gross);
            if wishes[index].stands() {
                room += half;
            }
        }
    }
}

/// Lets an order grow its holding as far as the room reaches; returns by how much it does.
fn grow(desk: &Desk, index: usize, wish: &mut Wish, room: Int, gross: Int) -> Int {
    let (holding, sign) = (desk.holding(index), wish.quantity.signum());
    let shrinks = shrinks(holding, wish.quantity);
    let grows = wish.quantity.abs() - shrinks;
    if grows == 0 || gross + holding.worth(grows) <= room {
        return holding.worth(grows);
    }
    let fits = narrow((room - gross).max(Int::ZERO) / holding.unit).unwrap_or(0);
    wish.note("max_gross", desk.input.rules.orders.max_gross);
    if let Some(gross) = ratio(gross, desk.book.equity) {
        wish.note("gross", gross);
    }
    wish.cut(desk.whole_lots(index, shrinks + fits) * sign, ReasonCode::GrossLimit);
    // Less than what would bring it to zero leaves more of the holding than was counted.
    holding.worth((wish.quantity.abs() - shrinks).abs())
}

/// Units by which an order brings its holding nearer to zero.
fn shrinks(holding: &Holding, quantity: i128) -> i128 {
    closes(holding.expected(), quantity)
}

/// What rounding to the nearest lot may bring too much. An exit sells what is there, and rounds nothing.
fn slack(desk: &Desk, index: usize) -> Int {
    let rounds = desk.input.rules.orders.rounding == Rounding::Nearest && !desk.aim(index).target.is_zero();
    if rounds { desk.holding(index).worth(desk.lot(index)) / Int::TWO } else { Int::ZERO }
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::Case;

    fn policy(orders: &str) -> String {
        format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"0.5"}},{{"instrument_id":"B","target_weight":"0.5"}}],
            "orders":{{"cash_limited":false,"do_not_sell":["A"],{orders}}}"#
        )
    }

    #[test]
    fn beside_a_line_that_may_not_be_sold_a_buy_takes_what_room_is_left() {
        for (most, said) in [
            ("1.199999999999", "CUT GROSS_LIMIT 19"),
            ("1.2", "ORDER DRIFT_BUY 20"),
            ("1.200000000001", "ORDER DRIFT_BUY 20"),
            ("1", "SKIP GROSS_LIMIT"),
        ] {
            let case = Case::new(&policy(&format!(r#""max_gross":"{most}""#)), "A 70 @ 10\nB 30 @ 10\ncash USD 0");
            assert_eq!(case.decision("B"), said, "{most}");
        }
    }

    #[test]
    fn a_short_that_cannot_be_covered_leaves_no_room_for_another() {
        let policy = r#""targets":[{"instrument_id":"C","target_weight":"-0.5"}],
            "orders":{"allow_short":true,"max_gross":"0.7"}"#;
        for (status, said) in [("OPEN", "CUT GROSS_LIMIT -20"), ("HALTED", "CUT GROSS_LIMIT -20")] {
            // What a buy will cover is no room for a sell that leaves before it.
            let case = Case::new(policy, &format!("B -50 @ 10 status {status}\nC 0 @ 10\ncash USD 1500"));
            assert_eq!(case.decision("C"), said, "{status}");
        }
    }

    #[test]
    fn what_brings_a_holding_nearer_to_zero_passes_and_makes_room() {
        let policy = r#""targets":[{"instrument_id":"B","target_weight":"0.9"}],"orders":{"cash_limited":false}"#;
        let case = Case::new(policy, "A 150 @ 10\nB 0 @ 10\ncash USD -500");
        assert_eq!(case.decision("A"), "ORDER EXIT -150");
        assert_eq!(case.decision("B"), "ORDER DRIFT_BUY 90");
    }

    #[test]
    fn half_a_lot_of_rounding_is_no_breach() {
        let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.5"},{"instrument_id":"B","target_weight":"0.5"}],
            "orders":{"cash_limited":false,"rounding":"NEAREST"}"#;
        let case = Case::new(policy, "A 0 @ 30\nB 0 @ 30\ncash USD 1000");
        assert_eq!([case.decision("A"), case.decision("B")], ["ORDER DRIFT_BUY 17", "ORDER DRIFT_BUY 17"]);
    }

    #[test]
    fn an_order_that_is_cut_short_of_zero_makes_only_the_room_that_it_makes() {
        let policy = r#""targets":[{"instrument_id":"A","target_weight":"-0.4"},{"instrument_id":"C","target_weight":"0.3"},
            {"instrument_id":"D","target_weight":"0.2"}],
            "orders":{"allow_short":true,"cash_limited":false,"do_not_sell":["C"],"max_gross":"0.94"}"#;
        let case = Case::new(policy, "A 5 @ 10 lot 10\nC 90 @ 10\nD 0 @ 10\ncash USD 50");
        assert_eq!([case.decision("A"), case.decision("D")], ["SKIP GROSS_LIMIT", "SKIP GROSS_LIMIT"]);
    }

    #[test]
    fn a_buy_has_the_cash_of_what_is_left_of_a_sell() {
        let policy = r#""targets":[{"instrument_id":"A","target_weight":"-0.05"}],
            "orders":{"allow_short":true,"rounding":"NEAREST","max_gross":"2"}"#;
        let case = Case::new(policy, "A 49 @ 10 lot 5\nB -50 @ 10\ncash USD 11");
        assert_eq!([case.decision("A"), case.decision("B")], ["CUT GROSS_LIMIT -45", "CUT CASH_SHORTAGE 46"]);
    }

    #[test]
    fn an_exit_rounds_nothing_and_brings_no_room() {
        let policy = r#""targets":[{"instrument_id":"B","target_weight":"0.3"},{"instrument_id":"C","target_weight":"0.5"}],
            "orders":{"rounding":"NEAREST","do_not_sell":["C"],"max_gross":"0.8"}"#;
        let case = Case::new(policy, "A 10 @ 10 lot 100\nB 0 @ 10\nC 70 @ 10\ncash USD 200");
        assert_eq!([case.decision("A"), case.decision("B")], ["ORDER EXIT -10", "CUT GROSS_LIMIT 10"]);
    }

    #[test]
    fn each_order_brings_half_a_lot_of_its_own() {
        let policy = r#""targets":[{"instrument_id":"A","target_weight":"0.06"},{"instrument_id":"B","target_weight":"0.03"},
            {"instrument_id":"C","target_weight":"0.5"}],"orders":{"rounding":"NEAREST","do_not_sell":["C"],"max_gross":"0.95"}"#;
        let case = Case::new(policy, "A 0 @ 10\nB 0 @ 10\nC 90 @ 10\ncash USD 100");
        assert_eq!([case.decision("A"), case.decision("B")], ["CUT GROSS_LIMIT 5", "CUT GROSS_LIMIT 1"]);
    }
}
