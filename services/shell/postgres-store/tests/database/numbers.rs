//! Numbers of days, which are read by a short way of our own, held against sqlx's reading of the same rows.

use crate::scratch::Scratch;
use rust_decimal::Decimal;

/// Digits and zeros in turns of several lengths, so that groups of four are full, empty and cut anywhere.
fn digits(count: usize, turn: usize) -> String {
    (0..count).map(|at| if at > 0 && (at / turn) % 2 == 1 { '0' } else { char::from(b'1' + u8::try_from(at % 9).unwrap()) }).collect()
}

/// Numbers of up to 28 digits with any scale, of both signs, and zeros that have one.
fn numbers() -> Vec<String> {
    let mut all = vec!["79228162514264337593543950335".to_owned(), "-79228162514264337593543950335".to_owned()];
    all.extend((0..=18).map(|scale| format!("{:.scale$}", 0.0)));
    for count in 1..=28 {
        for scale in 0..=28 {
            let digits = digits(count, 1 + (count + scale) % 6);
            let padded = format!("{digits:0>width$}", width = scale + 1);
            let (whole, behind) = padded.split_at(padded.len() - scale);
            let sign = if (count + scale) % 2 == 0 { "" } else { "-" };
            all.push(format!("{sign}{whole}{}{behind}", if scale > 0 { "." } else { "" }));
        }
    }
    all
}

#[tokio::test]
async fn numbers_of_days_are_those_that_the_library_reads_with_their_scale() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let numbers = numbers();
    let rows: Vec<String> = numbers
        .iter()
        .enumerate()
        .map(|(at, number)| format!("('p', date '2000-01-01' + {at}, {at}, {number}, -({number}), {number}, true, false)"))
        .collect();
    let columns = "portfolio_id, date, version, total_value, cash_value, net_external_flow, complete, provisional";
    scratch.run(format!("INSERT INTO values_by_day ({columns}) VALUES {}", rows.join(", "))).await;
    let select = "SELECT total_value, cash_value, net_external_flow FROM values_by_day ORDER BY date";
    let expected: Vec<(Decimal, Decimal, Decimal)> = sqlx::query_as(select).fetch_all(&mut scratch.connection().await).await.unwrap();
    let days = store.days("p", "2000-01-01", "2100-01-01").await.unwrap();
    assert_eq!((days.len(), expected.len()), (numbers.len(), numbers.len()));
    for ((day, expected), number) in days.iter().zip(&expected).zip(&numbers) {
        let read = [day.total_value, day.cash_value.unwrap(), day.net_external_flow];
        let exactly = |number: Decimal| (number.mantissa(), number.scale());
        assert_eq!(read.map(exactly), [expected.0, expected.1, expected.2].map(exactly), "{number}");
    }
}
