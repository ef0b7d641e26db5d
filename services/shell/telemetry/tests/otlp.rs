//! Spans and metrics, seen by a real OTLP/gRPC receiver.

// A test may fail where it stands.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{MetricsService, MetricsServiceServer};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};
use telemetry::{Identity, Settings, StepFacts, Telemetry, Traceparent, names, step_span};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

#[derive(Clone, Default)]
struct Collector {
    traces: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    metrics: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.traces.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(&self, request: Request<ExportMetricsServiceRequest>) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.metrics.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

async fn receive() -> (Collector, String) {
    let collector = Collector::default();
    let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let endpoint = format!("http://{}", incoming.local_addr().unwrap());
    let server = Server::builder()
        .add_service(TraceServiceServer::new(collector.clone()))
        .add_service(MetricsServiceServer::new(collector.clone()))
        .serve_with_incoming(incoming);
    tokio::spawn(server);
    (collector, endpoint)
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|kv| kv.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

// One test: logging is started once a process.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_receiver_sees_the_spans_and_the_metrics() {
    let (collector, endpoint) = receive().await;
    let settings = Settings { otlp_endpoint: Some(endpoint), otlp_interval_ms: 60_000, ..Settings::default() };
    let identity = Identity { role: "rebalancer".to_owned(), instance: "one".to_owned(), deployment: "demo".to_owned() };
    let telemetry = Telemetry::start(&settings, &identity).await.unwrap();
    assert_ne!(telemetry.http_address().unwrap().port(), 0);

    let sampled = Traceparent::new([7; 16], [8; 8], true).unwrap();
    let unsampled = Traceparent::new([9; 16], [8; 8], false).unwrap();
    let facts = StepFacts { role: "rebalancer", lane: 2, step: 41, windows: 3, records: 1000, replay: false };
    {
        let span = step_span(facts, &[sampled, unsampled]);
        span.record("outputs", 5);
        let _entered = span.enter();
        tracing::debug!("too small to be exported");
    }
    let lane = telemetry.metrics().lane("rebalancer", 2);
    lane.steps.add(7);
    lane.waiting_records().set_count(11);
    lane.commit_latency.observe(Duration::from_millis(5));
    lane.commit_latency.observe(Duration::from_millis(50));
    // Nothing is due yet: what arrives was flushed.
    telemetry.shutdown().await;

    assert_spans(&collector);
    assert_metrics(&collector);
}

fn assert_spans(collector: &Collector) {
    let traces = collector.traces.lock().unwrap();
    let resources: Vec<_> = traces.iter().flat_map(|t| &t.resource_spans).collect();
    let attributes = &resources[0].resource.as_ref().unwrap().attributes;
    assert_eq!(text(attributes, "service.name"), Some("ballast"));
    assert_eq!(text(attributes, "role"), Some("rebalancer"));
    assert_eq!(text(attributes, "instance"), Some("one"));
    assert_eq!(text(attributes, "deployment"), Some("demo"));
    let spans: Vec<_> = resources.iter().flat_map(|r| &r.scope_spans).flat_map(|s| &s.spans).collect();
    let [step] = spans.as_slice() else {
        panic!("one span a step, not {}", spans.len());
    };
    assert_eq!(step.name, "step");
    assert_eq!(text(&step.attributes, "role"), Some("rebalancer"));
    let number = |key: &str| {
        let kv = step.attributes.iter().find(|kv| kv.key == key).unwrap();
        kv.value.clone().unwrap().value.unwrap()
    };
    assert_eq!(number("step"), Value::IntValue(41));
    assert_eq!(number("outputs"), Value::IntValue(5));
    let [link] = step.links.as_slice() else {
        panic!("the sampled input alone is linked: {:?}", step.links);
    };
    assert_eq!(link.trace_id, [7; 16]);
    assert_eq!(link.span_id, [8; 8]);
}

fn assert_metrics(collector: &Collector) {
    let exports = collector.metrics.lock().unwrap();
    let metrics: Vec<&Metric> =
        exports.iter().flat_map(|e| &e.resource_metrics).flat_map(|r| &r.scope_metrics).flat_map(|s| &s.metrics).collect();
    let find = |name: &str| {
        let metric = metrics.iter().find(|m| m.name == name);
        metric.unwrap_or_else(|| panic!("{name} did not arrive"))
    };
    for metric in &metrics {
        let defined = names::ALL.iter().find(|d| d.name == metric.name);
        let defined = defined.unwrap_or_else(|| panic!("{} is not defined", metric.name));
        assert_eq!(metric.unit, defined.unit);
        assert_eq!(metric.description, defined.help);
    }
    let Some(Data::Sum(sum)) = &find(names::STEPS.name).data else {
        panic!("steps are a sum");
    };
    assert!(sum.is_monotonic);
    assert_point(&sum.data_points, &Number::AsInt(7));
    let Some(Data::Gauge(gauge)) = &find(names::WAITING_RECORDS.name).data else {
        panic!("waiting records are a gauge");
    };
    assert_point(&gauge.data_points, &Number::AsDouble(11.0));
    let Some(Data::Histogram(histogram)) = &find(names::COMMIT_LATENCY.name).data else {
        panic!("commit latency is a histogram");
    };
    assert_eq!(histogram.data_points[0].count, 2);
    assert_eq!(histogram.data_points[0].explicit_bounds.len(), 17);
    find(names::MEMORY_RSS.name);
}

fn assert_point(points: &[NumberDataPoint], value: &Number) {
    let [point] = points else {
        panic!("one point, not {}", points.len());
    };
    assert_eq!(text(&point.attributes, "role"), Some("rebalancer"));
    assert_eq!(text(&point.attributes, "lane"), Some("2"));
    assert_eq!(point.value.as_ref(), Some(value));
}
