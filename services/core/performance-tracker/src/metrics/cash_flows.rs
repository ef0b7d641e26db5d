//! Figures of cash flows alone: what was paid and got, on its days.

use super::{
    Metric,
    Unit::{Amount, Fraction},
};
use crate::numeric::sum;
use crate::returns::money_weighted::xirr;
use crate::undefined::finite;

/// The figures of this file.
pub const METRICS: &[Metric] = &[
    Metric::of_flows(
        "xirr",
        Fraction,
        "the rate a year that brings the flows to zero, Actual/365 from the earliest",
        "Excel XIRR",
        |flows| xirr(flows).map(|found| found.rate),
    ),
    Metric::of_flows("total_paid", Amount, "sum of flows below 0; negative", "sum", |flows| {
        finite(sum(flows.iter().map(|flow| flow.amount.min(0.0))))
    }),
    Metric::of_flows("total_received", Amount, "sum of flows above 0", "sum", |flows| {
        finite(sum(flows.iter().map(|flow| flow.amount.max(0.0))))
    }),
];
