//! The arithmetic below the figures: sums that lose nothing, moments in two passes, quantiles, the normal
//! distribution, and roots. It knows nothing of returns.

pub mod moments;
pub mod normal;
pub mod quantile;
pub mod roots;
pub mod sum;

pub use moments::{covariance, mean, standard_deviation, variance};
pub use quantile::{quantile, rank};
pub use sum::sum;
