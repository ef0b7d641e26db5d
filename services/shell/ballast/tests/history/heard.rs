//! What a cluster has said so far: the newest snapshot and the least cash of each portfolio, ledger entries by kind,
//! orders with their explanations. And the whole log, for the offline checker.

use super::exact::{Exact, exact};
use avro_codec::{SchemaStore, decode_output};
use ballast::lines::input_of;
use ballast::memory::cluster::{Cluster, ClusterSettings};
use ballast::verify::{Given, Report, SeenRecord, verify};
use domain::enums::{EntryKind, OrderState, RebalanceStatus, WaveKind};
use domain::ledger::Ledger;
use domain::rebalance_event::RebalanceEvent;
use domain::snapshot::Snapshot;
use domain::{Date, Output, Timestamp, Topic};
use engine::{RecordRef, Settings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A cluster of one lane, and what was heard of it.
pub struct World {
    cluster: Cluster,
    schemas: SchemaStore,
    pub snapshots: BTreeMap<String, Snapshot>,
    pub ledgers: BTreeMap<String, Vec<Ledger>>,
    pub events: Vec<RebalanceEvent>,
    pub orders: BTreeMap<String, (domain::order::Order, OrderState)>,
    pub troubles: Vec<String>,
}

impl World {
    pub fn new() -> Self {
        let core = Settings { snapshot_interval_ms: 0, ..Settings::default() };
        let settings = ClusterSettings { lanes: 1, market_partitions: 1, core, checkpoint_ms: 1_000_000, ..ClusterSettings::default() };
        Self {
            cluster: Cluster::new(settings),
            schemas: SchemaStore::compiled(),
            snapshots: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            events: Vec::new(),
            orders: BTreeMap::new(),
            troubles: Vec::new(),
        }
    }

    /// Publishes records of one moment.
    pub fn tell(&mut self, at: Timestamp, records: &[(Topic, Value)]) {
        self.cluster.set_clock(at);
        for (topic, value) in records {
            let input = input_of(*topic, None, Some(&value.to_string())).unwrap_or_else(|why| panic!("{topic}: {why:?}: {value}"));
            self.cluster.publish(&input, at).unwrap();
        }
    }

    /// Lets all be digested, and listens. The events and the ledger records that are new come back.
    pub fn digest(&mut self) -> (Vec<RebalanceEvent>, Vec<Ledger>) {
        self.cluster.run_until_quiet().unwrap();
        let (mut events, mut ledgers) = (Vec::new(), Vec::new());
        for (name, _, record) in self.cluster.news() {
            if name.ends_with(".dlq") {
                let header = |name| String::from_utf8_lossy(record.header(name).unwrap_or_default()).into_owned();
                self.troubles.push(format!("a dead letter in {name}: {} {}", header("dlq_code"), header("dlq_text")));
                continue;
            }
            let Some(topic) = Topic::from_name(&name) else { continue };
            if !matches!(topic, Topic::Ledger | Topic::Snapshots | Topic::Orders | Topic::RebalanceEvents | Topic::OrderStatus) {
                continue;
            }
            match decode_output(&self.schemas, topic, record.value.as_deref().unwrap_or_default()).unwrap() {
                Output::Ledger(ledger) => ledgers.push(*ledger),
                Output::Snapshot(snapshot) => _ = self.snapshots.insert(snapshot.portfolio_id.to_string(), *snapshot),
                Output::RebalanceEvent(event) => events.push(*event),
                Output::OrderWave(wave) if wave.kind == WaveKind::New => {
                    let orders = wave.orders.into_iter().map(|order| (order.order_id.to_string(), (order, OrderState::Unknown)));
                    self.orders.extend(orders);
                }
                Output::OrderStatus(status) => {
                    if let Some(placed) = self.orders.get_mut(&status.order_id.to_string()) {
                        placed.1 = status.status;
                    }
                }
                _ => {}
            }
        }
        for event in &events {
            use RebalanceStatus::{Expired, Failed, Refused, Stuck};
            if matches!(event.status, Failed | Expired | Refused | Stuck) {
                self.troubles.push(format!("{} of {} at {}: {:?}", event.status, event.portfolio_id, event.as_of, event.text));
            }
        }
        self.events.extend(events.iter().cloned());
        for ledger in &ledgers {
            self.ledgers.entry(ledger.portfolio_id.to_string()).or_default().push(ledger.clone());
        }
        (events, ledgers)
    }

    pub fn snapshot(&self, portfolio: &str) -> &Snapshot {
        &self.snapshots[portfolio]
    }
    /// Ledger entries of a portfolio, counted by kind.
    pub fn counted(&self, portfolio: &str) -> BTreeMap<EntryKind, usize> {
        let mut counts = BTreeMap::new();
        for entry in self.ledgers[portfolio].iter().flat_map(|ledger| &ledger.entries) {
            *counts.entry(entry.kind).or_default() += 1;
        }
        counts
    }

    /// What the offline checker says of the whole log.
    pub fn judged(&self) -> Report {
        let log = self.cluster.log();
        let mut records = Vec::new();
        for (topic, partition) in log.places() {
            records.extend(log.read(&topic, partition, 0).into_iter().map(|record| (topic.to_string(), partition, record)));
        }
        let seen = records.iter().map(|(topic, partition, record)| SeenRecord::of(topic, *partition, record.clone()));
        verify(seen, &Given::default())
    }
}

/// A published number.
pub fn told(number: impl ToString) -> Exact {
    exact(&number.to_string())
}

/// A moment of a day.
pub fn moment(date: Date, hour: i64) -> Timestamp {
    date.start_utc().plus_seconds(hour * 3600)
}

/// The rows of a table of the tests' data, without its header.
pub fn table(name: &str) -> Vec<Vec<String>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/data").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}
