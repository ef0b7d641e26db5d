//! Log lines, on standard error: human on a terminal, JSON otherwise.
//!
//! Promises: a filter that cannot be read is an error, not silence. Does not write to standard
//! output: that belongs to the command's answer.

use std::io::{IsTerminal, stderr};

use tracing::Subscriber;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Registry};

use crate::{LogFormat, Settings, TelemetryError};

pub(crate) type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The layer that writes log lines.
pub(crate) fn layer(settings: &Settings) -> Result<BoxedLayer, TelemetryError> {
    let filter = filter(&settings.log_filter)?;
    let human = match settings.log_format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => stderr().is_terminal(),
    };
    Ok(if human { human_lines().with_filter(filter).boxed() } else { json_lines().with_filter(filter).boxed() })
}

/// The filter of a text.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder().parse(text).map_err(|e| TelemetryError::LogFilter { filter: text.to_owned(), reason: e.to_string() })
}

fn human_lines<S>() -> impl Layer<S>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal())
}

fn json_lines<S>() -> impl Layer<S>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    fmt::layer().json().flatten_event(true).with_span_list(false).with_writer(stderr)
}
