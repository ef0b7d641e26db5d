//! What can go wrong when telemetry starts; afterwards it never fails its caller.

use std::net::SocketAddr;

/// Errors of starting telemetry. All are the operator's to mend; none is worth a retry.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The log filter is no filter.
    #[error("`log_filter` \"{filter}\" cannot be read ({reason}); write for example \"info,engine=debug\"")]
    LogFilter {
        /// As it was given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More portfolios than may have metrics of their own.
    #[error(
        "`portfolios` lists {listed} portfolios and may list {most}: each makes series of its own; list those that alerts name, the others are told together and by SQL",
        most = crate::settings::MOST_PORTFOLIOS
    )]
    Portfolios {
        /// How many are listed.
        listed: usize,
    },
    /// Logging was started twice in one process: our bug.
    #[error("logging has been started in this process already; start it once, in main")]
    StartedTwice,
    /// The OTLP exporter cannot be made.
    #[error("`otlp_endpoint` \"{endpoint}\" cannot be used ({reason}); write for example \"http://collector:4317\"")]
    Otlp {
        /// As it was given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The port of the HTTP endpoint cannot be had.
    #[error("cannot listen on `http_bind` {address} ({source}); free the port, or choose another (port 0 takes any)")]
    Bind {
        /// As it was given.
        address: SocketAddr,
        /// The system's word.
        source: std::io::Error,
    },
}
