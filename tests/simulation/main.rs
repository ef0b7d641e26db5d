//! The simulator of whole clusters.
