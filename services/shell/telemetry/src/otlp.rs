//! Traces and metrics over OTLP/gRPC.
//!
//! Promises: bounded queues that drop when the collector is away; shutting down flushes within the
//! export time-out. Does not exist when no endpoint is set.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Tracer};

use crate::{Identity, Settings, TelemetryError};

const SCOPE: &str = "ballast";

/// The two pipelines.
#[derive(Debug, Clone)]
pub(crate) struct Otlp {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

impl Otlp {
    /// Makes the pipelines; connects in the background. Call it inside a tokio runtime.
    pub(crate) fn start(endpoint: &str, settings: &Settings, identity: &Identity) -> Result<Self, TelemetryError> {
        let failed = |reason: String| TelemetryError::Otlp { endpoint: endpoint.to_owned(), reason };
        check(endpoint)?;
        let spans = span_exporter(endpoint, settings).map_err(failed)?;
        let metrics = metric_exporter(endpoint, settings).map_err(failed)?;
        let resource = resource(identity);
        let sampler = Sampler::TraceIdRatioBased(settings.trace_ratio);
        let reader = PeriodicReader::builder(metrics).with_interval(Duration::from_millis(settings.otlp_interval_ms.max(100))).build();
        Ok(Otlp {
            traces: SdkTracerProvider::builder()
                .with_batch_exporter(spans)
                .with_sampler(Sampler::ParentBased(Box::new(sampler)))
                .with_resource(resource.clone())
                .build(),
            metrics: SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build(),
        })
    }

    pub(crate) fn tracer(&self) -> Tracer {
        self.traces.tracer(SCOPE)
    }

    pub(crate) fn meter(&self) -> Meter {
        self.metrics.meter(SCOPE)
    }

    /// Flushes and ends; blocks, so not for a runtime's own thread.
    pub(crate) fn shutdown(&self, within: Duration) {
        if let Err(error) = self.traces.shutdown_with_timeout(within) {
            tracing::warn!(%error, "the last spans could not be exported");
        }
        if let Err(error) = self.metrics.shutdown_with_timeout(within) {
            tracing::warn!(%error, "the last metrics could not be exported");
        }
    }
}

/// Whether exporters can be made of it: `http(s)://host[:port][/path]`.
pub(crate) fn check(endpoint: &str) -> Result<(), TelemetryError> {
    // Nothing is said that would show a password, whatever else is wrong.
    let (scheme, rest) = endpoint.split_once("://").map_or(("", endpoint), |(scheme, rest)| (scheme, rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let shown = authority.rsplit_once('@').map_or_else(|| endpoint.to_owned(), |(_, host)| format!("***@{host}"));
    let failed = |reason: &str| Err(TelemetryError::Otlp { endpoint: shown.clone(), reason: reason.to_owned() });
    if authority.contains('@') {
        return failed("a user and a password are not sent to a collector: leave them out");
    }
    if !matches!(scheme, "http" | "https") {
        return failed("it must begin with http:// or https://");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() || endpoint.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return failed("it names no host");
    }
    match port.map(str::parse::<u16>) {
        Some(Err(_)) => failed("the port is no number from 0 to 65535"),
        _ => Ok(()),
    }
}

fn span_exporter(endpoint: &str, settings: &Settings) -> Result<SpanExporter, String> {
    let builder =
        SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(Duration::from_millis(settings.otlp_timeout_ms));
    let builder = match endpoint.starts_with("https://") {
        true => builder.with_tls_config(ClientTlsConfig::new().with_webpki_roots()),
        false => builder,
    };
    builder.build().map_err(|e| e.to_string())
}

fn metric_exporter(endpoint: &str, settings: &Settings) -> Result<MetricExporter, String> {
    let builder =
        MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(Duration::from_millis(settings.otlp_timeout_ms));
    let builder = match endpoint.starts_with("https://") {
        true => builder.with_tls_config(ClientTlsConfig::new().with_webpki_roots()),
        false => builder,
    };
    builder.build().map_err(|e| e.to_string())
}

fn resource(identity: &Identity) -> Resource {
    Resource::builder_empty()
        .with_service_name("ballast")
        .with_attributes([
            KeyValue::new("service.instance.id", identity.instance.clone()),
            KeyValue::new("role", identity.role.clone()),
            KeyValue::new("instance", identity.instance.clone()),
            KeyValue::new("deployment", identity.deployment.clone()),
        ])
        .build()
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn an_endpoint_is_a_url_with_a_host() {
        for good in ["http://collector:4317", "https://collector", "http://[::1]:4317/x", "http://[::1]"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["collector:4317", "http://", "http://:4317", "http://a:b", "http://a:99999", "http://a b"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
