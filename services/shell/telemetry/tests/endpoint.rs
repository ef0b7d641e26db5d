//! `/metrics`, `/livez` and `/readyz` over a real socket.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use telemetry::{Endpoint, Figure, Health, Metrics, names};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: ballast\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

async fn start(metrics: &Metrics, health: &Health) -> Endpoint {
    let any = "127.0.0.1:0".parse().unwrap();
    Endpoint::start(any, metrics.clone(), health.clone()).await.unwrap()
}

#[tokio::test]
async fn readiness_lists_every_condition() {
    let health = Health::new();
    let endpoint = start(&Metrics::new(), &health).await;
    let address = endpoint.address();
    assert_ne!(address.port(), 0);
    assert_eq!(get(address, "/readyz").await.0, 503, "nothing has started");

    let kafka = health.condition("kafka");
    let postgres = health.condition("postgres");
    kafka.set_ready();
    postgres.set_not_ready("migration 2 is missing");
    let (status, body) = get(address, "/readyz").await;
    assert_eq!(status, 503);
    assert!(body.contains("kafka: ready\n"), "{body}");
    assert!(body.contains("postgres: not ready: migration 2 is missing\n"), "{body}");

    postgres.set_ready();
    assert_eq!(get(address, "/readyz").await.0, 200);
    postgres.set_not_ready("gone");
    drop(postgres);
    assert_eq!(get(address, "/readyz").await.0, 200, "a dropped condition counts no more");
}

#[tokio::test]
async fn a_silent_heartbeat_is_not_alive() {
    let health = Health::new();
    let endpoint = start(&Metrics::new(), &health).await;
    let address = endpoint.address();
    assert_eq!(get(address, "/livez").await.0, 200);
    let heartbeat = health.heartbeat("lane 0", Duration::from_millis(200));
    assert_eq!(get(address, "/livez").await.0, 200);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (status, body) = get(address, "/livez").await;
    assert_eq!(status, 503);
    assert!(body.contains("lane 0: silent"), "{body}");
    assert!(heartbeat.is_silent());
    heartbeat.rest();
    assert!(!heartbeat.is_silent());
    assert_eq!(get(address, "/livez").await.0, 200, "nothing is expected of a heartbeat at rest");
    heartbeat.beat();
    assert_eq!(get(address, "/livez").await.0, 200);
}

