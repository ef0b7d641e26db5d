//! An order of more than `volume_cap` of the average daily volume is not made: VOLUME_CAP; without a known
//! volume: ILLIQUID. The legs of an order that crosses zero count together.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use crate::plan::exact::{Int, int, ten};
use domain::Fraction;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    const ONE: Int = ten(Fraction::SCALE);
    let cap = draft.desk.input.rules.orders.volume_cap?;
    wish.note("volume_cap", cap);
    let Some(volume) = draft.holding().at.average_daily_volume.filter(|volume| volume.is_positive() && volume.fits_wire()) else {
        return Some(Ruling::Skip(ReasonCode::Illiquid));
    };
    wish.note("average_daily_volume", volume);
    let over = int(draft.quantity).abs() * ONE > int(cap.units()) * int(volume.units());
    over.then_some(Ruling::Skip(ReasonCode::VolumeCap))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::decision;

    #[test]
    fn an_order_of_the_cap_passes() {
        for (cap, said) in [("0.099999999999", "SKIP VOLUME_CAP"), ("0.1", "ORDER EXIT -30"), ("0.100000000001", "ORDER EXIT -30")] {
            let policy = format!(r#""orders":{{"volume_cap":"{cap}"}}"#);
            assert_eq!(decision(&policy, "A 30 @ 10 volume 300\ncash USD 400", "A"), said, "{cap}");
        }
    }

    #[test]
    fn without_a_volume_the_instrument_is_illiquid() {
        assert_eq!(decision(r#""orders":{"volume_cap":"1"}"#, "A 30 @ 10\ncash USD 400", "A"), "SKIP ILLIQUID");
    }
}
