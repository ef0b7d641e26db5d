//! Figures of performance and risk, from their topics: a record is a row, with its figures as it says them; that of a day
//! is a narrow row too.

use super::exact::exact_if_any;
use super::{Origin, RowError, json, micros};
use domain::Fraction;
use domain::performance::{DAY, Performance};
use domain::risk::Risk;
use performance_tracker::tracker::Rule;
use postgres_store::projections::{DayReturnRow, PerformanceRow, ProjectionBatch, RiskRow};
use postgres_store::queries::ClosedTrades;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Adds what one timeframe comes to.
pub(super) fn add_performance(record: &Performance, origin: Origin, into: &mut ProjectionBatch) -> Result<(), RowError> {
    into.day_returns.extend(day_return(record, origin)?);
    into.performance.push(PerformanceRow {
        portfolio_id: record.portfolio_id.to_string(),
        timeframe: record.timeframe.to_string(),
        as_of: micros(record.as_of),
        base_currency: record.base_currency.to_string(),
        provisional: record.provisional,
        metrics: json(&record.metrics),
        attribution: json(&record.attribution),
        date: record.date.map(|date| date.to_string()),
        from_date: record.from_date.map(|date| date.to_string()),
        drawdowns: json(&record.drawdowns),
        source_offset: origin.offset,
    });
    Ok(())
}

/// What a day returned; `None` of another timeframe, and of a record that tells no return.
fn day_return(record: &Performance, origin: Origin) -> Result<Option<DayReturnRow>, RowError> {
    let find = |id: &str| record.metrics.iter().find(|metric| metric.id == id);
    let Some((own, date)) = find("time_weighted_return").zip(record.date).filter(|_| record.timeframe == DAY) else { return Ok(None) };
    let number = |id: &'static str| -> Result<Option<Decimal>, RowError> {
        exact_if_any(find(id).and_then(|metric| metric.value).map(Fraction::to_decimal), id)
    };
    Ok(Some(DayReturnRow {
        portfolio_id: record.portfolio_id.to_string(),
        date: date.to_string(),
        time_weighted_return: number("time_weighted_return")?,
        reason: own.reason.as_ref().map(ToString::to_string),
        method: Rule::named(&own.method).map(Rule::symbol).unwrap_or(&own.method).to_owned(),
        profit: number("profit")?,
        benchmark_return: number("benchmark_return")?,
        risk_free_return: number("risk_free_return")?,
        trades: closed_trades(number)?,
        total_value: number("total_value")?,
        net_external_flow: number("net_external_flow")?,
        provisional: record.provisional,
        source_offset: origin.offset,
    }))
}

