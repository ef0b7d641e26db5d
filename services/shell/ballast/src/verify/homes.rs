//! I12 across lanes: the books of a portfolio stand in one lane. It is asked of keys alone, lane by lane, where the records
//! of all lanes are never together.

use super::report::Check;
use std::collections::BTreeMap;

/// The lane of each portfolio, and the second one in which it stands.
#[derive(Debug, Default)]
pub struct Homes(BTreeMap<Vec<u8>, (i32, Option<i32>)>);

impl Homes {
    /// Takes the keys of a lane's ledger and snapshots, each as often as it stands there.
    pub fn take<'a>(&mut self, lane: i32, keys: impl Iterator<Item = &'a [u8]>) {
        for key in keys {
            match self.0.get_mut(key) {
                None => _ = self.0.insert(key.to_vec(), (lane, None)),
                Some((first, second)) if *first != lane => _ = second.get_or_insert(lane),
                Some(_) => {}
            }
        }
    }

    /// The row.
    pub fn check(&self) -> Check {
        let mut check = Check::new("I12", "the ledger and snapshots of a portfolio stand in one lane");
        for (key, (first, second)) in &self.0 {
            check.that(second.is_none(), || {
                format!("{}: in lane {first}, and in lane {}", String::from_utf8_lossy(key), second.unwrap_or_default())
            });
        }
        check
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portfolio_in_two_lanes_is_told() {
        let mut homes = Homes::default();
        homes.take(0, [b"a".as_slice(), b"b", b"a"].into_iter());
        homes.take(1, [b"c".as_slice()].into_iter());
        let whole = homes.check();
        assert_eq!((whole.checked, whole.violations), (3, 0));
        homes.take(2, [b"b".as_slice(), b"d"].into_iter());
        let torn = homes.check();
        assert_eq!((torn.checked, torn.violations, torn.first.as_deref()), (4, 1, Some("b: in lane 0, and in lane 2")));
    }
}
