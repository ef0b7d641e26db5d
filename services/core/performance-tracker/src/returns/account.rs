//! Time-weighted returns of an account: from its values and what flowed across its boundary between them.
//! Fees, dividends and interest are no flows: they are performance.

use crate::numeric::sum;
use crate::returns::money_weighted::CashFlow;
use crate::undefined::{Answer, Undefined, finite};
use domain::Date;

/// A value of the account and the external flow of its row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Valuation {
    /// Day.
    pub date: Date,
    /// Value of all that the account holds.
    pub value: f64,
    /// What came in (positive) or went out (negative).
    pub flow: f64,
}

/// When in its period a flow crossed the boundary, beside the value of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FlowTiming {
    /// The daily rule: what comes in does so at the start, what goes out at the end; the value is that of the end.
    #[default]
    Daily,
    /// All at the start; the value is that of the end.
    Start,
    /// Half of the period: its half counts as capital; the value is that of the end.
    Middle,
    /// All at the end, just before the value was taken.
    End,
    /// Just after the value was taken: an account that is valued at every flow.
    AfterValue,
}

/// The return of one period: from the value at its beginning to that at its end, with its flow.
pub fn period_return(begin: f64, end: f64, flow: f64, timing: FlowTiming) -> Answer {
    let (gained, capital) = match timing {
        FlowTiming::Daily => return ratio(end - flow.min(0.0), begin + flow.max(0.0)),
        FlowTiming::Start | FlowTiming::AfterValue => return ratio(end, begin + flow),
        FlowTiming::End => return ratio(end - flow, begin),
        FlowTiming::Middle => (end - begin - flow, begin + flow / 2.0),
    };
    if capital > 0.0 { finite(gained / capital) } else { Err(Undefined::NoCapital) }
}

/// Growth less 1; absent where there was no capital.
fn ratio(end: f64, begin: f64) -> Answer {
    if begin > 0.0 { finite(end / begin - 1.0) } else { Err(Undefined::NoCapital) }
}

/// The return of each period between two rows, or why it has none. The flow of the first row lies before the first
/// period, except with [`FlowTiming::AfterValue`], where each period takes the flow of the row that begins it.
pub fn period_returns(rows: &[Valuation], timing: FlowTiming) -> Vec<Answer> {
    let flow = |pair: &[Valuation]| if timing == FlowTiming::AfterValue { pair[0].flow } else { pair[1].flow };
    rows.windows(2).map(|pair| period_return(pair[0].value, pair[1].value, flow(pair), timing)).collect()
}

/// The periods' returns that one after the other make the whole, or the reason of the first that has none.
pub fn time_weighted(rows: &[Valuation], timing: FlowTiming) -> Result<Vec<f64>, Undefined> {
    crate::numeric::moments::enough(rows.len(), 2)?;
    period_returns(rows, timing).into_iter().collect()
}

/// Sum of the flows between the first and the last value.
pub fn net_flow(rows: &[Valuation], timing: FlowTiming) -> f64 {
    sum(inner_flows(rows, timing).map(|row| row.flow))
}

/// The rows whose flows lie between the first and the last value.
pub fn inner_flows(rows: &[Valuation], timing: FlowTiming) -> impl Iterator<Item = &Valuation> {
    let last = rows.len();
    let range = if timing == FlowTiming::AfterValue { 0..last.saturating_sub(1) } else { 1.min(last)..last };
    rows[range].iter()
}

/// What the owner paid (negative) and got (positive): the first value, the flows, the last value.
pub fn owner_flows(rows: &[Valuation], timing: FlowTiming) -> Vec<CashFlow> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Vec::new() };
    let mut flows = vec![CashFlow { date: first.date, amount: -first.value }];
    flows.extend(inner_flows(rows, timing).filter(|row| row.flow != 0.0).map(|row| CashFlow { date: row.date, amount: -row.flow }));
    flows.push(CashFlow { date: last.date, amount: last.value });
    flows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(of: &[(i32, f64, f64)]) -> Vec<Valuation> {
        of.iter().map(|(day, value, flow)| Valuation { date: Date::from_days(*day), value: *value, flow: *flow }).collect()
    }

    #[test]
    fn the_daily_rule_takes_what_comes_first_and_what_goes_last() {
        assert_eq!(period_return(100.0, 220.0, 100.0, FlowTiming::Daily), finite(220.0 / 200.0 - 1.0));
        assert_eq!(period_return(100.0, 60.0, -50.0, FlowTiming::Daily), finite(110.0 / 100.0 - 1.0));
        assert_eq!(period_return(0.0, 110.0, 100.0, FlowTiming::Daily), finite(110.0 / 100.0 - 1.0));
        assert_eq!(period_return(0.0, 0.0, 0.0, FlowTiming::Daily), Err(Undefined::NoCapital));
    }

    #[test]
    fn flows_at_the_start_the_middle_and_the_end() {
        let of = |timing| period_return(100.0, 210.0, 100.0, timing).unwrap();
        assert!((of(FlowTiming::Start) - 0.05).abs() < 1e-15);
        assert!((of(FlowTiming::End) - 0.1).abs() < 1e-15);
        assert!((of(FlowTiming::Middle) - 10.0 / 150.0).abs() < 1e-15);
    }

    #[test]
    fn an_account_valued_at_every_flow() {
        // 100 grows by a tenth, then 50 come in, then all loses a tenth.
        let account = rows(&[(0, 100.0, 0.0), (10, 110.0, 50.0), (20, 144.0, 0.0)]);
        let returns = time_weighted(&account, FlowTiming::AfterValue).unwrap();
        assert!((returns[0] - 0.1).abs() < 1e-15 && (returns[1] + 0.1).abs() < 1e-15);
        assert_eq!(net_flow(&account, FlowTiming::AfterValue), 50.0);
        let amounts: Vec<f64> = owner_flows(&account, FlowTiming::AfterValue).iter().map(|flow| flow.amount).collect();
        assert_eq!(amounts, [-100.0, -50.0, 144.0]);
    }

    #[test]
    fn a_period_without_capital_has_no_return_and_the_next_may() {
        let account = rows(&[(0, 100.0, 0.0), (1, 0.0, 0.0), (2, 0.0, 0.0), (3, 55.0, 50.0)]);
        let found = period_returns(&account, FlowTiming::Daily);
        assert_eq!((found[0], found[1]), (Ok(-1.0), Err(Undefined::NoCapital)));
        assert!((found[2].unwrap() - 0.1).abs() < 1e-15);
        assert_eq!(time_weighted(&account, FlowTiming::Daily), Err(Undefined::NoCapital));
        assert!(time_weighted(&account[..1], FlowTiming::Daily).is_err());
    }
}
