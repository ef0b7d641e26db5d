//! How rebalances came off, by portfolio, on a real Postgres: rates of those that have ended, and sums of what is known.

use crate::scratch::Scratch;

const ROWS: &str = r#"
SELECT ensure_month('portfolio_rebalances', '2026-01-05');
INSERT INTO portfolio_rebalances
SELECT id, p, '2026-01-05 10:00+00'::timestamptz + n * interval '1 minute', 'MANUAL', '{}', '{}', status, NULL, metrics::jsonb, '[]', '[]', NULL, shadow, NULL,
       1, '2026-01-05 11:00+00'
FROM (VALUES
    (1, 'done', 'p', 'COMPLETED', false, '{"turnover": "0.1", "execution": {"ordered_value": "1000", "filled_value": "1000", "traded_value": "1010",
        "slippage": "10", "arrival_slippage": "4", "fees": "1", "cost": "11", "cost_bp": "108.9109"}}'),
    (2, 'gained', 'p', 'FAILED', false, '{"execution": {"ordered_value": "3000", "filled_value": "600", "traded_value": "590",
        "slippage": "-10", "arrival_slippage": "-1", "fees": "0.5", "cost": "-9.5", "cost_bp": "-161.0169"}}'),
    (3, 'nothing filled', 'p', 'FAILED', false, '{"execution": {"ordered_value": "1000", "filled_value": "0", "traded_value": null, "cost": null}}'),
    (4, 'of an earlier build', 'p', 'COMPLETED', false, '{"turnover": "0.1"}'),
    (5, 'rejected', 'p', 'REJECTED', false, NULL),
    (6, 'at work', 'p', 'RELEASED', false, '{"turnover": "0.2"}'),
    (7, 'checked', 'p', 'PROPOSED', false, NULL),
    (8, 'shadow', 'p', 'COMPLETED', true, '{"execution": {"ordered_value": "9", "filled_value": "9", "cost": "9"}}'),
    (9, 'of another', 'q', 'COMPLETED', false, '{"execution": {"ordered_value": "5", "filled_value": "5", "traded_value": "5", "slippage": "0",
        "arrival_slippage": "0", "fees": "0", "cost": "0"}}')) AS g (n, id, p, status, shadow, metrics);
"#;

#[tokio::test]
async fn success_and_cost_are_those_of_rebalances_that_have_ended() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    scratch.run(ROWS).await;
    let all = store.rebalance_quality("p").await.unwrap().unwrap();
    assert_eq!((all.released, all.completed, all.failed, all.untold), (3, 1, 2, 1), "shadows and what never left do not count");
    let text = |figure: Option<rust_decimal::Decimal>| figure.map(|figure| figure.normalize().to_string()).unwrap_or_default();
    assert_eq!((text(all.success_rate), text(all.fill_rate)), ("0.333333333333".into(), "0.32".into()));
    assert_eq!((text(all.traded_value), text(all.slippage), text(all.arrival_slippage)), ("1600".into(), "0".into(), "3".into()));
    assert_eq!((text(all.fees), text(all.cost), text(all.cost_bp)), ("1.5".into(), "1.5".into(), "9.375".into()));
    assert_eq!(store.rebalance_quality("nobody").await.unwrap(), None);
    let newest = store.rebalances("p", 3).await.unwrap();
    assert_eq!(newest.iter().map(|line| line.rebalance_id.as_str()).collect::<Vec<_>>(), ["at work", "rejected", "of an earlier build"]);
    assert_eq!(store.rebalances("p", 100).await.unwrap().len(), 6, "no check and no shadow is a rebalance");
}
