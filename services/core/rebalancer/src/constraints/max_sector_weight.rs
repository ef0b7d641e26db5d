//! No order takes the net weight of a sector, with open orders, beyond `max_sector_weight` in magnitude:
//! SECTOR_LIMIT. Sells are served first, then buys, the largest |drift| first; each is cut to the lots that
//! still fit. Instruments without a sector belong to none.

use super::sells_first;
use crate::plan::desk::{Desk, Wish};
use crate::plan::exact::{Int, int, narrow, ten};
use domain::reason::ReasonCode;
use domain::{Fraction, SmolStr};
use std::collections::BTreeMap;

/// The rule over all drafts.
pub(super) fn serve(desk: &Desk, wishes: &mut [Wish]) {
    const ONE: Int = ten(Fraction::SCALE);
    let Some(limit) = desk.input.rules.limits.max_sector_weight else { return };
    let room = int(limit.units()) * desk.book.equity / ONE;
    let mut sectors = BTreeMap::<&SmolStr, Int>::new();
    for holding in &desk.book.holdings {
        if let Some(sector) = &holding.at.sector {
            *sectors.entry(sector).or_insert(Int::ZERO) += holding.worth(holding.expected());
        }
    }
    for index in sells_first(desk, wishes) {
        let holding = desk.holding(index);
        let Some(net) = holding.at.sector.as_ref().and_then(|sector| sectors.get_mut(sector)) else { continue };
        let wish = &mut wishes[index];
        wish.note("max_sector_weight", limit);
        let sign = int(wish.quantity.signum());
        if (*net + holding.worth(wish.quantity)) * sign > room {
            let most = ((room - *net * sign) / holding.unit).max(Int::ZERO);
            let most = narrow(most).map_or(wish.quantity, |most| desk.whole_lots(index, most) * wish.quantity.signum());
            wish.cut(most, ReasonCode::SectorLimit);
        }
        *net += holding.worth(wish.quantity);
    }
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::{Case, decision};

    fn policy(limit: &str) -> String {
        format!(
            r#""targets":[{{"instrument_id":"A","target_weight":"0.3"}},{{"instrument_id":"B","target_weight":"0.2"}}],
            "limits":{{"max_sector_weight":"{limit}"}}"#
        )
    }
    const BOOK: &str = "A 10 @ 10 sector T\nB 0 @ 10 sector T lot 2\ncash USD 900";

    #[test]
    fn the_last_served_is_cut_to_what_fits() {
        for (limit, a, b) in [
            ("0.499999999999", "ORDER DRIFT_BUY 20", "CUT SECTOR_LIMIT 18"),
            ("0.5", "ORDER DRIFT_BUY 20", "ORDER DRIFT_BUY 20"),
            ("0.500000000001", "ORDER DRIFT_BUY 20", "ORDER DRIFT_BUY 20"),
            ("0.25", "CUT SECTOR_LIMIT 15", "SKIP SECTOR_LIMIT"),
        ] {
            let case = Case::new(&policy(limit), BOOK);
            assert_eq!(case.decision("A"), a, "{limit}");
            assert_eq!(case.decision("B"), b, "{limit}");
        }
    }

    #[test]
    fn instruments_without_a_sector_are_free() {
        assert_eq!(decision(&policy("0.1"), "A 10 @ 10\nB 0 @ 10\ncash USD 900", "B"), "ORDER DRIFT_BUY 20");
    }
}
