//! Telemetry: logs, traces, metrics, and the small HTTP endpoint that shows health and metrics.
//!
//! Promises: with no OTLP endpoint set, tracing spans cost nothing beyond their level check; every
//! metric is defined once, in [`names`], and shown the same at `/metrics` and over OTLP; shutting
//! down flushes. Does not decide anything, and nothing waits for it: when a collector is away,
//! spans and metrics are dropped.

mod endpoint;
mod errors;
mod health;
mod logs;
pub mod metrics;
pub mod names;
mod otlp;
mod settings;
mod start;
mod step_span;
pub mod traceparent;

pub use endpoint::Endpoint;
pub use errors::TelemetryError;
pub use health::{Condition, Health, Heartbeat};
pub use metrics::{ExecutionMetrics, Figure, FrameMetrics, LaneMetrics, LaneState, Metrics, PortfolioMetrics, RoleMetrics};
pub use settings::{Identity, LogFormat, Settings};
pub use start::Telemetry;
pub use step_span::{StepFacts, step_span};
pub use traceparent::Traceparent;
