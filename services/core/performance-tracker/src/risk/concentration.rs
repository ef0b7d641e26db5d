//! How much of a book stands on few holdings.

use crate::numeric::sum;
use crate::undefined::{Undefined, finite};

/// Concentration of a book.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Concentration {
    /// Herfindahl-Hirschman index: sum of squared shares of the gross value; 1 is a single holding.
    pub hhi: f64,
    /// 1 / HHI: as many equal holdings would be as concentrated.
    pub effective_number: f64,
    /// Largest share of the gross value.
    pub largest: f64,
}

/// Concentration of holdings by their values or weights, of either sign; absent where all are zero.
pub fn concentration(values: &[f64]) -> Result<Concentration, Undefined> {
    let gross = finite(sum(values.iter().map(|value| value.abs())))?;
    if gross == 0.0 {
        return Err(Undefined::NoExposure);
    }
    let shares = || values.iter().map(|value| value.abs() / gross);
    let hhi = finite(sum(shares().map(|share| share * share)))?;
    Ok(Concentration { hhi, effective_number: finite(1.0 / hhi)?, largest: shares().fold(0.0, f64::max) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_holdings_count_by_their_size() {
        let found = concentration(&[50.0, -50.0]).unwrap();
        assert_eq!((found.hhi, found.effective_number, found.largest), (0.5, 2.0, 0.5));
        assert_eq!(concentration(&[7.0]).unwrap().effective_number, 1.0);
        assert_eq!(concentration(&[]), Err(Undefined::NoExposure));
    }
}