#[tokio::test]
async fn metrics_are_open_metrics_text_with_every_name() {
    let metrics = Metrics::new();
    let health = Health::new();
    let endpoint = start(&metrics, &health).await;
    let address = endpoint.address();
    let lane = metrics.lane("position-keeper", 1);
    lane.steps.add(3);
    lane.commit_latency.observe(Duration::from_millis(7));
    for gauge in [
        lane.waiting_records(),
        lane.oldest_waiting(),
        lane.open_cycles(),
        lane.stuck_orders(),
        lane.strange_orders(),
        lane.latched_portfolios(),
        lane.halts(),
        lane.stale_prices(),
        lane.unfinished_days(),
        lane.quarantined_portfolios(),
        lane.breached_portfolios(),
    ] {
        gauge.set_count(1);
    }
    metrics.frames("conflator").frames.add(1);
    lane.lag_seconds("execution.fills.v1").set(0.5);
    let role = metrics.role("position-keeper");
    role.records_in("execution.fills.v1").add(5);
    role.outputs("portfolio.ledger.v1").add(2);
    role.duplicates("execution.fills.v1").add(1);
    role.dead_letters("LATE_FILL\"\n\\").add(1);
    metrics.projector_lag_records("portfolio.ledger.v1", 0).set_count(4);
    metrics.projector_lag_seconds("portfolio.ledger.v1", 0).set(1.0);
    lane.lag_records("execution.fills.v1").set_count(3);
    let state = metrics.lane_state("position-keeper", 1);
    state.halt("GENESIS");
    role.lanes().set_count(4);
    role.group_changes("assigned").add(4);
    role.post_held().set_count(1);
    write_execution(&metrics);
    write_portfolios(&metrics);
    metrics.name_build("0.1.0", 9);

    let (status, body) = get(address, "/metrics").await;
    assert_eq!(status, 200);
    assert!(body.contains("application/openmetrics-text"));
    for definition in names::ALL {
        assert!(body.contains(&format!("# TYPE {} ", definition.name)), "{}", definition.name);
        assert!(body.contains(&format!("# HELP {} ", definition.name)), "{}", definition.name);
    }
    for line in [
        "ballast_steps_total{role=\"position-keeper\",lane=\"1\"} 3",
        "ballast_commit_latency_seconds_count{role=\"position-keeper\",lane=\"1\"} 1",
        "ballast_commit_latency_seconds_bucket{le=\"0.006\",role=\"position-keeper\",lane=\"1\"} 0",
        "ballast_commit_latency_seconds_bucket{le=\"0.008\",role=\"position-keeper\",lane=\"1\"} 1",
        "ballast_commit_latency_seconds_bucket{le=\"+Inf\",role=\"position-keeper\",lane=\"1\"} 1",
        "ballast_rebalance_turnover_ratio_bucket{le=\"0.01\"} 0",
        "ballast_rebalance_turnover_ratio_bucket{le=\"0.025\"} 1",
        "ballast_rebalance_cost_ratio_sum 0.0003",
        "ballast_build_info{version=\"0.1.0\",rules=\"9\"} 1.0",
        "ballast_dead_letters_total{role=\"position-keeper\",code=\"LATE_FILL\\\"\\n\\\\\"} 1",
    ] {
        assert!(body.contains(line), "{line}\n{body}");
    }
    assert!(body.contains("process_resident_memory_bytes ") && body.contains("process_cpu_seconds_total "), "{body}");
    assert!(body.trim_end().ends_with("# EOF"));
}

fn write_execution(metrics: &Metrics) {
    let execution = metrics.execution();
    execution.orders_released("BUY").add(2);
    execution.cancels_requested().add(1);
    execution.rebalance_events("COMPLETED", "NONE").add(1);
    execution.turnover().observe(20_000);
    execution.cost().observe(300);
    execution.slippage("PLAN", "COST").observe(1_250);
    execution.orders_ended("FILLED").add(2);
    execution.fill_duration().observe(Duration::from_secs(2));
}

fn write_portfolios(metrics: &Metrics) {
    let told = metrics.portfolios();
    for gauge in
        [told.count(), told.condition("quarantined"), told.outside_breaks("cash"), told.pending_approvals(), told.oldest_approval()]
    {
        gauge.set_count(1);
    }
    Figure::ALL.into_iter().for_each(|figure| told.set_spread(figure, Some([0.0, 0.1, 0.2, 0.3, 0.4])));
    told.set_listed(&[("growth", "USD", 1.0)], &[("growth", Figure::Drift, 0.1)]);
    told.age().mark();
}

#[tokio::test]
async fn a_taken_port_says_what_to_do() {
    let endpoint = start(&Metrics::new(), &Health::new()).await;
    let again = Endpoint::start(endpoint.address(), Metrics::new(), Health::new()).await;
    let message = again.unwrap_err().to_string();
    assert!(message.contains("free the port"), "{message}");
}

#[tokio::test]
async fn more_connections_than_there_is_room_for_wait_and_who_goes_makes_room() {
    let endpoint = start(&Metrics::new(), &Health::new()).await;
    let address = endpoint.address();
    let mut silent = Vec::new();
    for _ in 0..256 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    // Connected by the system, not accepted yet.
    let waiting = tokio::spawn(get(address, "/livez"));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    silent.truncate(200);
    assert_eq!(waiting.await.unwrap().0, 200);
    drop(endpoint);
    let mut last = silent.pop().unwrap();
    assert_eq!(last.read(&mut [0]).await.unwrap_or(0), 0, "a silent connection does not outlive the endpoint");
}
