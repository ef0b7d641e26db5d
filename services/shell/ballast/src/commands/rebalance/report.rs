//! The report of a rebalance: deviations, recommendations, and the reason for each instrument that is left alone, as the
//! event of the service says them.

use crate::figure::{exact, percent, rounded};
use crate::sheet::{Report, Sheet};
use domain::enums::{CommandKind, Decision, RebalanceStatus, Side};
use domain::order::Order;
use domain::rebalance_event::{ExplanationLine, RebalanceEvent};
use domain::target_risk::PlannedRisk;
use domain::{Fraction, Money};
use postgres_store::queries::{AnswerView, RebalanceView};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// How far a line stands from its target. Weights are fractions of one, `deviation` is in points.
#[derive(Debug, Clone, Serialize)]
struct Deviation {
    symbol: String,
    instrument_id: String,
    weight: Option<String>,
    target: String,
    /// weight − target, in points of a hundred; positive is overweight.
    deviation: Option<String>,
    /// Whether the weight lies outside its band; null where the plan names none.
    outside_band: Option<bool>,
    decision: Decision,
    reason: String,
}

/// What is recommended, or ordered.
#[derive(Debug, Clone, Serialize)]
struct Recommendation {
    symbol: String,
    instrument_id: String,
    /// BUY or SELL.
    action: &'static str,
    side: Side,
    quantity: String,
    /// In the base currency.
    expected_value: String,
    reason: String,
    order_id: String,
}

/// An instrument that is left alone.
#[derive(Debug, Clone, Serialize)]
struct LeftAlone {
    symbol: String,
    instrument_id: String,
    reason: String,
    numbers: BTreeMap<String, String>,
}

/// The report.
#[derive(Debug, Clone, Serialize)]
pub(in crate::commands) struct RebalanceReport {
    command: CommandKind,
    command_id: String,
    portfolio_id: String,
    rebalance_id: String,
    status: RebalanceStatus,
    /// The status of now, where the command was answered before and the rebalance has gone on since.
    status_now: Option<RebalanceStatus>,
    code: Option<String>,
    text: Option<String>,
    proposal_hash: Option<String>,
    as_of: String,
    policy_version: Option<i64>,
    /// Whether anything is to be ordered; null where no plan was made.
    needs_rebalance: Option<bool>,
    deviations: Vec<Deviation>,
    recommendations: Vec<Recommendation>,
    left_alone: Vec<LeftAlone>,
    expected_fees: Option<String>,
    /// Null where that of an order is not known.
    expected_spread: Option<String>,
    /// Null where that of an order is not known.
    expected_impact: Option<String>,
    turnover: Option<String>,
    drift_before: Option<String>,
    drift_after: Option<String>,
    /// Against the policy's target_risk; null where it has none.
    risk: Option<PlannedRisk>,
    #[serde(skip)]
    lines: Vec<ExplanationLine>,
    #[serde(skip)]
    orders: Vec<Order>,
}

impl RebalanceReport {
    /// What an event says.
    pub(in crate::commands) fn of_event(command: CommandKind, command_id: &str, event: &RebalanceEvent) -> Self {
        let fraction = |figure: Option<Fraction>| figure.and_then(Fraction::to_decimal).map(exact);
        let money = |figure: Option<Money>| figure.and_then(Money::to_decimal).map(exact);
        let report = Self {
            command,
            command_id: command_id.to_owned(),
            portfolio_id: event.portfolio_id.to_string(),
            rebalance_id: event.rebalance_id.to_string(),
            status: event.status,
            status_now: None,
            code: event.code.map(|code| code.symbol().to_owned()),
            text: event.text.as_ref().map(ToString::to_string),
            proposal_hash: event.proposal_hash.as_ref().map(ToString::to_string),
            as_of: event.as_of.to_string(),
            policy_version: event.policy_version,
            needs_rebalance: needs(event.status, &event.orders),
            deviations: Vec::new(),
            recommendations: Vec::new(),
            left_alone: Vec::new(),
            expected_fees: money(event.expected_fees),
            expected_spread: money(event.expected_spread),
            expected_impact: money(event.expected_impact),
            turnover: fraction(event.turnover),
            drift_before: fraction(event.drift_before),
            drift_after: fraction(event.drift_after),
            risk: event.risk.as_deref().cloned(),
            lines: event.explanation.clone(),
            orders: event.orders.clone(),
        };
        report.named(BTreeMap::new())
    }

