//! Value, cash and exposure by minute and by hour, from snapshots.
//!
//! Promises: what a minute or an hour says is a function of the snapshots in it, in whatever order and however often
//! they come: the first by version opens it, the last closes it. Only snapshots that fall into it are looked at.

use rust_decimal::Decimal;
use sqlx::{Postgres, Transaction};

use super::column::{column, text};
use super::snapshots::SnapshotRow;
use crate::StoreError;
use crate::statement::Limit;

pub(super) async fn fold(limit: &Limit, transaction: &mut Transaction<'_, Postgres>, rows: &[SnapshotRow]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    for sql in [FOLD_MINUTES, FOLD_HOURS] {
        let statement = sqlx::query(sql)
            .bind(column(rows, |r| text(&r.portfolio_id)))
            .bind(column(rows, |r| r.version))
            .bind(column(rows, |r| r.as_of))
            .bind(column(rows, |r| r.total_value))
            .bind(column(rows, |r| r.cash_value))
            .bind(column(rows, |r| exposure(r, "long")))
            .bind(column(rows, |r| exposure(r, "short")))
            .bind(column(rows, |r| r.complete))
            .execute(&mut **transaction);
        limit.run("projecting values by minute and hour", statement).await?;
    }
    Ok(())
}

/// A sum of the snapshot's exposure, where it says one.
fn exposure(row: &SnapshotRow, side: &str) -> Option<Decimal> {
    row.risk.get("exposure")?.get(side)?.as_str()?.parse().ok()
}

macro_rules! fold_into {
    ($table:literal, $unit:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " AS v
    (portfolio_id, at, first_version, last_version, open_value, low_value, high_value, total_value, cash_value,
     long_value, short_value, complete)
SELECT portfolio_id, date_trunc('",
            $unit,
            "', as_of, 'UTC'), min(version), max(version), (array_agg(total_value ORDER BY version))[1], min(total_value),
       max(total_value), (array_agg(total_value ORDER BY version DESC))[1], (array_agg(cash_value ORDER BY version DESC))[1],
       (array_agg(long_value ORDER BY version DESC))[1], (array_agg(short_value ORDER BY version DESC))[1], bool_and(complete)
FROM UNNEST($1::text[], $2::bigint[], $3::timestamptz[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[], $8::bool[])
    AS g (portfolio_id, version, as_of, total_value, cash_value, long_value, short_value, complete)
GROUP BY 1, 2
ON CONFLICT (portfolio_id, at) DO UPDATE SET
    open_value = CASE WHEN EXCLUDED.first_version < v.first_version THEN EXCLUDED.open_value ELSE v.open_value END,
    low_value = LEAST(v.low_value, EXCLUDED.low_value), high_value = GREATEST(v.high_value, EXCLUDED.high_value),
    total_value = CASE WHEN EXCLUDED.last_version > v.last_version THEN EXCLUDED.total_value ELSE v.total_value END,
    cash_value = CASE WHEN EXCLUDED.last_version > v.last_version THEN EXCLUDED.cash_value ELSE v.cash_value END,
    long_value = CASE WHEN EXCLUDED.last_version > v.last_version THEN EXCLUDED.long_value ELSE v.long_value END,
    short_value = CASE WHEN EXCLUDED.last_version > v.last_version THEN EXCLUDED.short_value ELSE v.short_value END,
    complete = v.complete AND EXCLUDED.complete,
    first_version = LEAST(v.first_version, EXCLUDED.first_version), last_version = GREATEST(v.last_version, EXCLUDED.last_version)"
        )
    };
}

const FOLD_MINUTES: &str = fold_into!("values_by_minute", "minute");
const FOLD_HOURS: &str = fold_into!("values_by_hour", "hour");