/// The trades that a record tells of; `None` where it tells of none.
fn closed_trades(number: impl Fn(&'static str) -> Result<Option<Decimal>, RowError>) -> Result<Option<ClosedTrades>, RowError> {
    let count = |id: &'static str| -> Result<Option<i64>, RowError> { exact_if_any(number(id)?.map(|count| count.to_i64()), id) };
    let (trades, winning, losing) = (count("trades")?, count("winning_trades")?, count("losing_trades")?);
    let (gross_profit, gross_loss) = (number("gross_profit")?, number("gross_loss")?);
    let counts = trades.zip(winning).zip(losing);
    Ok(counts.map(|((trades, winning), losing)| ClosedTrades { trades, winning, losing, gross_profit, gross_loss }))
}

/// Adds the risk of a close.
pub(super) fn add_risk(record: &Risk, origin: Origin, into: &mut ProjectionBatch) {
    into.risk.push(RiskRow {
        portfolio_id: record.portfolio_id.to_string(),
        timeframe: record.timeframe.to_string(),
        as_of: micros(record.as_of),
        base_currency: record.base_currency.to_string(),
        provisional: record.provisional,
        metrics: json(&record.metrics),
        date: record.date.map(|date| date.to_string()),
        components: json(&record.components),
        correlations: json(&record.correlations),
        sectors: json(&record.sector_exposure),
        source_offset: origin.offset,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::performance::Metric;
    use postgres_store::Micros;
    use serde_json::Value;

    const ORIGIN: Origin = Origin { partition: 0, offset: 4, at: Micros(9) };
    const METRIC: &str = r#"{"id":"time_weighted_return","value":"0.012345678901","unit":"FRACTION","currency":null,"window":"DAY",
        "observations":1,"method":"daily","confidence":null,"horizon_days":null,"reason":null}"#;

    #[test]
    fn a_timeframe_gives_its_row_with_every_figure() {
        let json = format!(
            r#"{{"portfolio_id":"p1","as_of":"2026-01-06T00:00:00Z","timeframe":"DAY","base_currency":"USD","provisional":true,
            "metrics":[{METRIC}],"attribution":[{{"grouping":"SECTOR","buckets":[],"residual":"1.5","total":"1.5"}}],
            "date":"2026-01-05","from_date":"2026-01-05"}}"#
        );
        let mut batch = ProjectionBatch::default();
        let record: Performance = serde_json::from_str(&json).unwrap();
        add_performance(&record, ORIGIN, &mut batch).unwrap();
        let day = &batch.day_returns[0];
        assert_eq!(
            (day.date.as_str(), day.time_weighted_return, day.method.as_str()),
            ("2026-01-05", "0.012345678901".parse().ok(), "daily")
        );
        assert_eq!((day.profit, &day.reason, day.provisional, day.source_offset), (None, &None, true, 4));
        for (words, symbol) in [("time-weighted at every external flow", "TIME_WEIGHTED"), (Rule::Daily.words(), "DAILY")] {
            let mut batch = ProjectionBatch::default();
            let record: Performance =
                serde_json::from_str(&json.replace(r#""method":"daily""#, &format!(r#""method":"{words}""#))).unwrap();
            add_performance(&record, ORIGIN, &mut batch).unwrap();
            assert_eq!((batch.day_returns[0].method.as_str(), Rule::named(symbol)), (symbol, Rule::named(words)));
        }
        let (month, silent) =
            (Performance { timeframe: "MTD".into(), ..record.clone() }, Performance { metrics: Vec::new(), ..record.clone() });
        for other in [month, silent] {
            assert_eq!(day_return(&other, ORIGIN).unwrap(), None);
        }
        assert_eq!((day.risk_free_return, day.trades), (None, None));
        let figures = [
            ("risk_free_return", "0.0001"),
            ("trades", "9"),
            ("winning_trades", "5"),
            ("losing_trades", "3"),
            ("gross_profit", "12.5"),
            ("gross_loss", "-7.25"),
        ];
        let mut whole = record.clone();
        whole.metrics.extend(figures.map(|(id, value)| Metric { id: id.into(), value: value.parse().ok(), ..record.metrics[0].clone() }));
        let day = day_return(&whole, ORIGIN).unwrap().unwrap();
        let trades = ClosedTrades { trades: 9, winning: 5, losing: 3, gross_profit: "12.5".parse().ok(), gross_loss: "-7.25".parse().ok() };
        assert_eq!((day.risk_free_return, day.trades), ("0.0001".parse().ok(), Some(trades)));
        let row = &batch.performance[0];
        assert_eq!((row.timeframe.as_str(), row.date.as_deref(), row.provisional, row.source_offset), ("DAY", Some("2026-01-05"), true, 4));
        assert_eq!(row.as_of, Micros(1_767_657_600_000_000));
        assert_eq!((&row.metrics[0]["value"], &row.attribution[0]["residual"]), (&Value::from("0.012345678901"), &Value::from("1.5")));
    }

    #[test]
    fn risk_gives_its_row_with_its_components() {
        let json = format!(
            r#"{{"portfolio_id":"p1","as_of":"2026-01-06T00:00:00Z","timeframe":"500D","base_currency":"USD","provisional":false,
            "metrics":[{METRIC}],"sector_exposure":[{{"sector":"TECH","value":"10","weight":"0.1"}}]}}"#
        );
        let mut batch = ProjectionBatch::default();
        add_risk(&serde_json::from_str(&json).unwrap(), ORIGIN, &mut batch);
        let row = &batch.risk[0];
        assert_eq!((row.timeframe.as_str(), &row.sectors[0]["sector"], row.date.as_deref()), ("500D", &Value::from("TECH"), None));
    }
}