    /// What the tables say of a command that was answered before.
    pub(in crate::commands) fn of_before(
        command: CommandKind,
        command_id: &str,
        portfolio: &str,
        answer: &AnswerView,
        stored: Option<&RebalanceView>,
    ) -> Self {
        let status = RebalanceStatus::from_symbol(&answer.status);
        let figure = |name: &str| stored?.metrics.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let orders: Vec<Order> = stored.map(|row| list(&row.orders)).unwrap_or_default();
        let report = Self {
            command,
            command_id: command_id.to_owned(),
            portfolio_id: portfolio.to_owned(),
            rebalance_id: answer.rebalance_id.clone(),
            status,
            status_now: stored.map(|row| RebalanceStatus::from_symbol(&row.status)).filter(|now| *now != status),
            code: answer.code.clone(),
            text: answer.reason.clone(),
            proposal_hash: stored.and_then(|row| row.proposal_hash.clone()),
            as_of: crate::figure::moment(answer.answered_at).to_string(),
            policy_version: stored.and_then(|row| row.metrics.as_ref()?.get("policy_version")?.as_i64()),
            needs_rebalance: needs(status, &orders),
            deviations: Vec::new(),
            recommendations: Vec::new(),
            left_alone: Vec::new(),
            expected_fees: figure("expected_fees"),
            expected_spread: figure("expected_spread"),
            expected_impact: figure("expected_impact"),
            turnover: figure("turnover"),
            drift_before: figure("drift_before"),
            drift_after: figure("drift_after"),
            risk: stored.and_then(|row| serde_json::from_value(row.metrics.as_ref()?.get("risk")?.clone()).ok()),
            lines: stored.map(|row| list(&row.explanation)).unwrap_or_default(),
            orders,
        };
        report.named(BTreeMap::new())
    }

    /// A proposal that waits, before it is decided about.
    pub(in crate::commands) fn of_stored(row: &RebalanceView) -> Self {
        let answer = AnswerView {
            rebalance_id: row.rebalance_id.clone(),
            status: row.status.clone(),
            code: row.code.clone(),
            reason: row.metrics.as_ref().and_then(|words| words.get("text")?.as_str().map(str::to_owned)),
            answered_at: row.updated_at,
        };
        Self::of_before(CommandKind::Unknown, "", &row.portfolio_id, &answer, Some(row))
    }

    /// With the symbols that people know instruments by.
    pub(in crate::commands) fn named(mut self, symbols: BTreeMap<String, String>) -> Self {
        let symbol = |id: &str| symbols.get(id).cloned().unwrap_or_else(|| id.to_owned());
        self.deviations = self.lines.iter().map(|line| deviation(line, symbol(line.instrument_id.as_str()))).collect();
        self.recommendations = self.orders.iter().map(|order| recommendation(order, symbol(order.instrument_id.as_str()))).collect();
        let skipped = self.lines.iter().filter(|line| line.decision == Decision::Skip);
        self.left_alone = skipped.map(|line| left_alone(line, symbol(line.instrument_id.as_str()))).collect();
        self
    }

    /// The status of the answer.
    pub(in crate::commands) fn status(&self) -> RebalanceStatus {
        self.status
    }

