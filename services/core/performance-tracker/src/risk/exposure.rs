//! Exposure: what a book holds, long and short, over its equity; the whole, and by sector or any other group.

use crate::numeric::sum;
use crate::undefined::{Undefined, finite};
use std::collections::BTreeMap;

/// Exposure as fractions of equity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    /// Long less short.
    pub net: f64,
    /// Long and short together.
    pub gross: f64,
    /// Long, at least 0.
    pub long: f64,
    /// Short, at most 0.
    pub short: f64,
}

/// Exposure of holdings by their values, over an equity in the same currency; absent where that is not positive.
pub fn exposure(values: &[f64], equity: f64) -> Result<Exposure, Undefined> {
    if equity <= 0.0 {
        return Err(Undefined::NoCapital);
    }
    let part = |of: fn(f64) -> f64| finite(sum(values.iter().copied().map(of)) / equity);
    let (net, gross) = (part(|value| value)?, part(f64::abs)?);
    Ok(Exposure { net, gross, long: part(|value| value.max(0.0))?, short: part(|value| value.min(0.0))? })
}

/// The exposure of each group of holdings, in the order of the groups' names.
pub fn by_group<'a>(holdings: impl IntoIterator<Item = (&'a str, f64)>, equity: f64) -> Result<BTreeMap<&'a str, Exposure>, Undefined> {
    let mut groups: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    holdings.into_iter().for_each(|(group, value)| groups.entry(group).or_default().push(value));
    groups.into_iter().map(|(group, values)| Ok((group, exposure(&values, equity)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_add_up_to_the_whole() {
        let holdings = [("tech", 60.0), ("energy", -30.0), ("tech", -10.0)];
        let whole = exposure(&holdings.map(|(_, value)| value), 50.0).unwrap();
        assert_eq!((whole.net, whole.gross, whole.long, whole.short), (0.4, 2.0, 1.2, -0.8));
        let groups = by_group(holdings, 50.0).unwrap();
        assert_eq!(groups.keys().copied().collect::<Vec<_>>(), ["energy", "tech"]);
        assert_eq!((groups["tech"].net, groups["energy"].gross), (1.0, 0.6));
        assert_eq!(exposure(&[1.0], 0.0), Err(Undefined::NoCapital));
    }
}
