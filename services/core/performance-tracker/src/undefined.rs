//! Why a figure has no value: one variant a reason, with its code and its text. A reason is data, not an error:
//! the series was good, and the figure does not exist for it.

use std::fmt;

/// A figure, or the reason why there is none. The number is finite.
pub type Answer = Result<f64, Undefined>;

/// Why there is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// Fewer observations than the figure needs.
    TooFewObservations {
        /// Observations that there are.
        have: usize,
        /// Observations that it needs.
        need: usize,
    },
    /// The standard deviation is at most 1e-15 of the largest absolute return.
    ZeroVolatility,
    /// The same, of the benchmark.
    ZeroBenchmarkVolatility,
    /// No return lies below the minimum acceptable return.
    NoDownside,
    /// No return, or none of the benchmark, is positive.
    NoUpside,
    /// The index never fell below an earlier peak.
    NoDrawdown,
    /// No trade or period lost.
    NoLosses,
    /// No trade or period won.
    NoWins,
    /// No benchmark was given.
    NoBenchmark,
    /// No dates were given.
    NoDates,
    /// The cash flows are all of one sign: no rate brings them to zero.
    NoSignChange,
    /// No rate between -99.9999 % and 1,000,000 % a year brings the cash flows to zero.
    NoRootInRange,
    /// A return below -100 %: what was left cannot be compounded.
    TotalLoss,
    /// The capital at the beginning of a period is not positive.
    NoCapital,
    /// Beta is zero.
    ZeroBeta,
    /// The denominator is zero.
    ZeroDenominator,
    /// There is no exposure: the gross value is zero.
    NoExposure,
    /// Annualised figures need 365 calendar days.
    UnderOneYear {
        /// Calendar days that there are.
        days: i64,
    },
    /// The method that was asked for has no such figure.
    NoMethod,
    /// The expansion of the quantile falls where it must rise: skewness or kurtosis is too large for it.
    OutsideExpansion,
    /// The result is no finite number.
    OutOfRange,
}

impl Undefined {
    /// The reason as a code, such as `ZERO_VOLATILITY`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooFewObservations { .. } => "TOO_FEW_OBSERVATIONS",
            Self::ZeroVolatility => "ZERO_VOLATILITY",
            Self::ZeroBenchmarkVolatility => "ZERO_BENCHMARK_VOLATILITY",
            Self::NoDownside => "NO_DOWNSIDE",
            Self::NoUpside => "NO_UPSIDE",
            Self::NoDrawdown => "NO_DRAWDOWN",
            Self::NoLosses => "NO_LOSSES",
            Self::NoWins => "NO_WINS",
            Self::NoBenchmark => "NO_BENCHMARK",
            Self::NoDates => "NO_DATES",
            Self::NoSignChange => "NO_SIGN_CHANGE",
            Self::NoRootInRange => "NO_ROOT_IN_RANGE",
            Self::TotalLoss => "TOTAL_LOSS",
            Self::NoCapital => "NO_CAPITAL",
            Self::ZeroBeta => "ZERO_BETA",
            Self::ZeroDenominator => "ZERO_DENOMINATOR",
            Self::NoExposure => "NO_EXPOSURE",
            Self::UnderOneYear { .. } => "UNDER_ONE_YEAR",
            Self::NoMethod => "NO_METHOD",
            Self::OutsideExpansion => "OUTSIDE_EXPANSION",
            Self::OutOfRange => "OUT_OF_RANGE",
        }
    }
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::TooFewObservations { have, need } => return write!(f, "it needs {need} observations and has {have}"),
            Self::UnderOneYear { days } => return write!(f, "annualised figures need 365 calendar days and there are {days}"),
            Self::ZeroVolatility => "the returns do not vary",
            Self::ZeroBenchmarkVolatility => "the benchmark's returns do not vary",
            Self::NoDownside => "no return lies below the minimum acceptable return",
            Self::NoUpside => "no return is positive",
            Self::NoDrawdown => "the index never fell below an earlier peak",
            Self::NoLosses => "nothing lost",
            Self::NoWins => "nothing won",
            Self::NoBenchmark => "it needs a benchmark",
            Self::NoDates => "it needs dates",
            Self::NoSignChange => "the cash flows are all of one sign",
            Self::NoRootInRange => "no rate between -99.9999 % and 1,000,000 % a year brings the cash flows to zero",
            Self::TotalLoss => "a return below -100 % leaves nothing to compound",
            Self::NoCapital => "the capital at the beginning of a period is not positive",
            Self::ZeroBeta => "beta is zero",
            Self::ZeroDenominator => "the denominator is zero",
            Self::NoExposure => "there is no exposure",
            Self::NoMethod => "the method has no such figure",
            Self::OutsideExpansion => "skewness or kurtosis is too large for the expansion at this confidence",
            Self::OutOfRange => "the result is no finite number",
        };
        f.write_str(text)
    }
}

/// The last check of every figure: what is not finite has no value.
pub const fn finite(value: f64) -> Answer {
    if value.is_finite() { Ok(value) } else { Err(Undefined::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite_leaves_as_a_reason() {
        assert_eq!(finite(1.5), Ok(1.5));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(finite(value), Err(Undefined::OutOfRange));
        }
        let few = Undefined::TooFewObservations { have: 1, need: 2 };
        assert_eq!((few.code(), few.to_string().as_str()), ("TOO_FEW_OBSERVATIONS", "it needs 2 observations and has 1"));
    }
}
