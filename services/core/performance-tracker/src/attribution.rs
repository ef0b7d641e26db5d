//! Where a return or a profit came from: Brinson effects by sector, linked over periods, and profit by group.

pub mod brinson;
pub mod carino;
pub mod day;
pub mod grouping;
