//! Risk of a book: value at risk, covariances, what each holding adds, concentration and exposure.
//! Losses are positive, as fractions of the book's value; a caller who multiplies by the value has money.

pub mod component;
pub mod concentration;
pub mod covariance;
pub mod exposure;
pub mod target;
pub mod value_at_risk;
