//! The catalogue as a table, and the other names by which its figures are asked for.

mod others;

use super::report::{Cell, Grid};
use crate::nearest::nearest;
use performance_tracker::metrics::catalogue;

/// Usual names of figures, and ours.
const ALIASES: [(&str, &str); 47] = [
    ("sharpe_ratio", "sharpe"),
    ("sortino_ratio", "sortino"),
    ("calmar_ratio", "calmar"),
    ("omega_ratio", "omega"),
    ("treynor_ratio", "treynor"),
    ("max_dd", "max_drawdown"),
    ("maximum_drawdown", "max_drawdown"),
    ("mdd", "max_drawdown"),
    ("cagr", "annualised_return"),
    ("annual_return", "annualised_return"),
    ("annualized_return", "annualised_return"),
    ("total_return", "cumulative_return"),
    ("cum_return", "cumulative_return"),
    ("annual_volatility", "volatility"),
    ("annualised_volatility", "volatility"),
    ("annualized_volatility", "volatility"),
    ("std", "standard_deviation"),
    ("downside_risk", "downside_deviation"),
    ("skew", "skewness"),
    ("excess_kurtosis", "kurtosis"),
    ("mtd", "mtd_return"),
    ("ytd", "ytd_return"),
    ("best", "best_day"),
    ("worst", "worst_day"),
    ("var", "var_historical"),
    ("value_at_risk", "var_historical"),
    ("cvar", "es_historical"),
    ("conditional_value_at_risk", "es_historical"),
    ("es", "es_historical"),
    ("expected_shortfall", "es_historical"),
    ("te", "tracking_error"),
    ("ir", "information_ratio"),
    ("jensen_alpha", "alpha_of_annualised"),
    ("upside_capture", "up_capture"),
    ("downside_capture", "down_capture"),
    ("m2", "m_squared"),
    ("corr", "correlation"),
    ("r2", "r_squared"),
    ("twr", "time_weighted_return"),
    ("twrr", "time_weighted_return"),
    ("mwr", "money_weighted_return"),
    ("mwrr", "money_weighted_return"),
    ("avg_win", "average_win"),
    ("avg_loss", "average_loss"),
    ("ulcer", "ulcer_index"),
    ("psr", "probabilistic_sharpe"),
    ("stability_of_timeseries", "stability"),
];

/// A name in small letters, with underscores.
pub fn spelled(id: &str) -> String {
    id.trim().to_lowercase().replace(['-', ' '], "_")
}

/// Our name of a figure, by any case, with hyphens or underscores.
pub fn canonical(id: &str) -> String {
    let id = spelled(id);
    ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |(_, name)| (*name).to_owned())
}

/// What a name means beside a method of value at risk: one that says none is that of the method.
pub fn by_method(id: &str, method: &str) -> String {
    let (asked, method) = (spelled(id), spelled(method));
    match canonical(id).split_once('_') {
        Some((figure @ ("var" | "es"), "historical")) if !asked.ends_with("_historical") => format!("{figure}_{method}"),
        _ => id.to_owned(),
    }
}

/// What a name means among those that there are: one of their own comes before what it is another name of elsewhere.
pub fn own_name(id: &str, is_there: impl Fn(&str) -> bool) -> Option<String> {
    [spelled(id), canonical(id)].into_iter().find(|name| is_there(name))
}

/// Words about a name that this kind of input has no figure for.
pub fn words_about<'a>(id: &str, kind: &str, of_kind: impl Iterator<Item = &'a str> + Clone) -> String {
    let name = canonical(id);
    if let Some(metric) = catalogue::find(&name) {
        let of_periods = of_kind.clone().find(|known| known.strip_suffix("_periods") == Some(&name));
        let instead = of_periods.map(|known| format!("; {known} is that of periods")).unwrap_or_default();
        let needs = metric.function.needs();
        if needs == kind {
            return format!("--metric {id}: it needs dates, and the input has no column of them; name it with --column date=HEADER");
        }
        let how = if needs == "flows" { "; of a file of flows alone it is told by ballast metrics flows FILE" } else { "" };
        return format!("--metric {id}: it is a figure of {needs}, and the input is {kind}{instead}{how}");
    }
    if let Some(figure) = others::find(&spelled(id)) {
        return format!("--metric {id}: it is a figure of {}, and the input is {kind}", figure.needs);
    }
    let meant = nearest(&name, of_kind).map(|name| format!("did you mean {name}? ")).unwrap_or_default();
    format!("--metric {id}: there is no such figure; {meant}`ballast metrics --list` names all")
}

/// The whole catalogue, then the figures of whole reports.
pub fn grid() -> Grid {
    let mut grid = Grid::new("catalogue", &["id", "unit", "needs", "formula", "source"]);
    for metric in catalogue::all() {
        let texts = [metric.id, metric.unit.name(), metric.function.needs(), metric.formula, metric.source];
        grid.rows.push(texts.iter().map(|text| Cell::Text((*text).to_owned())).collect());
    }
    for one in others::OTHERS {
        let texts = [one.id, one.unit.name(), one.needs, one.formula, one.source];
        grid.rows.push(texts.iter().map(|text| Cell::Text((*text).to_owned())).collect());
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_other_name_leads_to_a_figure() {
        for (alias, name) in ALIASES {
            assert!(catalogue::find(name).is_some(), "{alias} means {name}, which is none");
            assert!(catalogue::find(alias).is_none(), "{alias} is a figure itself");
        }
        assert_eq!(canonical("Max-DD"), "max_drawdown");
        for (asked, method, meant) in [
            ("VaR", "parametric", "var_parametric"),
            ("value_at_risk", "cornish-fisher", "var_cornish_fisher"),
            ("cvar", "historical", "es_historical"),
            ("var_historical", "parametric", "var_historical"),
            ("sharpe", "parametric", "sharpe"),
        ] {
            assert_eq!(by_method(asked, method), meant);
        }
        assert!(words_about("xirr", "returns", ["sharpe"].into_iter()).contains("a figure of flows"));
        assert!(words_about("gross-exposure", "returns", ["sharpe"].into_iter()).contains("a figure of holdings"));
    }
}
