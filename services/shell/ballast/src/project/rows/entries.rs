//! Bookings, from the ledger's topic: each with the day or moment from which on it counts, and when it was booked.

use super::exact::{exact, exact_if_any};
use super::{Origin, RowError, by_currency, micros};
use domain::enums::EntryKind;
use domain::ledger::{Ledger, LedgerEntry};
use domain::{Date, FxRate, Price};
use postgres_store::projections::LedgerEntryRow;

/// The rows of a ledger record.
pub(super) fn rows(ledger: &Ledger, origin: Origin) -> Result<Vec<LedgerEntryRow>, RowError> {
    (0..).zip(&ledger.entries).map(|(place, entry)| row(ledger, place, entry, origin)).collect()
}

fn row(ledger: &Ledger, place: i32, entry: &LedgerEntry, origin: Origin) -> Result<LedgerEntryRow, RowError> {
    Ok(LedgerEntryRow {
        portfolio_id: ledger.portfolio_id.to_string(),
        version: ledger.version,
        place,
        kind: entry.kind.symbol().to_owned(),
        cause_topic: entry.cause.topic.name().to_owned(),
        cause_partition: entry.cause.partition,
        cause_offset: entry.cause.offset,
        cause_id: entry.cause.id.to_string(),
        instrument_id: entry.instrument_id.as_ref().map(ToString::to_string),
        strategy: entry.strategy.as_ref().map(ToString::to_string),
        venue: entry.venue.as_ref().map(ToString::to_string),
        dated: dated(ledger, entry).map(|date| date.to_string()),
        effective_at: micros(entry.effective_at),
        recorded_at: origin.at,
        quantity_change: exact(entry.quantity_change.to_decimal(), "quantity_change")?,
        price: exact_if_any(entry.price.map(Price::to_decimal), "price")?,
        fx_rate: exact_if_any(entry.fx_rate.map(FxRate::to_decimal), "fx_rate")?,
        cash: by_currency(&entry.cash),
        realized_gross: exact(entry.realized_gross.to_decimal(), "realized_gross")?,
        fees: by_currency(&entry.fees),
        income: exact(entry.income.to_decimal(), "income")?,
        external_flow: exact(entry.external_flow.to_decimal(), "external_flow")?,
    })
}

/// The day that tells where a booking belongs: its trade date or ex-date, of a RESTATE that of what restates it. What a
/// dividend pays counts from its pay date, which is its moment.
fn dated(ledger: &Ledger, entry: &LedgerEntry) -> Option<Date> {
    match entry.kind {
        EntryKind::CashDividend => None,
        EntryKind::Restate if entry.trade_date.is_none() => {
            let same = |other: &&LedgerEntry| other.cause == entry.cause && other.kind != EntryKind::Restate;
            ledger.entries.iter().find(same).and_then(|amending| amending.trade_date)
        }
        _ => entry.trade_date,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;

    fn entry(kind: &str, offset: i64, trade_date: &str) -> String {
        format!(
            r#"{{"kind":"{kind}","cause":{{"topic":"execution.fills.v1","partition":0,"offset":{offset},"id":"e{offset}"}},
            "instrument_id":"AAPL","strategy":null,"venue":"XNAS","trade_date":{trade_date},"effective_at":"2026-01-07T14:30:00Z",
            "transact_time":null,"quantity_change":"-2.5","price":"10.25","fx_rate":"1","cash":[{{"currency":"USD","amount":"25.625"}}],
            "realized_gross":"1","fees":[{{"currency":"USD","amount":"-0.5"}}],"income":"0","external_flow":"0","equity_before":null}}"#
        )
    }

    #[test]
    fn a_restatement_belongs_to_the_day_of_what_restates_it() {
        let entries = [
            entry("TRADE", 1, r#""2026-01-07""#),
            entry("CANCEL", 2, r#""2026-01-05""#),
            entry("RESTATE", 2, "null"),
            entry("CASH_DIVIDEND", 3, r#""2026-01-02""#),
        ];
        let json = format!(r#"{{"portfolio_id":"p1","version":4,"entries":[{}],"positions":[],"cash":[]}}"#, entries.join(","));
        let rows = rows(&serde_json::from_str(&json).unwrap(), Origin { partition: 0, offset: 9, at: Micros(7) }).unwrap();
        let days: Vec<_> = rows.iter().map(|row| row.dated.as_deref()).collect();
        assert_eq!(days, [Some("2026-01-07"), Some("2026-01-05"), Some("2026-01-05"), None]);
        let places: Vec<_> = rows.iter().map(|row| (row.version, row.place, row.recorded_at)).collect();
        assert_eq!(places, [(4, 0, Micros(7)), (4, 1, Micros(7)), (4, 2, Micros(7)), (4, 3, Micros(7))]);
        assert_eq!((rows[0].quantity_change.to_string().as_str(), &rows[0].cash["USD"]), ("-2.5", &serde_json::Value::from("25.625")));
        assert_eq!(rows[0].fees["USD"], "-0.5");
    }
}
