//! The figures of whole reports, which are no functions of one series: those of cash flows without dates, of sectors,
//! of several assets and of holdings. Here only their names and what they mean; each is computed where its report is.

use performance_tracker::metrics::Unit;

/// A figure of a report.
#[derive(Debug, Clone, Copy)]
pub struct Other {
    /// Name.
    pub id: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// Kinds of input that have it.
    pub needs: &'static str,
    /// The formula in words.
    pub formula: &'static str,
    /// Where the formula comes from.
    pub source: &'static str,
}

const fn other(id: &'static str, unit: Unit, needs: &'static str, formula: &'static str, source: &'static str) -> Other {
    Other { id, unit, needs, formula, source }
}

/// Where sectors come from.
const BRINSON: &str = "Brinson and Fachler (1985); Carino (1999)";

/// All of them, by the kind of their input.
pub const OTHERS: &[Other] = &[
    other("irr", Unit::Fraction, "flows", "the rate a period at which undated flows, one period apart, come to zero", "Excel IRR"),
    other("present_value", Unit::Amount, "flows", "sum of flow / (1 + --risk-free)^(days / 365), from the earliest flow", "Excel XNPV"),
    other("risk_against_target", Unit::Ratio, "returns", "volatility / --target-risk", "ratio"),
    other("risk_above_target", Unit::Fraction, "returns", "volatility - --target-risk", "difference"),
    other("portfolio_return", Unit::Fraction, "brinson", "sum of wp x rp over sectors, compounded over periods", BRINSON),
    other("benchmark_return", Unit::Fraction, "brinson", "sum of wb x rb over sectors, compounded over periods", BRINSON),
    other("active_return", Unit::Fraction, "brinson", "portfolio_return - benchmark_return", BRINSON),
    other(
        "allocation",
        Unit::Fraction,
        "brinson",
        "sum of (wp - wb) x (rb - benchmark's return), linked; with --model hood-beebower (wp - wb) x rb",
        BRINSON,
    ),
    other("selection", Unit::Fraction, "brinson", "sum of wb x (rp - rb), linked", BRINSON),
    other("interaction", Unit::Fraction, "brinson", "sum of (wp - wb) x (rp - rb), linked", BRINSON),
    other("total_effect", Unit::Fraction, "brinson", "allocation + selection + interaction", BRINSON),
    other("residual", Unit::Fraction, "brinson", "active_return - total_effect", BRINSON),
    other("portfolio_standard_deviation", Unit::Fraction, "assets", "sqrt(w' C w), a period", "Markowitz (1952)"),
    other("portfolio_volatility", Unit::Fraction, "assets", "sqrt(w' C w) x sqrt(P)", "Markowitz (1952)"),
    other("portfolio_mean", Unit::Fraction, "assets", "mean of w' r", "Markowitz (1952)"),
    other(
        "value_at_risk",
        Unit::Fraction,
        "assets",
        "of w' r by --method (parametric where absent), over --horizon; positive is a loss",
        "Jorion (2007)",
    ),
    other(
        "expected_shortfall",
        Unit::Fraction,
        "assets",
        "by the same method; Cornish-Fisher has none",
        "McNeil, Frey and Embrechts (2005)",
    ),
    other("value_at_risk_money", Unit::Amount, "assets", "value_at_risk x --book-value", "Jorion (2007)"),
    other("expected_shortfall_money", Unit::Amount, "assets", "expected_shortfall x --book-value", "Jorion (2007)"),
    other("hhi", Unit::Ratio, "assets, holdings", "sum of squared shares of the gross value", "Herfindahl; Hirschman"),
    other("effective_number", Unit::Ratio, "assets, holdings", "1 / hhi", "Herfindahl; Hirschman"),
    other("net_exposure", Unit::Fraction, "holdings", "(long + short) / equity", "sum"),
    other("gross_exposure", Unit::Fraction, "holdings", "(long - short) / equity", "sum"),
    other("long_exposure", Unit::Fraction, "holdings", "values above zero / equity", "sum"),
    other("short_exposure", Unit::Fraction, "holdings", "values below zero / equity, at most zero", "sum"),
    other("largest_share", Unit::Fraction, "holdings", "largest absolute value / gross value", "maximum"),
];

/// The figure of that name.
pub fn find(id: &str) -> Option<&'static Other> {
    OTHERS.iter().find(|one| one.id == id)
}
