//! The HTTP endpoint: `/metrics`, `/livez`, `/readyz`.
//!
//! Promises: bound when `start` returns, so that its address can be printed; answers 200 or 503, in
//! plain text that says why. Does not authenticate: bind it where only operators reach it.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{Health, Metrics, TelemetryError};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The running endpoint; stops when dropped.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Shown {
    metrics: Metrics,
    health: Health,
}

impl Endpoint {
    /// Listens.
    ///
    /// # Errors
    /// [`TelemetryError::Bind`] when the address cannot be had.
    pub async fn start(bind: SocketAddr, metrics: Metrics, health: Health) -> Result<Self, TelemetryError> {
        let failed = |source| TelemetryError::Bind { address: bind, source };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let app = Router::new()
            .route("/metrics", get(show_metrics))
            .route("/livez", get(show_liveness))
            .route("/readyz", get(show_readiness))
            .with_state(Shown { metrics, health });
        let task = tokio::spawn(async move {
            let until = async {
                // A dropped sender stops it as well.
                let _ = stopped.await;
            };
            if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(until).await {
                tracing::error!(%error, "the health and metrics endpoint stopped");
            }
        });
        Ok(Endpoint { address, stop: Some(stop), task })
    }

    /// Where it listens; with the port that was chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops; a scraper that keeps its connection open is not waited for.
    pub fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // The task may have ended already.
            let _ = stop.send(());
        }
        self.task.abort();
    }
}

async fn show_metrics(State(shown): State<Shown>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, OPEN_METRICS)], shown.metrics.text())
}

async fn show_liveness(State(shown): State<Shown>) -> impl IntoResponse {
    answer(shown.health.liveness())
}

async fn show_readiness(State(shown): State<Shown>) -> impl IntoResponse {
    answer(shown.health.readiness())
}

fn answer((well, text): (bool, String)) -> (StatusCode, String) {
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, text)
}
