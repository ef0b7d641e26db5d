//! Metrics as OpenMetrics text, which Prometheus reads.
//!
//! Promises: well-formed whatever the labels hold (the library escapes). Does not serve it.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text::encode};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::cell::Reading;
use super::family::Source;
use crate::names::Kind;

#[derive(Debug)]
struct Shown(Vec<Arc<dyn Source>>);

/// Everything, as text.
pub(super) fn text(sources: Vec<Arc<dyn Source>>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Shown(sources)));
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a string cannot fail");
    text
}

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        for source in &self.0 {
            let definition = source.definition();
            let readings = source.readings();
            if readings.is_empty() {
                continue;
            }
            let mut metric = encoder.encode_descriptor(definition.name, definition.help, None, kind(definition.kind))?;
            for (values, reading) in readings {
                let labels: Vec<(&str, String)> = definition.labels.iter().copied().zip(values).collect();
                if labels.is_empty() {
                    one(&mut metric, &reading)?;
                } else {
                    one(&mut metric.encode_family(&labels)?, &reading)?;
                }
            }
        }
        Ok(())
    }
}

fn kind(kind: Kind) -> MetricType {
    match kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram(_) => MetricType::Histogram,
    }
}

fn one(metric: &mut MetricEncoder<'_>, reading: &Reading) -> std::fmt::Result {
    match reading {
        Reading::Count(n) => metric.encode_counter::<NoLabelSet, _, u64>(n, None),
        Reading::Total(total) => metric.encode_counter::<NoLabelSet, _, f64>(total, None),
        Reading::Level(level) => metric.encode_gauge(level),
        Reading::Spread { sum, count, buckets } => metric.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None),
    }
}
