//! The figures that were asked for by name, of every set that has them. A name that no set has is an error: an empty answer
//! would pass for one.

use crate::commands::metrics::list::{own_name, spelled};
use crate::nearest::nearest;
use postgres_store::queries::FigureSet;
use serde_json::Value;
use std::collections::BTreeSet;

/// Leaves the asked figures in the sets, in the order in which these have them; all of them where none is asked for.
///
/// # Errors
/// A name that no set has, with the one that was meant.
pub(super) fn choose(sets: &mut [FigureSet], asked: &[String]) -> Result<(), String> {
    if asked.is_empty() {
        return Ok(());
    }
    let known: BTreeSet<String> = sets.iter().flat_map(|set| ids(&set.metrics)).map(str::to_owned).collect();
    let own = |asked: &String| own_name(asked, |name| known.contains(name)).ok_or_else(|| asked.clone());
    let asked: Result<BTreeSet<String>, String> = asked.iter().map(own).collect();
    let asked = asked.map_err(|name| {
        let meant =
            nearest(&spelled(&name), known.iter().map(String::as_str)).map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
        format!("--metric {name}: no set has such a figure; {meant}without --metric all are printed")
    })?;
    for set in sets {
        if let Value::Array(figures) = &mut set.metrics {
            figures.retain(|figure| id(figure).is_some_and(|id| asked.contains(id)));
        }
    }
    Ok(())
}

fn ids(metrics: &Value) -> impl Iterator<Item = &str> {
    metrics.as_array().into_iter().flatten().filter_map(id)
}

fn id(figure: &Value) -> Option<&str> {
    figure.get("id").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;
    use serde_json::json;

    fn set(names: &[&str]) -> FigureSet {
        FigureSet {
            timeframe: "MTD".into(),
            as_of: Micros(0),
            from_date: None,
            date: None,
            base_currency: "USD".into(),
            provisional: false,
            metrics: names.iter().map(|name| json!({"id": name})).collect(),
        }
    }

    fn left(names: &[&str]) -> Result<Vec<Vec<String>>, String> {
        let mut sets = [set(&["profit", "sharpe"]), set(&["profit"])];
        choose(&mut sets, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        Ok(sets.iter().map(|set| ids(&set.metrics).map(str::to_owned).collect()).collect())
    }

    #[test]
    fn only_asked_figures_are_left_and_unknown_ones_are_refused() {
        assert_eq!(left(&[]).unwrap(), [vec!["profit", "sharpe"], vec!["profit"]]);
        assert_eq!(left(&["Sharpe-Ratio"]).unwrap(), [vec!["sharpe"], vec![]]);
        assert_eq!(left(&["profit", "sharpe"]).unwrap(), [vec!["profit", "sharpe"], vec!["profit"]]);
        let refused = left(&["profits"]).unwrap_err();
        assert!(refused.contains("did you mean profit?"), "{refused}");
    }
}
