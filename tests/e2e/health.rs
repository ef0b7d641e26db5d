//! What each role tells of itself: `/readyz`, `/livez` and `/metrics`; what becomes of records that nobody
//! can take; and the trace of an input, followed to the order that it led to.

use crate::e2e::crew::{SETTINGS, hire};
use domain::Topic;
use kafka_log::{Message, Pace, Producer, Reader, TopicName};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;
use system_tests::feed::Feed;
use system_tests::load::Load;
use system_tests::service::Service;
use system_tests::stack::Stack;
use system_tests::topic::kafka;
use system_tests::waiting::until;

const LONG: Duration = Duration::from_secs(60);
const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Status and body of a page of a process's endpoint.
pub fn get(service: &Service, path: &str) -> (u16, String) {
    let said = until("the endpoint is named", LONG, || service.lines_saying("health at /livez").pop());
    let mut stream = TcpStream::connect(said["address"].as_str().expect("an address")).expect("the endpoint listens");
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    (head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status"), body.to_owned())
}

fn assert_well(service: &Service) {
    let name = service.name();
    until(&format!("{name} is ready"), LONG, || (get(service, "/readyz").0 == 200).then_some(()));
    let (status, body) = get(service, "/livez");
    assert_eq!(status, 200, "{name}: {body}");
}

/// The value of a metric's line.
fn metric(service: &Service, line: &str) -> Option<f64> {
    let (_, body) = get(service, "/metrics");
    body.lines().find_map(|shown| shown.strip_prefix(line)?.trim().parse().ok())
}

/// The sum over all lanes of a metric of the position-keeper.
fn sum(service: &Service, name: &str) -> f64 {
    let (_, body) = get(service, "/metrics");
    body.lines().filter(|line| line.starts_with(&format!("{name}{{"))).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

/// Key, value and one header of every record of a topic.
type Told = (Option<Vec<u8>>, Option<Vec<u8>>, Option<String>);

fn told(stack: &Stack, topic: &str, header: &str) -> Vec<Told> {
    let mut reader = Reader::open(&kafka(stack), Pace::Recovery, "told").expect("settings");
    let mut told = Vec::new();
    for partition in 0..4 {
        let visit = |record: &kafka_log::Record<'_>| {
            let header = record.header(header).map(|value| String::from_utf8_lossy(value).into_owned());
            told.push((record.key().map(<[u8]>::to_vec), record.value().map(<[u8]>::to_vec), header));
        };
        reader.read_to_end(&TopicName::from(topic), partition, 0, LONG, visit).expect("a readable topic");
    }
    told
}

fn encoded(input: &domain::Input) -> (Vec<u8>, Vec<u8>) {
    let mut value = Vec::new();
    avro_codec::encode_input(input, &mut value).expect("a test's record can be encoded");
    (avro_codec::input_key(input).expect("a key").as_bytes().to_vec(), value)
}

#[test]
fn health_of_every_role_a_standby_included() {
    let stack = Stack::ready("health-roles");
    let crew = hire(&stack);
    crew.iter().for_each(assert_well);
    let standbys: Vec<_> = ["conflator", "projector", "rebalancer"].map(|role| Service::start(&stack, &[role], "2", SETTINGS)).into();
    standbys.iter().for_each(assert_well);

    let (mut load, mut feed) = (Load::new(51, 0, 1), Feed::open(&stack));
    feed.send_all(&load.opening());
    feed.flush();
    until("frames are counted", LONG, || metric(&crew[0], "ballast_frames_total{role=\"conflator\"} ").filter(|frames| *frames > 0.0));
    // The first frame may hold instruments alone.
    until("ticks are counted", LONG, || (sum(&crew[0], "ballast_ticks_conflated_total") >= 6.0).then_some(()));
    let overtaken: Vec<_> = crew.iter().chain(&standbys).flat_map(|service| service.lines_saying("begins again")).collect();
    assert!(overtaken.is_empty(), "one of two makes frames: {overtaken:?}");
}

#[test]
fn health_shows_what_nobody_can_take() {
    let stack = Stack::ready("health-letters");
    let crew = hire(&stack);
    let (mut load, mut feed) = (Load::new(52, 0, 2), Feed::open(&stack));
    feed.send_all(&load.opening());
    feed.flush();

    let lane = |key: &[u8]| engine::partition::lane_of(key, 4);
    let fills = TopicName::from(Topic::Fills.name());
    let portfolio = load.automatic()[0].clone().into_bytes();
    let unreadable = b"this is no record at all".to_vec();
    let mut unknown = vec![0xC3, 0x01];
    unknown.extend_from_slice(&[0xAB; 8]);
    unknown.extend_from_slice(b"written by a schema that nobody knows");
    let (astray_key, astray) = encoded(&load.push());
    let producer = Producer::open(&kafka(&stack), "bad").expect("settings");
    let send = |key: &[u8], partition: i32, value: &[u8]| {
        producer.send(Message::to(fills.clone(), partition, value.to_vec()).key(key.to_vec())).expect("room in the queue");
    };
    send(&portfolio, lane(&portfolio), &unreadable);
    send(&portfolio, lane(&portfolio), &unknown);
    send(&astray_key, (lane(&astray_key) + 1) % 4, &astray);
    producer.flush(LONG).expect("a broker");

    let mut wanted: Vec<Told> = vec![
        (Some(portfolio.clone()), Some(unreadable), Some("UNDECODABLE".to_owned())),
        (Some(portfolio), Some(unknown), Some("UNKNOWN_SCHEMA".to_owned())),
        (Some(astray_key), Some(astray), Some("WRONG_LANE".to_owned())),
    ];
    wanted.sort();
    let mut letters = until("three dead letters", LONG, || {
        Some(told(&stack, Topic::Fills.dead_letters(), "dlq_code")).filter(|letters| letters.len() >= 3)
    });
    letters.sort();
    assert_eq!(letters, wanted, "byte for byte, each with its code");
    for code in ["UNDECODABLE", "UNKNOWN_SCHEMA", "WRONG_LANE"] {
        let line = format!("ballast_dead_letters_total{{role=\"position-keeper\",code=\"{code}\"}} ");
        assert_eq!(metric(&crew[1], &line), Some(1.0), "{code}");
    }
    until("the portfolio of the bad fills is shown as quarantined", LONG, || {
        (sum(&crew[1], "ballast_quarantined_portfolios") >= 1.0).then_some(())
    });
    assert_eq!(sum(&crew[1], "ballast_quarantined_portfolios"), 1.0);
    crew.iter().for_each(assert_well);
}

#[test]
fn health_of_a_trace_from_input_to_order() {
    let stack = Stack::ready("health-trace");
    let _crew = hire(&stack);
    let (mut load, mut feed) = (Load::new(53, 0, 1), Feed::open(&stack));
    feed.send_all(&load.opening());
    feed.flush();
    let orders = || told(&stack, Topic::Orders.name(), "traceparent");
    until("the opening's orders", LONG, || Some(orders()).filter(|orders| !orders.is_empty()));
    // Pushed until it leaves its bands: cooldowns and open rebalances may hold the first ones.
    let producer = Producer::open(&kafka(&stack), "traced").expect("settings");
    until("an order with the trace of what led to it", LONG, || {
        let (key, value) = encoded(&load.push());
        let fill = Message::by_key(TopicName::from(Topic::Fills.name()), key, value).header("traceparent", TRACE.as_bytes().to_vec());
        producer.send(fill).expect("room in the queue");
        feed.send_all(&load.ticks());
        std::thread::sleep(Duration::from_secs(1));
        let trace = &TRACE[3..35];
        orders().iter().any(|(.., header)| header.as_deref().is_some_and(|header| header.contains(trace))).then_some(())
    });
}