    fn head(&self) -> String {
        let mut text = format!("{} {} of {}", self.status, self.rebalance_id, self.portfolio_id);
        if let Some(now) = self.status_now {
            text.push_str(&format!(" (now {now})"));
        }
        if let Some(words) = self.code.iter().chain(&self.text).cloned().reduce(|code, words| format!("{code}: {words}")) {
            text.push_str(&format!("\n{words}"));
        }
        if let Some(hash) = &self.proposal_hash {
            text.push_str(&format!("\nproposal {hash}"));
        }
        if !self.command_id.is_empty() {
            text.push_str(&format!("\ncommand {} {}", self.command, self.command_id));
        }
        if let Some(risk) = &self.risk {
            text.push_str(&format!("\n{}", risk_words(risk)));
        }
        match self.needs_rebalance {
            Some(true) => text.push_str("\nneeds a rebalance"),
            Some(false) => text.push_str("\nneeds no rebalance"),
            None => {}
        }
        text
    }

    fn parts(&self, exactly: bool) -> Vec<Sheet> {
        let figure = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<Decimal>().ok());
        let share = |text: &Option<String>| if exactly { text.clone().unwrap_or_default() } else { percent(figure(text)) };
        let points = |text: &Option<String>| if exactly { text.clone().unwrap_or_default() } else { rounded(figure(text), 2) };
        let amount = |text: &str| if exactly { text.to_owned() } else { rounded(text.parse().ok(), 2) };
        let word = |is: Option<bool>| is.map(|is| if is { "yes" } else { "no" }.to_owned()).unwrap_or_default();
        let status = [
            self.rebalance_id.clone(),
            self.status.to_string(),
            self.code.clone().unwrap_or_default(),
            self.proposal_hash.clone().unwrap_or_default(),
            self.needs_rebalance.map(|needs| needs.to_string()).unwrap_or_default(),
            self.command_id.clone(),
        ];
        let columns = ["rebalance_id", "status", "code", "proposal_hash", "needs_rebalance", "command_id"];
        let head =
            if exactly { Sheet::new("status", &columns).with([status.to_vec()]) } else { Sheet::new("status", &[]).under(self.head()) };
        let deviations = self.deviations.iter().map(|line| {
            vec![
                line.symbol.clone(),
                share(&line.weight),
                share(&Some(line.target.clone())),
                points(&line.deviation),
                word(line.outside_band),
                line.decision.to_string(),
                line.reason.clone(),
            ]
        });
        let recommendations = self.recommendations.iter().map(|line| {
            vec![
                line.symbol.clone(),
                line.action.to_owned(),
                line.quantity.clone(),
                amount(&line.expected_value),
                line.reason.clone(),
                line.order_id.clone(),
            ]
        });
        let alone = self.left_alone.iter().map(|line| {
            let numbers: Vec<_> = line.numbers.iter().map(|(name, value)| format!("{name} {value}")).collect();
            vec![line.symbol.clone(), line.reason.clone(), numbers.join(", ")]
        });
        let risk = self.risk.as_ref().filter(|_| exactly).map(risk_figures);
        let plan = [
            Sheet::new("deviations", &["symbol", "weight", "target", "deviation", "outside_band", "decision", "reason"])
                .under(titled("deviations, in points", self.deviations.is_empty()))
                .with(deviations),
            Sheet::new("recommendations", &["symbol", "action", "quantity", "expected_value", "reason", "order_id"])
                .under(titled("recommendations", self.recommendations.is_empty()))
                .with(recommendations),
            Sheet::new("left_alone", &["symbol", "reason", "numbers"]).under(titled("left alone", self.left_alone.is_empty())).with(alone),
        ];
        std::iter::once(head).chain(risk).chain(plan).collect()
    }
}

