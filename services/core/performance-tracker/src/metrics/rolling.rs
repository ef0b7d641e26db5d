//! Any figure of the catalogue over a window that moves along the series, a value for each full window.

use super::{Figure, Metric};
use crate::sample::Sample;

/// The figure over each window of so many periods, the one that ends with row `window - 1` first. Empty where the
/// series is shorter, the window is zero, or the figure is none of returns. Each window is computed anew, so that
/// no error of rounding travels along.
pub fn rolling(metric: &Metric, sample: &Sample<'_>, window: usize) -> Vec<Figure> {
    let ends = if window == 0 { 0..0 } else { window..sample.len() + 1 };
    ends.filter_map(|end| metric.of_sample(&sample.window(end - window..end))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::catalogue::find;

    #[test]
    fn a_window_of_all_is_the_figure_itself() {
        let returns = [0.01, -0.02, 0.03, 0.005];
        let sample = Sample::new(&returns).unwrap();
        let sharpe = find("sharpe").unwrap();
        assert_eq!(rolling(sharpe, &sample, 4), [sharpe.of_sample(&sample).unwrap()]);
        let total = rolling(find("cumulative_return").unwrap(), &sample, 2);
        assert_eq!(total.len(), 3);
        assert!((total[0].value.unwrap() - (1.01 * 0.98 - 1.0)).abs() < 1e-15);
        assert!(rolling(sharpe, &sample, 5).is_empty() && rolling(sharpe, &sample, 0).is_empty());
    }
}
