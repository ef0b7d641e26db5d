//! A price further than `price_collar_bp` from the last close makes no order: PRICE_OUTLIER. Without a close
//! to compare with: DATA_GAP.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use crate::plan::exact::{Int, int, ten};
use domain::Bps;
use domain::reason::ReasonCode;

/// Basis points in one, at their scale.
const WHOLE: Int = ten(Bps::SCALE + 4);

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    let collar = draft.desk.input.rules.limits.price_collar_bp?;
    let line = draft.holding().at;
    wish.note("price_collar_bp", collar);
    let (Some(price), Some(close)) = (line.price, line.close_price.filter(|close| close.is_positive() && close.fits_wire())) else {
        return Some(Ruling::Skip(ReasonCode::DataGap));
    };
    wish.note("close_price", close);
    let move_ = (int(price.units()) - int(close.units())).abs() * WHOLE;
    (move_ > int(collar.units()) * int(close.units())).then_some(Ruling::Skip(ReasonCode::PriceOutlier))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn the_collar_itself_passes_on_both_sides() {
        let outlier = "SKIP PRICE_OUTLIER";
        for (price, collar, said) in [
            ("11", "999.9999", outlier),
            ("11", "1000", "ORDER EXIT -30"),
            ("11", "1000.0001", "ORDER EXIT -30"),
            ("9", "999.9999", outlier),
            ("9", "1000", "ORDER EXIT -30"),
        ] {
            let policy = format!(r#""limits":{{"price_collar_bp":"{collar}"}}"#);
            assert_eq!(decision(&policy, &format!("A 30 @ {price} close 10\ncash USD 400"), "A"), said, "{price} {collar}");
        }
    }

    #[test]
    fn without_a_close_the_rule_cannot_be_checked() {
        assert_eq!(decision(r#""limits":{"price_collar_bp":"1000"}"#, "A 30 @ 10\ncash USD 400", "A"), "SKIP DATA_GAP");
    }
}