/// Risk against its target, in a line for people.
fn risk_words(risk: &PlannedRisk) -> String {
    let share = |fraction: Option<Fraction>| percent(fraction.and_then(Fraction::to_decimal));
    let realised = match (risk.realised, risk.date) {
        (Some(realised), Some(date)) => format!("realised {} (of {date})", share(Some(realised))),
        _ => "realised unknown".to_owned(),
    };
    let scaled = risk.scale.map(|scale| format!(", targets scaled by {scale}")).unwrap_or_default();
    let (before, after) = (share(risk.gross_before), share(risk.gross_after));
    format!("risk a year: target {}, {realised}{scaled}; gross exposure {before} before, {after} after", share(Some(risk.target)))
}

/// The same in columns.
fn risk_figures(risk: &PlannedRisk) -> Sheet {
    let figure = |fraction: Option<Fraction>| fraction.and_then(Fraction::to_decimal).map(exact).unwrap_or_default();
    let row = vec![
        figure(Some(risk.target)),
        figure(risk.realised),
        risk.date.map(|date| date.to_string()).unwrap_or_default(),
        figure(risk.scale),
        figure(risk.gross_before),
        figure(risk.gross_after),
        risk.code.map(|code| code.symbol().to_owned()).unwrap_or_default(),
    ];
    Sheet::new("risk", &["target_risk", "realised_risk", "date", "scale", "gross_before", "gross_after", "code"]).with([row])
}

fn titled(title: &str, empty: bool) -> String {
    if empty { format!("{title}: none") } else { title.to_owned() }
}

impl Report for RebalanceReport {
    fn sheets(&self) -> Vec<Sheet> {
        self.parts(false)
    }
    fn exact(&self) -> Vec<Sheet> {
        self.parts(true)
    }
}

/// Whether a plan has orders; a refusal made none.
fn needs(status: RebalanceStatus, orders: &[Order]) -> Option<bool> {
    match status {
        RebalanceStatus::NoActionNeeded => Some(false),
        RebalanceStatus::Proposed | RebalanceStatus::PendingApproval | RebalanceStatus::Released => Some(!orders.is_empty()),
        _ => None,
    }
}

fn deviation(line: &ExplanationLine, symbol: String) -> Deviation {
    let weight = line.weight.and_then(Fraction::to_decimal);
    let number =
        |name: &str| line.numbers.iter().find(|number| number.name == name).and_then(|number| number.value.parse::<Decimal>().ok());
    let outside = weight.zip(number("lower").zip(number("upper"))).map(|(weight, (lower, upper))| weight < lower || weight > upper);
    let points = line.drift.and_then(Fraction::to_decimal).and_then(|drift| drift.checked_mul(Decimal::ONE_HUNDRED));
    Deviation {
        symbol,
        instrument_id: line.instrument_id.to_string(),
        weight: weight.map(exact),
        target: line.target.to_decimal().map(exact).unwrap_or_default(),
        deviation: points.map(exact),
        outside_band: outside,
        decision: line.decision,
        reason: line.reason.symbol().to_owned(),
    }
}

fn recommendation(order: &Order, symbol: String) -> Recommendation {
    Recommendation {
        symbol,
        instrument_id: order.instrument_id.to_string(),
        action: if order.side == Side::Buy { "BUY" } else { "SELL" },
        side: order.side,
        quantity: order.quantity.to_decimal().map(exact).unwrap_or_default(),
        expected_value: order.expected_value.to_decimal().map(exact).unwrap_or_default(),
        reason: order.reason.symbol().to_owned(),
        order_id: order.order_id.to_string(),
    }
}

fn left_alone(line: &ExplanationLine, symbol: String) -> LeftAlone {
    LeftAlone {
        symbol,
        instrument_id: line.instrument_id.to_string(),
        reason: line.reason.symbol().to_owned(),
        numbers: line.numbers.iter().map(|number| (number.name.to_string(), number.value.to_string())).collect(),
    }
}

fn list<T: serde::de::DeserializeOwned>(rows: &Value) -> Vec<T> {
    rows.as_array().into_iter().flatten().filter_map(|row| serde_json::from_value(row.clone()).ok()).collect()
}

#[cfg(test)]
mod tests;
