//! Whose a session is, on a real Postgres: the portfolio's that had it first, however the policies come in batches.

use crate::scratch::{Scratch, apply, portfolio};
use postgres_store::projections::{PortfolioRow, ProjectionBatch};

#[tokio::test]
async fn a_session_belongs_to_the_first_and_blocks_nobody() {
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    let claim = |id: &str, offset| PortfolioRow { session_id: Some("shared".to_owned()), ..portfolio(id, offset) };
    let first = ProjectionBatch { portfolios: vec![claim("p1", 1), claim("p2", 2)], ..ProjectionBatch::default() };
    apply(&store, first).await;
    apply(&store, ProjectionBatch { portfolios: vec![claim("p3", 3)], ..ProjectionBatch::default() }).await;
    let rows = "SELECT string_agg(concat_ws(' ', portfolio_id, session_id, 'not', session_conflict), ', '
                ORDER BY portfolio_id) FROM portfolios";
    assert_eq!(scratch.text(rows).await, "p1 shared not, p2 not shared, p3 not shared");
}

#[tokio::test]
async fn whose_a_session_is_hangs_on_no_batch() {
    let claim = |id: &str, session: Option<&str>, offset| PortfolioRow { session_id: session.map(str::to_owned), ..portfolio(id, offset) };
    let rows = "SELECT string_agg(concat_ws(' ', portfolio_id, session_id, 'not', session_conflict), ', '
                ORDER BY portfolio_id) FROM portfolios";
    // The holder's newer policy comes with another's claim; a claim of before is told anew; what is let go is free.
    let stories = [
        (vec![claim("a", Some("one"), 1), claim("b", Some("one"), 2), claim("a", Some("one"), 3)], "a one not, b not one"),
        (vec![claim("a", Some("one"), 1), claim("a", None, 2), claim("b", Some("one"), 3)], "a not, b one not"),
        (
            vec![
                claim("a", Some("one"), 1),
                claim("b", Some("two"), 2),
                claim("a", None, 3),
                claim("b", Some("one"), 4),
                claim("a", Some("two"), 5),
            ],
            "a two not, b one not",
        ),
        (
            vec![claim("a", Some("one"), 1), claim("a", Some("two"), 2), claim("b", Some("one"), 3), claim("a", Some("one"), 4)],
            "a not one, b one not",
        ),
    ];
    let scratch = Scratch::new().await;
    let store = scratch.migrated().await;
    for (story, told) in stories {
        for cut in 0..=story.len() {
            for each in [false, true] {
                scratch.run("DELETE FROM portfolios").await;
                let (first, rest) = story.split_at(cut);
                let batches = if each { rest.chunks(1).collect() } else { vec![rest] };
                for batch in [first].into_iter().chain(batches).filter(|batch| !batch.is_empty()) {
                    apply(&store, ProjectionBatch { portfolios: batch.to_vec(), ..ProjectionBatch::default() }).await;
                }
                assert_eq!(scratch.text(rows).await, told, "cut at {cut}, one by one: {each}");
            }
        }
    }
}
