//! Without `allow_short` no order goes beyond what is held and not yet being sold: SHORT_NOT_ALLOWED.
//! It cuts to that.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, wish: &mut Wish) -> Option<Ruling> {
    let sellable = draft.holding().sellable();
    if draft.quantity >= -sellable || draft.desk.input.rules.orders.allow_short {
        return None;
    }
    wish.note_units("sellable", sellable);
    let units = if draft.is_exit() { sellable } else { draft.desk.whole_lots(draft.index, sellable) };
    Some(Ruling::Cut(-units, ReasonCode::ShortNotAllowed))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::{decision, later};

    #[test]
    fn what_is_held_may_be_sold_and_no_unit_more() {
        let policy = r#""targets":[{"instrument_id":"A","target_weight":"0"}]"#;
        for (asked, said) in
            [("-9", "ORDER EXIT -9"), ("-10", "ORDER EXIT -10"), ("-11", "CUT SHORT_NOT_ALLOWED -10"), ("-12", "CUT SHORT_NOT_ALLOWED -10")]
        {
            assert_eq!(later(policy, "A 10 @ 10\ncash USD 900", &[("A", asked)], "A"), said, "{asked}");
        }
    }

    #[test]
    fn a_negative_target_needs_allow_short() {
        let orders = r#""targets":[{"instrument_id":"A","target_weight":"-0.2"}],"orders":{"allow_short":"#;
        let book = "A 10 @ 10\ncash USD 900";
        assert_eq!(decision(&format!("{orders}true}}"), book, "A"), "ORDER DRIFT_SELL -30");
        assert_eq!(decision(&format!("{orders}false}}"), book, "A"), "SKIP INVALID_ALLOCATION");
    }
}
