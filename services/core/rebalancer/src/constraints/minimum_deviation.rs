//! |drift| at or below `minimum_deviation` (points; below it, where bounds are inclusive) makes no order:
//! BELOW_MINIMUM_DEVIATION. Exits are exempt. It filters orders; breaches are measured without it.

use crate::plan::desk::{Desk, Wish};
use crate::plan::exact::int;
use domain::reason::ReasonCode;

/// Whether the line may be ordered; gives the reason when not.
pub(super) fn deviates(desk: &Desk, index: usize, wish: &mut Wish) -> bool {
    if desk.aim(index).target.is_zero() && desk.holding(index).held() != 0 {
        return true;
    }
    let minimum = desk.input.rules.trigger.minimum_deviation;
    // Points at scale 10 are fractions at scale 12: times equity they have the scale of a distance.
    let bound = int(minimum.units()) * desk.book.equity;
    let distance = desk.distance(index);
    let far = distance > bound || (desk.input.rules.band.inclusive && distance == bound);
    if !far {
        wish.note("minimum_deviation", minimum);
        wish.skip(ReasonCode::BelowMinimumDeviation);
    }
    far
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn the_bound_itself_is_left_alone_unless_inclusive() {
        let book = "A 61 @ 10\ncash USD 390";
        let policy = |minimum: &str, inclusive: bool| {
            format!(
                r#""targets":[{{"instrument_id":"A","target_weight":"0.6"}}],"trigger":{{"minimum_deviation":"{minimum}"}},
                "band":{{"inclusive":{inclusive}}}"#
            )
        };
        for (minimum, exclusive, inclusive) in [
            ("0.9999999999", "ORDER DRIFT_SELL -1", "ORDER DRIFT_SELL -1"),
            ("1", "SKIP BELOW_MINIMUM_DEVIATION", "ORDER DRIFT_SELL -1"),
            ("1.0000000001", "SKIP BELOW_MINIMUM_DEVIATION", "SKIP BELOW_MINIMUM_DEVIATION"),
        ] {
            assert_eq!(decision(&policy(minimum, false), book, "A"), exclusive, "{minimum}");
            assert_eq!(decision(&policy(minimum, true), book, "A"), inclusive, "{minimum} inclusive");
        }
    }

    #[test]
    fn exits_are_exempt() {
        let book = "A 1 @ 10\ncash USD 990";
        assert_eq!(decision(r#""trigger":{"minimum_deviation":"5"}"#, book, "A"), "ORDER EXIT -1");
    }
}
