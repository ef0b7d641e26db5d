//! Sums with compensation (Neumaier): the rounding error of each addition is kept and added at the end, in the
//! order of the series.

/// The sum of a series; zero for an empty one.
pub fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut total, mut lost) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = total + value;
        lost += if total.abs() >= value.abs() { (total - next) + value } else { (value - next) + total };
        total = next;
    }
    total + lost
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn small_numbers_beside_large_ones_are_not_lost() {
        assert_eq!(sum([1.0, 1e100, 1.0, -1e100]), 2.0);
        assert_eq!(sum((0..1000).map(|_| 0.1)), 100.0);
        assert_eq!(sum([]), 0.0);
    }
}
