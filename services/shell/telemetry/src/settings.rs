//! Settings of telemetry, and who this process is.
//!
//! Promises: unknown keys are errors. Does not read the environment: the executable's configuration
//! does.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::Deserialize;

use crate::TelemetryError;

/// The most portfolios that have metrics of their own.
pub const MOST_PORTFOLIOS: usize = 50;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}

/// Settings of telemetry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How log lines look; they go to standard error.
    pub log_format: LogFormat,
    /// Level, or levels by module: `info,engine=debug`.
    pub log_filter: String,
    /// Where traces and metrics go over OTLP/gRPC: `http://collector:4317`; nowhere when absent.
    pub otlp_endpoint: Option<String>,
    /// Milliseconds that one export may take.
    pub otlp_timeout_ms: u64,
    /// Milliseconds between two exports of metrics.
    pub otlp_interval_ms: u64,
    /// The part of steps that is traced, a fraction of one.
    pub trace_ratio: f64,
    /// Seconds that a record waits for its instrument, policy, rate or execution until a line of the log says so.
    pub waiting_warn_seconds: u64,
    /// Portfolios whose own figures are shown as metrics, at most `MOST_PORTFOLIOS`: each makes some series.
    pub portfolios: Vec<String>,
    /// Address of `/metrics`, `/livez` and `/readyz`; port 0 takes any free one; none when absent.
    pub http_bind: Option<SocketAddr>,
}

impl Settings {
    /// Refuses what telemetry cannot start with, without starting it: a filter that cannot be read, an endpoint that
    /// is no URL, more portfolios than may have metrics of their own.
    ///
    /// # Errors
    /// [`TelemetryError`] says which setting to change.
    pub fn validate(&self) -> Result<(), TelemetryError> {
        crate::logs::filter(&self.log_filter)?;
        if self.portfolios.len() > MOST_PORTFOLIOS {
            return Err(TelemetryError::Portfolios { listed: self.portfolios.len() });
        }
        self.otlp_endpoint.as_deref().map_or(Ok(()), crate::otlp::check)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            log_format: LogFormat::Auto,
            log_filter: "info".to_owned(),
            otlp_endpoint: None,
            otlp_timeout_ms: 5_000,
            otlp_interval_ms: 10_000,
            trace_ratio: 1.0,
            waiting_warn_seconds: 60,
            portfolios: Vec::new(),
            http_bind: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)),
        }
    }
}

/// Who this process is: attributes of everything that it exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Role, or roles joined by `+`.
    pub role: String,
    /// Name of the instance.
    pub instance: String,
    /// Name of the deployment.
    pub deployment: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_portfolios_is_bounded() {
        let with = |count: usize| Settings { portfolios: vec!["growth".to_owned(); count], ..Settings::default() };
        assert!(with(MOST_PORTFOLIOS).validate().is_ok());
        let told = with(MOST_PORTFOLIOS + 1).validate().unwrap_err().to_string();
        assert!(told.contains("`portfolios` lists 51 portfolios and may list 50"), "{told}");
    }
}
