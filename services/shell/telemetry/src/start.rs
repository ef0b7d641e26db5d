//! Starting and ending telemetry, once a process.
//!
//! Promises: when `start` returns, logs flow, the endpoint listens and exporters run; `shutdown`
//! flushes them. Does not handle signals.

use std::time::Duration;

use tracing::Metadata;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::logs::{self, BoxedLayer};
use crate::otlp::Otlp;
use crate::{Endpoint, Health, Identity, Metrics, Settings, TelemetryError};

/// Telemetry that runs. Keep it until the end of main, then [`Telemetry::shutdown`].
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    health: Health,
    endpoint: Option<Endpoint>,
    otlp: Option<Otlp>,
    flush_within: Duration,
}

impl Telemetry {
    /// Starts logs, exporters and the endpoint. Call it once, inside a tokio runtime.
    ///
    /// # Errors
    /// [`TelemetryError`] says which setting to change.
    pub async fn start(settings: &Settings, identity: &Identity) -> Result<Self, TelemetryError> {
        let otlp = settings.otlp_endpoint.as_deref().map(|endpoint| Otlp::start(endpoint, settings, identity)).transpose()?;
        let mut layers: Vec<BoxedLayer> = vec![logs::layer(settings)?];
        layers.extend(otlp.as_ref().map(span_layer));
        tracing_subscriber::registry().with(layers).try_init().map_err(|_| TelemetryError::StartedTwice)?;
        let metrics = Metrics::with_meter(otlp.as_ref().map(Otlp::meter).as_ref());
        let health = Health::new();
        let endpoint = match settings.http_bind {
            Some(bind) => Some(Endpoint::start(bind, metrics.clone(), health.clone()).await?),
            None => None,
        };
        if let Some(endpoint) = &endpoint {
            let address = endpoint.address();
            tracing::info!(%address, "health at /livez and /readyz, metrics at /metrics");
        }
        Ok(Telemetry { metrics, health, endpoint, otlp, flush_within: Duration::from_millis(settings.otlp_timeout_ms) })
    }

    /// The metrics of this process.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// The health of this process.
    #[must_use]
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Where `/metrics`, `/livez` and `/readyz` are served.
    #[must_use]
    pub fn http_address(&self) -> Option<std::net::SocketAddr> {
        self.endpoint.as_ref().map(Endpoint::address)
    }

    /// Flushes spans and metrics, and stops the endpoint. Bounded by the export time-out.
    pub async fn shutdown(self) {
        if let Some(otlp) = self.otlp {
            let within = self.flush_within;
            // The exporters need the runtime's threads while this one waits.
            let flushing = tokio::task::spawn_blocking(move || otlp.shutdown(within));
            if tokio::time::timeout(within.saturating_mul(2), flushing).await.is_err() {
                tracing::warn!("the collector did not take the last spans and metrics in time");
            }
        }
        drop(self.endpoint);
    }
}

fn span_layer(otlp: &Otlp) -> BoxedLayer {
    tracing_opentelemetry::layer()
        .with_tracer(otlp.tracer())
        .with_location(false)
        .with_threads(false)
        .with_filter(filter_fn(is_exported))
        .boxed()
}

/// Our own spans and what went wrong inside them; never what the exporter says of itself.
fn is_exported(metadata: &Metadata<'_>) -> bool {
    let level = if metadata.is_span() { tracing::Level::INFO } else { tracing::Level::WARN };
    let exporter = ["opentelemetry", "h2", "hyper", "tonic", "tower"].iter().any(|own| metadata.target().starts_with(own));
    *metadata.level() <= level && !exporter
}
