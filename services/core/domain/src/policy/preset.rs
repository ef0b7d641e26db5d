//! Portfolio types as presets: what a type stands for, and how it is laid under what a policy states.
//! It fills in figures; whether they can be followed is `validate`'s to say.

use super::{Band, Orders, Policy, Trigger};
use crate::enums::PortfolioType;
use crate::{Fraction, Percent};
use serde::{Deserialize, Serialize};

/// The figures of the policy's `type` in place of the contract's defaults. Each field that is given holds in their
/// place; null takes what the policy's own groups state, else the type's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preset {
    /// In place of `band.absolute`.
    pub band_absolute: Option<Fraction>,
    /// In place of `band.relative`.
    pub band_relative: Option<Fraction>,
    /// In place of `trigger.minimum_deviation`.
    pub minimum_deviation: Option<Percent>,
    /// In place of `orders.cash_reserve`.
    pub cash_reserve: Option<Fraction>,
    /// In place of `orders.turnover_cap`.
    pub turnover_cap: Option<Fraction>,
    /// In place of `limits.max_position_weight`.
    pub max_position_weight: Option<Fraction>,
    /// In place of `limits.max_sector_weight`.
    pub max_sector_weight: Option<Fraction>,
}

/// What a type stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figures {
    band_absolute: Fraction,
    band_relative: Fraction,
    minimum_deviation: Percent,
    cash_reserve: Fraction,
    turnover_cap: Fraction,
    max_position_weight: Fraction,
    max_sector_weight: Fraction,
}

/// Wide bands and few orders, large positions, little cash.
const AGGRESSIVE: Figures = Figures {
    band_absolute: hundredths(8),
    band_relative: hundredths(35),
    minimum_deviation: tenths_of_a_point(20),
    cash_reserve: hundredths(1),
    turnover_cap: hundredths(50),
    max_position_weight: hundredths(40),
    max_sector_weight: hundredths(60),
};
/// The usual bands of five points and a quarter of the target.
const BALANCED: Figures = Figures {
    band_absolute: hundredths(5),
    band_relative: hundredths(25),
    minimum_deviation: tenths_of_a_point(10),
    cash_reserve: hundredths(2),
    turnover_cap: hundredths(30),
    max_position_weight: hundredths(30),
    max_sector_weight: hundredths(45),
};
/// Narrow bands and small steps, spread positions, some cash.
const CONSERVATIVE: Figures = Figures {
    band_absolute: hundredths(3),
    band_relative: hundredths(15),
    minimum_deviation: tenths_of_a_point(5),
    cash_reserve: hundredths(5),
    turnover_cap: hundredths(20),
    max_position_weight: hundredths(20),
    max_sector_weight: hundredths(35),
};

const fn hundredths(n: i128) -> Fraction {
    Fraction::from_units(n * (Fraction::ONE.units() / 100))
}
const fn tenths_of_a_point(n: i128) -> Percent {
    Percent::from_units(n * (Percent::ONE.units() / 10))
}

fn figures(kind: PortfolioType) -> Option<Figures> {
    match kind {
        PortfolioType::Aggressive => Some(AGGRESSIVE),
        PortfolioType::Balanced => Some(BALANCED),
        PortfolioType::Conservative => Some(CONSERVATIVE),
        PortfolioType::Custom | PortfolioType::Unknown => None,
    }
}

impl Policy {
    /// The policy with its preset laid under what it states: with `preset` each governed field of a group is the
    /// preset's own, else what the group states, else the figure of `type`. A field that has no null is stated where it
    /// differs from the contract's default. `preset` and `type` stay and say what was laid. Resolving again changes
    /// nothing; without `preset`, or with a type that stands for nothing, the policy is as it was.
    #[must_use]
    pub fn resolved(mut self) -> Self {
        let (Some(preset), Some(of_type)) = (&self.preset, figures(self.kind)) else { return self };
        let (band, trigger, orders) = (Band::default(), Trigger::default(), Orders::default());
        lay(&mut self.band.absolute, band.absolute, preset.band_absolute, of_type.band_absolute);
        lay(&mut self.band.relative, band.relative, preset.band_relative, of_type.band_relative);
        lay(&mut self.trigger.minimum_deviation, trigger.minimum_deviation, preset.minimum_deviation, of_type.minimum_deviation);
        lay(&mut self.orders.cash_reserve, orders.cash_reserve, preset.cash_reserve, of_type.cash_reserve);
        lay_absent(&mut self.orders.turnover_cap, preset.turnover_cap, of_type.turnover_cap);
        lay_absent(&mut self.limits.max_position_weight, preset.max_position_weight, of_type.max_position_weight);
        lay_absent(&mut self.limits.max_sector_weight, preset.max_sector_weight, of_type.max_sector_weight);
        self
    }
}

