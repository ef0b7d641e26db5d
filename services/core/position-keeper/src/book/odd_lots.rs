//! Whose units are sold when a split leaves a line with a part below one lot, and that part is paid out: those of the
//! line's own side, first what each holds beyond whole lots, then what is still asked for, in their order both times.
//! It books nothing.

use domain::Quantity;

/// How much of `odd`, signed, each gives of what it holds. What is not found, less than the smallest step of each, nobody gives.
pub fn given(held: &[Quantity], odd: Quantity, lot: Quantity) -> Vec<Quantity> {
    let (sign, mut rest) = (odd.signum(), odd.abs().units());
    let mut given = vec![0; held.len()];
    let own: Vec<i128> = held.iter().map(|units| (units.units() * sign).max(0)).collect();
    for beyond_lots in [true, false] {
        for (given, own) in given.iter_mut().zip(&own) {
            let has = if beyond_lots { own % lot.units() } else { own - *given };
            let gives = has.min(rest);
            *given += gives;
            rest -= gives;
        }
    }
    given.into_iter().map(|units| Quantity::from_units(sign * units)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(held: &[&str], odd: &str, expected: &[&str]) {
        let quantity = |text: &&str| text.parse::<Quantity>().unwrap();
        let held: Vec<Quantity> = held.iter().map(quantity).collect();
        let shown: Vec<String> = given(&held, quantity(&odd), Quantity::ONE).iter().map(ToString::to_string).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn whoever_has_a_part_of_a_lot_gives_it_first() {
        check(&["10", "5.25"], "0.25", &["0", "0.25"]);
        check(&["10.5", "4.75"], "0.25", &["0.25", "0"]);
        check(&["0.5", "0.75"], "0.25", &["0.25", "0"]);
        check(&["-10.5", "-4.25"], "-0.75", &["-0.5", "-0.25"]);
    }

    #[test]
    fn the_other_side_gives_nothing_and_whole_lots_are_broken_last() {
        check(&["-4.75", "10"], "0.25", &["0", "0.25"]);
        check(&["3.1", "-2.75", "0.4"], "0.75", &["0.35", "0", "0.4"]);
        check(&["0.00000001"], "0.5", &["0.00000001"]);
    }
}
