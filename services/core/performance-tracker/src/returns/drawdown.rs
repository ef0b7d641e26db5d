//! Drawdowns of the flow-neutral index, which starts at 1: the start counts as a peak.

use super::index;
use crate::undefined::Undefined;

/// A fall below a peak, up to the recovery.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawdown {
    /// Index at the trough over that at the peak, less 1: negative.
    pub depth: f64,
    /// Row of the return after which the peak stood; `None` for the start of the series.
    pub peak: Option<usize>,
    /// Row of the return after which the index was lowest.
    pub trough: usize,
    /// Row of the return with which the index came back to the peak; `None` where it has not.
    pub recovery: Option<usize>,
}

/// How far the index lies below its highest level so far, after each period; at most 0.
pub fn below_peaks(returns: &[f64]) -> Result<Vec<f64>, Undefined> {
    let levels = index(returns)?;
    let mut peak = levels[0];
    let fall = |level: &f64| {
        peak = peak.max(*level);
        level / peak - 1.0
    };
    Ok(levels[1..].iter().map(fall).collect())
}

/// Every drawdown, in time.
pub fn all(returns: &[f64]) -> Result<Vec<Drawdown>, Undefined> {
    let mut found = Vec::new();
    let mut open: Option<Drawdown> = None;
    let mut peak = None;
    for (row, fall) in below_peaks(returns)?.into_iter().enumerate() {
        if fall == 0.0 {
            found.extend(open.take().map(|one| Drawdown { recovery: Some(row), ..one }));
            peak = Some(row);
            continue;
        }
        let known = open.get_or_insert(Drawdown { depth: fall, peak, trough: row, recovery: None });
        if fall < known.depth {
            (known.depth, known.trough) = (fall, row);
        }
    }
    found.extend(open);
    Ok(found)
}

/// The deepest of them; of two the earlier.
pub fn deepest(drawdowns: &[Drawdown]) -> Result<Drawdown, Undefined> {
    let deeper = |best: Drawdown, one: Drawdown| if one.depth < best.depth { one } else { best };
    drawdowns.iter().copied().reduce(deeper).ok_or(Undefined::NoDrawdown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawdown_lasts_from_the_peak_to_the_recovery() {
        // 1, 1.1, 0.99, 0.88, 1.1, 1.045
        let returns = [0.1, -0.1, -1.0 / 9.0, 0.25, -0.05];
        let found = all(&returns).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].peak, found[0].trough, found[0].recovery), (Some(0), 2, Some(3)));
        assert!((found[0].depth + 0.2).abs() < 1e-15);
        assert_eq!((found[1].peak, found[1].trough, found[1].recovery), (Some(3), 4, None));
        assert_eq!(deepest(&found), Ok(found[0]));
    }

    #[test]
    fn the_start_is_a_peak_and_nothing_is_below_nothing() {
        let found = all(&[-0.5, 0.1]).unwrap();
        assert_eq!((found[0].peak, found[0].trough, found[0].recovery, found[0].depth), (None, 0, None, -0.5));
        assert_eq!(deepest(&all(&[0.1, 0.0]).unwrap()), Err(Undefined::NoDrawdown));
        assert_eq!(below_peaks(&[-1.0, 0.5]).unwrap(), [-1.0, -1.0]);
        assert_eq!(all(&[-1.1]), Err(Undefined::TotalLoss));
    }
}