/// A field without null: at the contract's default nobody has stated it.
fn lay<T: PartialEq>(field: &mut T, contract: T, own: Option<T>, of_type: T) {
    let unstated = *field == contract;
    if let Some(own) = own {
        *field = own;
    } else if unstated {
        *field = of_type;
    }
}

/// A field with null.
fn lay_absent<T>(field: &mut Option<T>, own: Option<T>, of_type: T) {
    if own.is_some() {
        *field = own;
    } else {
        field.get_or_insert(of_type);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(fields: &str) -> Policy {
        let json = format!(r#"{{"portfolio_id":"p","policy_version":1,"base_currency":"USD",{fields}}}"#);
        let once = serde_json::from_str::<Policy>(&json).unwrap().resolved();
        assert_eq!(once.clone().resolved(), once, "resolving again changes nothing");
        once
    }
    fn told(policy: &Policy) -> [String; 7] {
        let show = |value: Option<Fraction>| value.map_or("-".to_owned(), |value| value.to_string());
        [
            policy.band.absolute.to_string(),
            policy.band.relative.to_string(),
            policy.trigger.minimum_deviation.to_string(),
            policy.orders.cash_reserve.to_string(),
            show(policy.orders.turnover_cap),
            show(policy.limits.max_position_weight),
            show(policy.limits.max_sector_weight),
        ]
    }

    #[test]
    fn a_type_alone_is_a_name() {
        for kind in ["AGGRESSIVE", "BALANCED", "CONSERVATIVE", "CUSTOM"] {
            assert_eq!(told(&resolved(&format!(r#""type":"{kind}""#))), ["0.05", "0.25", "1", "0", "-", "-", "-"], "{kind}");
        }
    }

    #[test]
    fn a_preset_gives_the_figures_of_its_type() {
        let of = |kind: &str| told(&resolved(&format!(r#""type":"{kind}","preset":{{}}"#)));
        assert_eq!(of("AGGRESSIVE"), ["0.08", "0.35", "2", "0.01", "0.5", "0.4", "0.6"]);
        assert_eq!(of("BALANCED"), ["0.05", "0.25", "1", "0.02", "0.3", "0.3", "0.45"]);
        assert_eq!(of("CONSERVATIVE"), ["0.03", "0.15", "0.5", "0.05", "0.2", "0.2", "0.35"]);
        assert_eq!(of("CUSTOM"), ["0.05", "0.25", "1", "0", "-", "-", "-"]);
    }

    #[test]
    fn what_the_groups_state_holds() {
        let policy = resolved(
            r#""type":"CONSERVATIVE","preset":{},"band":{"absolute":"0.04"},"trigger":{"minimum_deviation":"0"},
            "orders":{"turnover_cap":"0.9"},"limits":{"max_position_weight":"1"}"#,
        );
        assert_eq!(told(&policy), ["0.04", "0.15", "0", "0.05", "0.9", "1", "0.35"]);
    }

    #[test]
    fn a_preset_states_the_contracts_own_defaults_too() {
        let policy = resolved(
            r#""type":"CONSERVATIVE","preset":{"band_absolute":"0.05","band_relative":"0.25","minimum_deviation":"1","cash_reserve":"0"},
            "band":{"absolute":"0.04"}"#,
        );
        assert_eq!(told(&policy)[..4], ["0.05", "0.25", "1", "0"]);
    }
}
