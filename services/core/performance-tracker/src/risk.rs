//! Risk of a book: value at risk, covariance, concentration and exposure.
