//! Portfolios that were closed: their row keeps what their last policy said, which a closing does not
//! carry. It is taken from the batch, else from the topic of policies, where closings are rare enough
//! to read a partition from its start. Of policies there the rising ones count, as they did in force.

use super::places::Source;
use super::rows::{Closing, Rows, portfolio_row};
use super::trouble::Trouble;
use avro_codec::SchemaStore;
use domain::policy::{Policy, validate};
use domain::{Input, PortfolioId, Topic};
use kafka_log::{KafkaSettings, Pace, Reader, TopicName};
use postgres_store::projections::PortfolioRow;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long one partition of policies may take to read.
const PATIENCE: Duration = Duration::from_secs(120);

/// Turns the closings of a batch into rows.
pub(super) fn settle(rows: &mut Rows, settings: &KafkaSettings, schemas: &SchemaStore) -> Result<(), Trouble> {
    let closings = std::mem::take(&mut rows.closings);
    let mut unknown: BTreeMap<i32, Vec<Closing>> = BTreeMap::new();
    for closing in closings {
        match last_row(&rows.batch.portfolios, &closing) {
            Some(row) => rows.batch.portfolios.push(closed(row, &closing)),
            None => unknown.entry(closing.partition).or_default().push(closing),
        }
    }
    for (partition, closings) in unknown {
        let policies = last_policies(partition, &closings, settings, schemas)?;
        for closing in closings {
            match policies.get(&closing.portfolio) {
                Some(policy) => rows.batch.portfolios.push(closed(portfolio_row(policy, closing.offset, closing.at), &closing)),
                None => tracing::warn!(
                    portfolio = %closing.portfolio,
                    "a portfolio was closed whose policy is no longer in {}: its row stays as it is", Topic::Policies
                ),
            }
        }
    }
    Ok(())
}

fn last_row(portfolios: &[PortfolioRow], closing: &Closing) -> Option<PortfolioRow> {
    let own = portfolios.iter().filter(|row| row.portfolio_id == closing.portfolio.as_str() && row.source_offset < closing.offset);
    own.max_by_key(|row| row.source_offset).cloned()
}

fn closed(row: PortfolioRow, closing: &Closing) -> PortfolioRow {
    // Its session is free again for another portfolio.
    PortfolioRow { closed: true, session_id: None, source_offset: closing.offset, at: closing.at, ..row }
}

fn last_policies(
    partition: i32,
    closings: &[Closing],
    settings: &KafkaSettings,
    schemas: &SchemaStore,
) -> Result<BTreeMap<PortfolioId, Policy>, Trouble> {
    let topic = TopicName::from(Source::Live(Topic::Policies).name());
    let mut reader = Reader::open(settings, Pace::Recovery, "projector-policies")?;
    let start = reader.bounds(&topic, partition, PATIENCE)?.start;
    let mut found = BTreeMap::new();
    reader.read_to_end(&topic, partition, start, PATIENCE, |record| {
        let wanted = |closing: &&Closing| record.key() == Some(closing.portfolio.as_str().as_bytes());
        if let Some(closing) = closings.iter().find(wanted)
            && let Ok(Input::Policy(policy)) = avro_codec::decode(schemas, Topic::Policies, record.key(), record.value())
            && policy.portfolio_id == closing.portfolio
        {
            keep_newer(&mut found, *policy);
        }
    })?;
    Ok(found)
}

fn keep_newer(found: &mut BTreeMap<PortfolioId, Policy>, policy: Policy) {
    let rises = found.get(&policy.portfolio_id).is_none_or(|known| known.policy_version < policy.policy_version);
    if rises && validate(&policy).is_empty() {
        found.insert(policy.portfolio_id.clone(), policy);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use postgres_store::Micros;

    fn policy(version: i64, extra: &str) -> Policy {
        let json = format!(r#"{{"portfolio_id":"p1","policy_version":{version},"base_currency":"USD","session_id":"s"{extra}}}"#);
        serde_json::from_str(&json).unwrap()
    }
    fn closing(offset: i64) -> Closing {
        Closing { portfolio: "p1".parse().unwrap(), partition: 0, offset, at: Micros(9) }
    }

    #[test]
    fn the_row_before_the_closing_is_kept_and_its_session_let_go() {
        let mut rows = Rows::default();
        rows.batch.portfolios = vec![portfolio_row(&policy(1, ""), 3, Micros(1)), portfolio_row(&policy(2, ""), 8, Micros(2))];
        rows.closings = vec![closing(5)];
        settle(&mut rows, &KafkaSettings::default(), &SchemaStore::compiled()).unwrap();
        let row = rows.batch.portfolios.last().unwrap();
        assert_eq!((row.closed, row.source_offset, row.policy_version, row.at), (true, 5, 1, Micros(9)));
        assert_eq!(row.session_id, None);
    }

    #[test]
    fn of_policies_the_rising_ones_that_can_be_followed_count() {
        let mut found = BTreeMap::new();
        let broken = r#","band":{"absolute":"5"}"#;
        for policy in [policy(2, ""), policy(1, ""), policy(3, broken)] {
            keep_newer(&mut found, policy);
        }
        assert_eq!(found.values().next().unwrap().policy_version, 2);
    }
}
