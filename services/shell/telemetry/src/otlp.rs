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
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(failed("it must begin with http:// or https://".to_owned()));
        }
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
