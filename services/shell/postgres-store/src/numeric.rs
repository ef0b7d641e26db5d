//! Exact numbers as the server sends them, read as one whole number with a scale.
//!
//! Promises the value and the scale that sqlx's own reading gives, which raises ten thousand to a power for every four
//! digits: ten years of days are some twenty thousand numbers. What does not fit its short way is left to sqlx. It writes
//! nothing.

use rust_decimal::Decimal;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Postgres, Type};

/// A `numeric` of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact(pub(crate) Decimal);

/// Digits that one group of the wire holds.
const GROUP: i32 = 4;
/// The sign of a number below zero; all others that are not zero are no numbers.
const NEGATIVE: u16 = 0x4000;

impl Type<Postgres> for Exact {
    fn type_info() -> PgTypeInfo {
        <Decimal as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Exact {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let short = if value.format() == PgValueFormat::Binary { read(value.as_bytes()?) } else { None };
        short.map_or_else(|| <Decimal as Decode<Postgres>>::decode(value), Ok).map(Self)
    }
}

/// The number in its binary form: how many groups, the weight of the first one, sign, digits behind the point, groups.
/// `None` where it is none, or too long for the short way.
fn read(bytes: &[u8]) -> Option<Decimal> {
    let (head, groups) = bytes.split_at_checked(8)?;
    let word = |at: usize| [head[at], head[at + 1]];
    let (count, weight) = (i32::from(u16::from_be_bytes(word(0))), i32::from(i16::from_be_bytes(word(2))));
    let (sign, scale) = (u16::from_be_bytes(word(4)), u32::from(u16::from_be_bytes(word(6))));
    if groups.len() != 2 * usize::try_from(count).ok()? || !matches!(sign, 0 | NEGATIVE) {
        return None;
    }
    if count == 0 {
        return Some(Decimal::ZERO);
    }
    let mut whole: i128 = 0;
    for group in groups.chunks_exact(2) {
        whole = whole.checked_mul(10_000)?.checked_add(u16::from_be_bytes([group[0], group[1]]).into())?;
    }
    // So many digits of the whole stand behind the point; it is brought to as many as the number has.
    let behind = (count - 1 - weight) * GROUP;
    let missing = i32::try_from(scale).ok()? - behind;
    let power = 10_i128.checked_pow(missing.unsigned_abs())?;
    let whole = if missing >= 0 { whole.checked_mul(power)? } else { (whole % power == 0).then(|| whole / power)? };
    Decimal::try_from_i128_with_scale(if sign == NEGATIVE { -whole } else { whole }, scale).ok()
}

#[cfg(test)]
mod tests {
    use super::read;
    use proptest::prelude::*;

    /// A number's text in the server's form: groups of four digits from the point outwards, none of zeros at either end.
    fn sent(text: &str) -> Vec<u8> {
        let (sign, digits) = text.strip_prefix('-').map_or((0_u16, text), |digits| (super::NEGATIVE, digits));
        let (before, behind) = digits.split_once('.').unwrap_or((digits, ""));
        let before = format!("{}{before}", "0".repeat((4 - before.len() % 4) % 4));
        let padded = format!("{behind}{}", "0".repeat((4 - behind.len() % 4) % 4));
        let all: Vec<u16> =
            (before.clone() + &padded).as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap().parse().unwrap()).collect();
        let first = all.iter().take_while(|group| **group == 0).count();
        let last = all.iter().rposition(|group| *group != 0).map_or(first, |at| at + 1);
        let weight = if first == all.len() { 0 } else { i16::try_from(before.len() / 4).unwrap() - 1 - i16::try_from(first).unwrap() };
        let groups = &all[first..last];
        let head = [u16::try_from(groups.len()).unwrap(), weight.cast_unsigned(), sign, u16::try_from(behind.len()).unwrap()];
        head.iter().chain(groups).flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn what_is_sent_is_read_with_its_scale() {
        for text in ["0", "1", "-1", "10000", "0.0001", "-0.00010", "123456789.1234567890", "100000000", "0.00000001", "99999999.9999"] {
            assert_eq!(read(&sent(text)).map(|number| number.to_string()).as_deref(), Some(text));
        }
        assert_eq!(read(&sent("0.00")).map(|number| number.scale()), Some(0), "as sqlx reads it");
    }

    #[test]
    fn what_is_no_number_or_too_long_is_left_to_the_library() {
        let longest = "1".repeat(40);
        let (wide, deep) = ("1".repeat(30), format!("0.{}1", "0".repeat(28)));
        let beyond = [0, 1, 0xFF, 0xFF, 0, 0, 0, 1, 0, 1];
        for bytes in [
            &sent(&longest)[..],
            &sent(&wide),
            &sent(&deep),
            &beyond,
            &[0, 0, 0, 0, 0xD0, 0, 0, 0],
            &sent("1.5")[..9],
            &[0, 0, 0, 0, 0xC0, 0, 0, 0],
            &[],
            &[0, 1, 0x7F, 0xFF, 0, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_number_of_a_column_is_read_as_it_is_written(whole in -10_i128.pow(27)..10_i128.pow(27), scale in 0..=18_u32) {
            let number = rust_decimal::Decimal::try_from_i128_with_scale(whole, scale).unwrap();
            prop_assume!(!number.is_zero());
            prop_assert_eq!(read(&sent(&number.to_string())), Some(number));
            prop_assert_eq!(read(&sent(&number.to_string())).map(|read| read.scale()), Some(scale));
        }
    }
}
