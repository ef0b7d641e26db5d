//! What a preset needs, and what its figures leave of the targets.

use super::Problems;
use crate::enums::PortfolioType;
use crate::policy::Policy;

/// A preset needs a type that stands for something, and lets its targets be reached.
pub(super) fn check(policy: &Policy, problems: &mut Problems) {
    if policy.preset.is_none() {
        return;
    }
    problems.policy(policy.kind == PortfolioType::Custom, || {
        "preset needs type AGGRESSIVE, BALANCED or CONSERVATIVE: CUSTOM stands for no figures; leave preset out, or name a type".to_owned()
    });
    let Some(most) = policy.limits.max_position_weight else { return };
    for (index, line) in policy.targets.iter().enumerate() {
        let Some(id) = line.instrument_id.as_ref().filter(|_| line.target_weight.abs() > most) else { continue };
        problems.allocation(true, || {
            format!(
                "targets[{index}] ({id}) has target {} beyond limits.max_position_weight {most} of preset {}: lower it, or state preset.max_position_weight",
                line.target_weight, policy.kind
            )
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::validate::tests::{HEAD, codes};
    use crate::reason::DeadLetterCode;

    #[test]
    fn a_preset_is_held_to_what_its_figures_become() {
        for (fields, code, words) in [
            (r#""preset":{}"#, DeadLetterCode::InvalidPolicy, "CUSTOM stands for no figures"),
            (r#""type":"BALANCED","preset":{"band_absolute":"5"}"#, DeadLetterCode::InvalidAllocation, "5 per cent is 0.05"),
            (r#""type":"BALANCED","preset":{"band_relative":"0"}"#, DeadLetterCode::InvalidAllocation, "a quarter is 0.25"),
            (r#""type":"BALANCED","preset":{"cash_reserve":"1.1"}"#, DeadLetterCode::InvalidAllocation, "cash_reserve is 1.1"),
            (r#""type":"BALANCED","preset":{"minimum_deviation":"-1"}"#, DeadLetterCode::InvalidPolicy, "minimum_deviation is below 0"),
            (r#""type":"BALANCED","preset":{"turnover_cap":"-1"}"#, DeadLetterCode::InvalidPolicy, "turnover_cap is below 0"),
            (r#""type":"BALANCED","preset":{"max_sector_weight":"-1"}"#, DeadLetterCode::InvalidPolicy, "max_sector_weight is below 0"),
            (
                r#""type":"BALANCED","preset":{},"targets":[{"instrument_id":"A","target_weight":"0.300000000001"}]"#,
                DeadLetterCode::InvalidAllocation,
                "beyond limits.max_position_weight 0.3 of preset BALANCED",
            ),
        ] {
            let found = codes(&format!("{{{HEAD},{fields}}}"));
            assert!(matches!(&found[..], [(found, text)] if *found == code && text.contains(words)), "{fields}: {found:?}");
        }
        for fields in [
            r#""type":"BALANCED","preset":{},"targets":[{"instrument_id":"A","target_weight":"0.3"}]"#,
            r#""type":"BALANCED","preset":{"max_position_weight":"0.6"},"targets":[{"instrument_id":"A","target_weight":"0.6"}]"#,
            r#""type":"BALANCED","targets":[{"instrument_id":"A","target_weight":"0.6"}]"#,
        ] {
            assert_eq!(codes(&format!("{{{HEAD},{fields}}}")), vec![], "{fields}");
        }
    }
}
