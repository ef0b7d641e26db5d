//! Performance and risk: valuations and flows become returns, statistics, risk figures and attribution.
//!
//! What stands here is a pure function of series. A figure is `Ok(number)` or an [`Undefined`] with its reason:
//! NaN and infinity neither enter a series nor leave a figure. Statistics are `f64`, summed with compensation in
//! the order of the series, and the functions that a machine's C library may round in its own way (powers,
//! logarithms, exponentials) come from `libm`, so that a figure has the same bits on every machine.
//! Amounts that must tie out (profit by group) are exact `domain` money and no floats.
//!
//! It reads no clock and no price source, and decides nothing. What is kept between days is the role's, in `tracker`.

#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod attribution;
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod metrics;
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod numeric;
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod returns;
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod risk;
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod sample;
pub mod settings;
#[allow(clippy::float_arithmetic, reason = "statistics are f64")]
pub mod tracker;
pub mod undefined;

pub use metrics::Figure;
pub use sample::{InvalidSeries, Sample};
pub use settings::Settings;
pub use tracker::PerformanceTracker;
pub use undefined::{Answer, Undefined};
