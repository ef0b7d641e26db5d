//! Roots of a function of one variable: brackets on a grid, and Brent's method within one.
//! It derives nothing and guesses nothing: a root between two points of the grid with equal signs is not seen.

/// Steps after which Brent's method must have ended; bisection alone would need some 60.
const STEPS: usize = 200;

/// Every interval of neighbouring points at whose ends the function has different signs, in order. A point at
/// which it is zero is an interval of itself alone.
pub fn brackets(points: impl Iterator<Item = f64>, function: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    let mut last: Option<(f64, f64)> = None;
    for point in points {
        let value = function(point);
        if value == 0.0 {
            found.push((point, point));
        } else if let Some((before, other)) = last
            && other != 0.0
            && (other < 0.0) != (value < 0.0)
        {
            found.push((before, point));
        }
        last = Some((point, value));
    }
    found
}

/// The root between two points at which the function has different signs (Brent 1973, chapter 4).
pub fn brent(bracket: (f64, f64), function: impl Fn(f64) -> f64) -> f64 {
    let (mut far, mut best) = bracket;
    let (mut at_far, mut at_best) = (function(far), function(best));
    let (mut last, mut at_last) = (far, at_far);
    let (mut step, mut before) = (best - far, best - far);
    for _ in 0..STEPS {
        if (at_best > 0.0) == (at_last > 0.0) {
            (last, at_last) = (far, at_far);
            step = best - far;
            before = step;
        }
        if at_last.abs() < at_best.abs() {
            (far, best, last) = (best, last, best);
            (at_far, at_best, at_last) = (at_best, at_last, at_best);
        }
        let tolerance = 2.0 * f64::EPSILON * best.abs() + f64::MIN_POSITIVE;
        let half = (last - best) / 2.0;
        if half.abs() <= tolerance || at_best == 0.0 {
            return best;
        }
        let tried = if before.abs() < tolerance || at_far.abs() <= at_best.abs() {
            None
        } else {
            interpolated((far, at_far), (best, at_best), (last, at_last), half)
                .filter(|(top, bottom)| 2.0 * top < (3.0 * half * bottom - (tolerance * bottom).abs()).min((before * bottom).abs()))
        };
        (before, step) = match tried {
            Some((top, bottom)) => (step, top / bottom),
            None => (half, half),
        };
        (far, at_far) = (best, at_best);
        best += if step.abs() > tolerance { step } else { tolerance.copysign(half) };
        at_best = function(best);
    }
    best
}

/// The step to where a line or an inverse parabola through the points crosses zero, as a fraction with a positive
/// top. `None` where its denominator vanishes.
fn interpolated(far: (f64, f64), best: (f64, f64), last: (f64, f64), half: f64) -> Option<(f64, f64)> {
    let ratio = best.1 / far.1;
    let (top, bottom) = if far.0 == last.0 {
        (2.0 * half * ratio, 1.0 - ratio)
    } else {
        let (back, front) = (far.1 / last.1, best.1 / last.1);
        let top = ratio * (2.0 * half * back * (back - front) - (best.0 - far.0) * (front - 1.0));
        (top, (back - 1.0) * (front - 1.0) * (ratio - 1.0))
    };
    let (top, bottom) = if top > 0.0 { (top, -bottom) } else { (-top, bottom) };
    (bottom != 0.0).then_some((top, bottom))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_of_a_polynomial_is_bracketed_and_found() {
        let cubic = |x: f64| (x + 2.0) * (x - 0.5) * (x - 3.0);
        let found: Vec<f64> =
            brackets((-50..50).map(|n| f64::from(n) / 10.0 + 0.03), cubic).into_iter().map(|bracket| brent(bracket, cubic)).collect();
        assert_eq!(found.len(), 3);
        for (root, expected) in found.iter().zip([-2.0, 0.5, 3.0]) {
            assert!((root - expected).abs() < 1e-14, "{root}");
        }
    }

    #[test]
    fn a_root_on_the_grid_counts_once() {
        let line = |x: f64| x - 1.0;
        assert_eq!(brackets([0.0, 1.0, 2.0].into_iter(), line), [(1.0, 1.0)]);
        assert_eq!(brent((1.0, 1.0), line), 1.0);
    }

    #[test]
    fn steep_and_flat_functions_converge() {
        let steep = |x: f64| libm::exp(30.0 * x) - 2.0;
        assert!((brent((-1.0, 1.0), steep) - std::f64::consts::LN_2 / 30.0).abs() < 1e-15);
        let flat = |x: f64| (x - 1.0) * (x - 1.0) * (x - 1.0);
        assert!((brent((0.0, 3.0), flat) - 1.0).abs() < 1e-5);
    }
}
