//! What programs read of a portfolio.

use super::*;
use crate::sheet::{Format, text};
use postgres_store::Micros;
use postgres_store::queries::{AllocationView, BookView, PortfolioHead};
use serde_json::json;

fn d(number: &str) -> Option<Decimal> {
    number.parse().ok()
}

fn head() -> PortfolioHead {
    PortfolioHead {
        portfolio_id: "growth".to_owned(),
        session_id: Some("s1".to_owned()),
        name: "Growth, Inc.".to_owned(),
        description: None,
        kind: "BALANCED".to_owned(),
        target_risk: None,
        rebalance_freq: "NONE".to_owned(),
        base_currency: "USD".to_owned(),
        mode: "APPROVAL".to_owned(),
        policy_version: 3,
        policy: json!({}),
        closed: false,
        scaling_notice: None,
        created_at: Micros(0),
    }
}

fn view() -> PortfolioView {
    let book = BookView {
        version: 12,
        as_of: Micros(1_767_625_200_000_000),
        base_currency: "USD".to_owned(),
        total_value: Decimal::from(1_000),
        cash_value: Decimal::from(400),
        available_cash: Decimal::from(400),
        cash: json!({}),
        metrics: json!({}),
        risk: json!({}),
        health: json!({"stale": ["ACME"]}),
        complete: false,
        policy_version: Some(3),
    };
    let line = AllocationView {
        instrument_id: "ACME".to_owned(),
        symbol: Some("ACM".to_owned()),
        sector: Some("Industry".to_owned()),
        kind: Some("EQUITY".to_owned()),
        quantity: d("6"),
        average_price: d("90"),
        price: d("100.25"),
        price_time: Some(Micros(1_767_625_199_000_000)),
        stale: Some(true),
        value: d("601.5"),
        percentage: d("60.15"),
        target_weight: d("0.6"),
        min_weight: None,
        max_weight: None,
        drift: d("0.0015"),
        unrealized: d("61.5"),
        realized: d("0"),
        last_rebalance: None,
    };
    let figures = FigureSet {
        timeframe: "MTD".to_owned(),
        as_of: Micros(1_767_571_200_000_000),
        from_date: Some("2026-01-02".to_owned()),
        date: Some("2026-01-04".to_owned()),
        base_currency: "USD".to_owned(),
        provisional: false,
        metrics: json!([{"id": "sharpe", "value": null, "unit": "RATIO", "reason": "ZERO_VOLATILITY: the returns do not vary"},
            {"id": "volatility", "value": "0.1", "unit": "FRACTION", "reason": null}]),
    };
    PortfolioView { head: head(), book: Some(book), allocations: vec![line], past: None, performance: vec![figures], risk: Vec::new() }
}

#[test]
fn csv_has_name_freshness_and_prices_and_nothing_where_there_is_no_figure() {
    let report = PortfolioReport::of(&view(), None);
    let csv = text(&report, Format::Csv);
    let head = "part,portfolio_id,session_id,name,type,mode,policy_version,closed,as_of,known_at,prices_as_of,age_seconds,source,version,complete,wanting\n\
                portfolio,growth,s1,\"Growth, Inc.\",BALANCED,APPROVAL,3,false,,,2026-01-05T15:00:00Z,";
    assert!(csv.starts_with(head) && csv.contains(",SNAPSHOT,12,false,ACME: price too old\n"), "{csv}");
    let line = "allocations,ACM,6,601.5,60.15,0.6,0.0015,Industry,EQUITY,100.25,2026-01-05T14:59:59Z,true,ACME,61.5,0\n";
    assert!(csv.contains("sector,type,price,price_time,stale,instrument_id,unrealized,realized\n") && csv.contains(line), "{csv}");
    let undefined = "performance,MTD,sharpe,,,RATIO,2026-01-05T00:00:00Z,ZERO_VOLATILITY: the returns do not vary,2026-01-02,2026-01-04\n";
    assert!(csv.contains(undefined) && csv.contains("performance,MTD,volatility,,0.1,FRACTION,"), "{csv}");
    assert!(!csv.contains(",-,"), "{csv}");
    let table = text(&report, Format::Table);
    let undefined = |line: &str| line.contains("sharpe") && line.contains(" - RATIO");
    assert!(table.contains("100.25 stale") && table.lines().any(undefined), "{table}");
}

#[test]
fn csv_of_a_portfolio_without_a_book_says_who_it_is() {
    let csv = text(&PortfolioReport::of(&PortfolioView { book: None, allocations: Vec::new(), ..view() }, None), Format::Csv);
    assert!(csv.contains("portfolio,growth,s1,\"Growth, Inc.\",BALANCED,APPROVAL,3,false,,,,,,,,\n"), "{csv}");
}
