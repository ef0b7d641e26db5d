//! The return of one day: time-weighted at every external flow where equity before each is known, else by the daily rule.

use crate::tracker::deeds::Flow;
use crate::tracker::series::Returned;
use domain::Money;

/// How a day's return was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The book was valued at every flow.
    TimeWeighted,
    /// Inflows at the start of the day, outflows at its end.
    Daily,
}

impl Rule {
    /// As a symbol, for a table.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::TimeWeighted => "TIME_WEIGHTED",
            Self::Daily => "DAILY",
        }
    }
    /// The rule that words or a symbol name.
    pub fn named(text: &str) -> Option<Self> {
        [Self::TimeWeighted, Self::Daily].into_iter().find(|rule| [rule.words(), rule.symbol()].contains(&text))
    }
    /// In words, for a record.
    pub const fn words(self) -> &'static str {
        match self {
            Self::TimeWeighted => "time-weighted at every external flow",
            Self::Daily => "daily rule: (end + out) / (begin + in) - 1",
        }
    }
}

/// A day: equity at its beginning and end, its flows as they were booked, and their sum as its close has it.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// Equity at the close before; zero before the first.
    pub begin: Money,
    /// Equity at its own.
    pub end: Money,
    /// Flows in booking order.
    pub flows: &'a [Flow],
    /// Net flow by the close.
    pub net: Money,
}

impl Span<'_> {
    /// What it has returned.
    pub fn returned(&self) -> (Returned, Rule) {
        let booked: i128 = self.flows.iter().map(|flow| flow.amount.units()).sum();
        // Where the ledger does not tell all flows of the close, none of them can be told apart. Each is rounded by itself,
        // and the close's is the difference of two sums that are.
        let told = (booked - self.net.units()).unsigned_abs() <= 1 + self.flows.len() as u128 / 2;
        match self.time_weighted().filter(|_| told) {
            Some(returned) => (returned, Rule::TimeWeighted),
            None => (self.daily(told), Rule::Daily),
        }
    }

    /// What its parts between flows have returned together: a part that nothing stood behind has no return, and linking
    /// begins anew with what flows in then. What went out, also beyond all there was, takes nothing from the parts before.
    /// `None` where the value at some flow is not known, or no part has capital.
    fn time_weighted(&self) -> Option<Returned> {
        let (mut begin, mut parts) = (self.begin.units(), Vec::new());
        for flow in self.flows {
            let before = flow.before?.units();
            if begin > 0 {
                parts.push(gained(begin, before));
            }
            begin = before + flow.amount.units();
        }
        let end = self.end.units();
        if begin > 0 {
            parts.push(gained(begin, end));
        }
        (!parts.is_empty()).then(|| judged(linked(&parts), begin <= 0 || end > 0))
    }

    fn daily(&self, told: bool) -> Returned {
        let net = [self.net];
        let flows = || self.flows.iter().map(|flow| flow.amount).filter(|_| told).chain(net.into_iter().filter(|_| !told));
        let sum =
            |positive: bool| flows().filter(|amount| amount.is_positive() == positive).map(|amount| amount.abs().units()).sum::<i128>();
        let (begin, end) = (self.begin.units() + sum(true), self.end.units() + sum(false));
        if begin <= 0 { Returned::NoCapital } else { judged(gained(begin, end), end > 0) }
    }
}

/// Gain over capital, in units of money: the difference is exact, so that a small one keeps its digits.
fn gained(begin: i128, end: i128) -> f64 {
    (end - begin) as f64 / begin as f64
}

/// Returns one after the other; a single one stays as it is.
pub fn linked(parts: &[f64]) -> f64 {
    if let [one] = parts { *one } else { parts.iter().fold(1.0, |growth, part| growth * (1.0 + part)) - 1.0 }
}

/// Linking stops where nothing is left.
fn judged(returned: f64, is_left: bool) -> Returned {
    if returned > -1.0 && is_left { Returned::Return(returned) } else { Returned::Lost }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        text.parse().unwrap()
    }
    fn flow(amount: &str, before: Option<&str>) -> Flow {
        Flow { amount: money(amount), at: domain::Timestamp::from_micros(0), before: before.map(money) }
    }
    fn returned(begin: &str, flows: &[Flow], net: &str, end: &str) -> (Returned, Rule) {
        Span { begin: money(begin), end: money(end), flows, net: money(net) }.returned()
    }
    fn fraction(found: (Returned, Rule)) -> f64 {
        let Returned::Return(value) = found.0 else { panic!("{found:?}") };
        (value * 1e12).round() / 1e12
    }

    #[test]
    fn a_flow_parts_the_day() {
        // +10 % on 100, then −10 % on 220.
        let flows = [flow("110", Some("110"))];
        let found = returned("100", &flows, "110", "198");
        assert_eq!((fraction(found), found.1), (-0.01, Rule::TimeWeighted));
        // The same by the daily rule: 198 ÷ 210.
        let found = returned("100", &[flow("110", None)], "110", "198");
        assert_eq!((fraction(found), found.1), (-0.057142857143, Rule::Daily));
        // An outflow counts at the end: (48 + 60) ÷ 100.
        assert_eq!(fraction(returned("100", &[flow("-60", None)], "-60", "48")), 0.08);
        // Two that were rounded, and their sum that was.
        let flows = [flow("50.0000000001", Some("110")), flow("60.0000000001", Some("160.0000000001"))];
        let found = returned("100", &flows, "110.0000000004", "198");
        assert!(found.1 == Rule::TimeWeighted && (fraction(found) + 0.01).abs() < 1e-11, "{found:?}");
        assert_eq!(returned("100", &flows, "110.0000000005", "198").1, Rule::Daily);
        // The ledger does not tell every flow of the close: its net flow holds.
        assert_eq!(fraction(returned("100", &flows, "100", "220")), 0.1);
    }

    #[test]
    fn capital_begins_and_ends() {
        assert_eq!(fraction(returned("0", &[flow("100", Some("0"))], "100", "105")), 0.05);
        assert_eq!(returned("0", &[], "0", "0").0, Returned::NoCapital);
        assert_eq!(returned("100", &[], "0", "0").0, Returned::Lost);
        assert_eq!(returned("100", &[], "0", "-5").0, Returned::Lost);
        assert_eq!(returned("-5", &[], "0", "-4").0, Returned::NoCapital);
        // Everything is taken out: the day still has its return.
        assert_eq!(fraction(returned("100", &[flow("-101", None)], "-101", "0")), 0.01);
        // Valued at the flow, nothing stands behind what follows: the daily rule tells it.
        assert_eq!(fraction(returned("100", &[flow("-102", Some("102"))], "-102", "0")), 0.02);
        // The same with a deposit before it: both were valued.
        let flows = [flow("50", Some("105")), flow("-160", Some("160"))];
        let found = returned("100", &flows, "-110", "0");
        assert_eq!((fraction(found), found.1), (0.083870967742, Rule::TimeWeighted));
        // More is taken out than there was: what was earned before stands, and nothing stands behind what follows.
        let flows = [flow("9000", Some("1100")), flow("-11000", Some("10100"))];
        let found = returned("1000", &flows, "-2000", "-900");
        assert_eq!((fraction(found), found.1), (0.1, Rule::TimeWeighted));
        // New capital after a loss, and the same when nobody knows what stood before it.
        assert_eq!(fraction(returned("-5", &[flow("105", Some("2"))], "105", "110")), 0.028037383178);
        assert_eq!(fraction(returned("-5", &[flow("105", None)], "105", "110")), 0.1);
        assert_eq!(fraction(returned("1000", &[], "0", "1000.0000000001")), 0.0);
    }
}
