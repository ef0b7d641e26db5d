//! What a policy does about its `target_risk`: which figures of risk count, and whether targets are scaled down to it.
//! It measures nothing.

use super::Target;
use crate::Fraction;
use crate::wide::mul_div_truncate;
use serde::{Deserialize, Serialize};

/// Which figures of risk count against `target_risk`, and whether they scale targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RiskControl {
    /// Whether targets are scaled down to `target_risk`; cash takes the rest.
    pub scale_targets: bool,
    /// Days of the portfolio that may have been cut since the close that a figure is of.
    pub max_age_days: i32,
    /// Fewest daily returns behind a figure.
    pub min_observations: i32,
    /// Least share of the gross value of holdings whose history is known, for the figure by which targets are scaled.
    pub min_coverage: Fraction,
}

impl Default for RiskControl {
    fn default() -> Self {
        Self { scale_targets: false, max_age_days: 5, min_observations: 60, min_coverage: super::tenths(9, 0) }
    }
}

impl Target {
    /// The line scaled: target and bounds of its own, each cut toward zero at the last decimal of a fraction.
    pub fn scaled(&self, scale: Fraction) -> Self {
        let cut = |weight| scaled(weight, scale);
        Self {
            instrument_id: self.instrument_id.clone(),
            group: self.group.clone(),
            target_weight: cut(self.target_weight),
            min_weight: self.min_weight.map(cut),
            max_weight: self.max_weight.map(cut),
        }
    }
}

/// weight × scale, cut toward zero; the weight itself where the scale is one or no product fits.
fn scaled(weight: Fraction, scale: Fraction) -> Fraction {
    mul_div_truncate(weight.units(), scale.units(), Fraction::ONE.units()).map_or(weight, Fraction::from_units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_line_is_cut_toward_zero_and_keeps_its_bounds_around_its_target() {
        let line: Target =
            serde_json::from_str(r#"{"instrument_id":"A","target_weight":"-0.3","min_weight":"-0.4","max_weight":"0.1"}"#).unwrap();
        let scaled = line.scaled("0.333333333333".parse().unwrap());
        let told = [Some(scaled.target_weight), scaled.min_weight, scaled.max_weight].map(|weight| weight.unwrap().to_string());
        assert_eq!(told, ["-0.099999999999", "-0.133333333333", "0.033333333333"]);
        assert_eq!(line.scaled(Fraction::ONE), line);
    }
}
