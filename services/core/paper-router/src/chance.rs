//! Chance without chance: numbers that look random and depend on the seed, the order and the question.

use domain::OrderId;

/// The question that a number answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// How long until the router answers.
    Delay,
    /// Whether it rejects the order.
    Reject,
    /// Whether it fills the order in parts.
    Parts,
    /// How large the part of this execution is.
    Size(u32),
}

/// The answer: uniform over all of `u64`, the same for ever.
pub fn draw(seed: u64, order: OrderId, question: Question) -> u64 {
    let number = match question {
        Question::Delay => 1,
        Question::Reject => 2,
        Question::Parts => 3,
        Question::Size(n) => (1 << 32) | u64::from(n),
    };
    let (high, low) = order.0.as_u64_pair();
    [high, low, number].iter().fold(mix(seed), |state, word| mix(state ^ word))
}

/// Whether something of so many chances in ten thousand happens.
pub fn happens(seed: u64, order: OrderId, question: Question, basis_points: u32) -> bool {
    draw(seed, order, question) % 10_000 < u64::from(basis_points)
}

/// The finaliser of SplitMix64.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::uuid_of;

    #[test]
    fn the_share_of_orders_is_the_one_that_was_asked_for() {
        let order = |n: u32| OrderId(uuid_of(&[&n.to_be_bytes()]));
        let share = |bp| (0..10_000).filter(|n| happens(7, order(*n), Question::Reject, bp)).count();
        assert_eq!((share(0), share(10_000)), (0, 10_000));
        assert!((1_900..2_100).contains(&share(2_000)), "{}", share(2_000));
        let differ = (0..1_000).filter(|n| happens(1, order(*n), Question::Parts, 5_000) != happens(2, order(*n), Question::Parts, 5_000));
        assert!((400..600).contains(&differ.count()), "another seed, another fate");
    }
}
