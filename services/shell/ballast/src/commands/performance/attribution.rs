//! Profit by a grouping over a span: the sums of what the records say of its days, with their residual. Amounts add up
//! from day to day; effects against a benchmark do not, and are left to the records.

use crate::figure::exact;
use postgres_store::queries::AttributionDay;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The parts of a bucket's profit, in the order in which they are shown.
const PARTS: [&str; 5] = ["realized_gross", "fees", "income", "unrealized", "total"];

/// A grouping over a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Attribution {
    pub(super) grouping: &'static str,
    /// Days of the span that have a record.
    pub(super) days: usize,
    /// Days of the span that have none: what they earned is not in here.
    pub(super) days_without_a_record: usize,
    pub(super) provisional: bool,
    pub(super) buckets: Vec<Bucket>,
    /// What no bucket holds.
    pub(super) residual: String,
    pub(super) total: String,
}

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) realized_gross: String,
    pub(super) fees: String,
    pub(super) income: String,
    pub(super) unrealized: String,
    pub(super) total: String,
}

impl Attribution {
    /// Adds the days of a span up; of buckets the most profitable comes first.
    pub(super) fn of(records: &[AttributionDay], grouping: &'static str, days: usize) -> Self {
        let mut sums: BTreeMap<String, [Decimal; PARTS.len()]> = BTreeMap::new();
        let (mut residual, mut total, mut told) = (Decimal::ZERO, Decimal::ZERO, 0);
        for record in records {
            let groupings = record.attribution.as_array().into_iter().flatten();
            let Some(of) = groupings.into_iter().find(|of| of.get("grouping").and_then(Value::as_str) == Some(grouping)) else { continue };
            told += 1;
            residual += number(of, "residual");
            total += number(of, "total");
            for bucket in of.get("buckets").and_then(Value::as_array).into_iter().flatten() {
                let name = bucket.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let sum = sums.entry(name).or_default();
                PARTS.iter().zip(sum).for_each(|(part, sum)| *sum += number(bucket, part));
            }
        }
        let mut sums: Vec<_> = sums.into_iter().collect();
        sums.sort_by(|(a, left), (b, right)| right[4].cmp(&left[4]).then_with(|| a.cmp(b)));
        Self {
            grouping,
            days: told,
            days_without_a_record: days.saturating_sub(told),
            provisional: records.iter().any(|record| record.provisional),
            buckets: sums.into_iter().map(bucket).collect(),
            residual: exact(residual),
            total: exact(total),
        }
    }
}

fn bucket((name, [realized_gross, fees, income, unrealized, total]): (String, [Decimal; PARTS.len()])) -> Bucket {
    Bucket {
        name,
        realized_gross: exact(realized_gross),
        fees: exact(fees),
        income: exact(income),
        unrealized: exact(unrealized),
        total: exact(total),
    }
}

fn number(of: &Value, name: &str) -> Decimal {
    of.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(Decimal::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;
    use serde_json::json;

    #[test]
    fn days_add_up_bucket_by_bucket_with_their_residual() {
        let bucket = |name: &str, total: &str| json!({"name": name, "realized_gross": total, "fees": "0.5", "income": "0", "unrealized": "0", "total": total});
        let day = |buckets: Value, residual: &str, total: &str| AttributionDay {
            as_of: Micros(0),
            attribution: json!([{"grouping": "SECTOR", "buckets": buckets, "residual": residual, "total": total}, {"grouping": "STRATEGY"}]),
            provisional: false,
        };
        let records = [day(json!([bucket("TECH", "10"), bucket("UTIL", "-2")]), "1", "9"), day(json!([bucket("UTIL", "30")]), "0", "30")];
        let sums = Attribution::of(&records, "SECTOR", 3);
        let shown: Vec<_> = sums.buckets.iter().map(|bucket| (bucket.name.as_str(), bucket.total.as_str(), bucket.fees.as_str())).collect();
        assert_eq!(shown, [("UTIL", "28", "1"), ("TECH", "10", "0.5")]);
        assert_eq!((sums.residual.as_str(), sums.total.as_str(), sums.days, sums.days_without_a_record), ("1", "39", 2, 1));
    }
}
