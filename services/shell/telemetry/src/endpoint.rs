//! The HTTP endpoint: `/metrics`, `/livez`, `/readyz`.
//!
//! Promises: bound when `start` returns, so that its address can be printed; answers 200 or 503, in
//! plain text that says why; takes no more than some connections at once, none of them for ever. Does not
//! authenticate: bind it where only operators reach it.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::{Health, Metrics, TelemetryError};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Most connections at once; more wait to be accepted.
const CONNECTIONS: usize = 256;
/// For the head of a request, from its connection or from the answer before: whoever is silent for longer is cut off.
const HEAD: Duration = Duration::from_secs(10);
/// After this a connection is asked to end: scrapers and probes make a new one.
const LIFETIME: Duration = Duration::from_secs(30);
/// For what is being answered then; whoever has not read all by then is cut off.
const GRACE: Duration = Duration::from_secs(5);
/// How long nothing is accepted after a connection could not be: the process may have no descriptor left.
const PAUSE: Duration = Duration::from_millis(500);

/// The running endpoint; stops when dropped.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
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
        let app = Router::new()
            .route("/metrics", get(show_metrics))
            .route("/livez", get(show_liveness))
            .route("/readyz", get(show_readiness))
            .with_state(Shown { metrics, health });
        let task = tokio::spawn(serve(listener, app));
        Ok(Endpoint { address, task })
    }

    /// Where it listens; with the port that was chosen.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Endpoint {
    /// A scraper that keeps its connection open is not waited for.
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, app: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    // Dropped with this task, which ends them.
    let mut connections = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let app = app.clone();
                connections.spawn(async move {
                    converse(stream, app).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the health and metrics endpoint could not accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

/// One connection, to its end or to that of its time.
async fn converse(stream: TcpStream, app: Router) {
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
    let ended = match timeout(LIFETIME, connection.as_mut()).await {
        Ok(ended) => ended,
        Err(_) => {
            connection.as_mut().graceful_shutdown();
            timeout(GRACE, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the health and metrics endpoint ended early");
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
