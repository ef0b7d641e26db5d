//! The same cells, observed by OpenTelemetry.
//!
//! Promises: counters and gauges are read from the very atomics that `/metrics` shows, when an export
//! is due; a series that was forgotten is not exported again. (Durations have no observable form:
//! a timer hands each to its twin.)

use std::sync::Arc;

use opentelemetry::metrics::Meter;

use super::cell::Reading;
use super::family::{Source, labels};
use crate::names::Kind;

/// Registers every counter and gauge with the meter.
pub(super) fn observe(meter: &Meter, sources: &[Arc<dyn Source>]) {
    for source in sources {
        match source.definition().kind {
            Kind::Counter if source.definition().unit == "s" => observe_total(meter, Arc::clone(source)),
            Kind::Counter => observe_counter(meter, Arc::clone(source)),
            Kind::Gauge => observe_gauge(meter, Arc::clone(source)),
            Kind::Histogram(_) => {}
        }
    }
}

fn observe_counter(meter: &Meter, source: Arc<dyn Source>) {
    let definition = source.definition();
    meter
        .u64_observable_counter(definition.name)
        .with_description(definition.help)
        .with_unit(definition.unit)
        .with_callback(move |observer| {
            for (values, reading) in source.readings() {
                if let Reading::Count(n) = reading {
                    observer.observe(n, &labels(definition, &values));
                }
            }
        })
        .build();
}

/// What counts seconds is not whole.
fn observe_total(meter: &Meter, source: Arc<dyn Source>) {
    let definition = source.definition();
    meter
        .f64_observable_counter(definition.name)
        .with_description(definition.help)
        .with_unit(definition.unit)
        .with_callback(move |observer| {
            for (values, reading) in source.readings() {
                if let Reading::Total(total) = reading {
                    observer.observe(total, &labels(definition, &values));
                }
            }
        })
        .build();
}

fn observe_gauge(meter: &Meter, source: Arc<dyn Source>) {
    let definition = source.definition();
    meter
        .f64_observable_gauge(definition.name)
        .with_description(definition.help)
        .with_unit(definition.unit)
        .with_callback(move |observer| {
            for (values, reading) in source.readings() {
                if let Reading::Level(level) = reading {
                    observer.observe(level, &labels(definition, &values));
                }
            }
        })
        .build();
}
