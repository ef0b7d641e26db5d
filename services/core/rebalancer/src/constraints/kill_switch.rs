//! An instrument under a halt of ours is not ordered: KILL_SWITCH. Halts of the firm and of the portfolio
//! refuse the whole plan before any rule is asked.

use super::{Draft, Ruling};
use crate::plan::desk::Wish;
use domain::reason::ReasonCode;

/// The rule.
pub(super) fn rule(draft: &Draft, _: &mut Wish) -> Option<Ruling> {
    draft.desk.input.halted.instruments.contains(&draft.holding().at.instrument_id).then_some(Ruling::Skip(ReasonCode::KillSwitch))
}

#[cfg(test)]
mod tests {
    use crate::constraints::sample::{Case, decision};

    #[test]
    fn a_halted_instrument_is_left_alone_and_others_are_not() {
        let book = "A 30 @ 10\nB 30 @ 10\ncash USD 400";
        let case = Case::new("", book).halt("A");
        assert_eq!(case.decision("A"), "SKIP KILL_SWITCH");
        assert_eq!(case.decision("B"), "ORDER EXIT -30");
        assert_eq!(decision("", book, "A"), "ORDER EXIT -30");
    }
}
