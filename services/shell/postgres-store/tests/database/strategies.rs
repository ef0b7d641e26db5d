//! Rows of strategies: those of a portfolio are those of its newest snapshot, in its order, and a portfolio without any has
//! none.

use crate::scratch::{self, Scratch};
use postgres_store::Store;
use postgres_store::projections::{AllocationSet, ProjectionBatch, StrategyLine};

fn line(strategy: Option<&str>, quantity: i64, residual: bool) -> StrategyLine {
    StrategyLine {
        instrument_id: Some("AAPL".to_owned()),
        strategy: strategy.map(str::to_owned),
        residual,
        quantity: quantity.into(),
        ..StrategyLine::default()
    }
}

fn set(portfolio: &str, snapshot_version: i64, strategies: Vec<StrategyLine>) -> AllocationSet {
    AllocationSet { portfolio_id: portfolio.to_owned(), snapshot_version, lines: Vec::new(), strategies }
}

async fn apply(store: &Store, allocations: Vec<AllocationSet>) {
    scratch::apply(store, ProjectionBatch { allocations, ..ProjectionBatch::default() }).await;
}

async fn told(scratch: &Scratch) -> String {
    let sql = "SELECT coalesce(string_agg(concat_ws(' ', portfolio_id, place, coalesce(strategy, '-'), quantity, residual), ', '
               ORDER BY portfolio_id, place), '') FROM portfolio_strategies";
    scratch.text(sql).await
}

#[tokio::test]
async fn the_newest_snapshot_says_what_each_strategy_holds() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let rows = || vec![line(None, 3, false), line(Some("s1"), 7, false), line(None, 1, true)];
    apply(&store, vec![set("p", 1, rows()), set("q", 4, vec![line(Some("s2"), -5, false)]), set("r", 1, Vec::new())]).await;
    assert_eq!(told(&scratch).await, "p 0 - 3 f, p 1 s1 7 f, p 2 - 1 t, q 0 s2 -5 f");
    // Of two in one batch the newer one counts, and an older one that comes late changes nothing.
    apply(&store, vec![set("p", 3, vec![line(Some("s1"), 8, false)]), set("p", 2, rows()), set("q", 3, rows())]).await;
    assert_eq!(told(&scratch).await, "p 0 s1 8 f, q 0 s2 -5 f");
    apply(&store, vec![set("p", 4, Vec::new())]).await;
    assert_eq!(told(&scratch).await, "q 0 s2 -5 f");
}
