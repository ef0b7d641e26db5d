//! Where a return or a profit came from.
