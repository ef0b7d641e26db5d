//! The report of a rebalance: deviations, recommendations, and the reason for each instrument that is left alone, as the
//! event of the service says them.

use super::bands::Bands;
use crate::figure::{exact, percent, rounded};
use crate::sheet::{Report, Sheet};
use domain::enums::{CommandKind, Decision, RebalanceStatus, RebalanceTrigger, Side};
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
    /// Whether a band is broken; null where the answer does not tell it.
    breached: Option<bool>,
    /// Whether orders would be made, wait or have left; null where no plan was made. What is asked for plans every line,
    /// whatever its band.
    needs_rebalance: Option<bool>,
    /// Null where the answer tells none.
    deviations: Option<Vec<Deviation>>,
    /// Null where the answer tells none.
    recommendations: Option<Vec<Recommendation>>,
    /// Null where the answer tells none.
    left_alone: Option<Vec<LeftAlone>>,
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
    trigger: RebalanceTrigger,
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
            breached: None,
            needs_rebalance: needs(event.status, &event.orders),
            deviations: None,
            recommendations: None,
            left_alone: None,
            expected_fees: money(event.expected_fees),
            expected_spread: money(event.expected_spread),
            expected_impact: money(event.expected_impact),
            turnover: fraction(event.turnover),
            drift_before: fraction(event.drift_before),
            drift_after: fraction(event.drift_after),
            risk: event.risk.as_deref().cloned(),
            trigger: event.trigger,
            lines: event.explanation.clone(),
            orders: event.orders.clone(),
        };
        report.named(BTreeMap::new(), Bands::default())
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
            breached: None,
            needs_rebalance: needs(status, &orders),
            deviations: None,
            recommendations: None,
            left_alone: None,
            expected_fees: figure("expected_fees"),
            expected_spread: figure("expected_spread"),
            expected_impact: figure("expected_impact"),
            turnover: figure("turnover"),
            drift_before: figure("drift_before"),
            drift_after: figure("drift_after"),
            risk: stored.and_then(|row| serde_json::from_value(row.metrics.as_ref()?.get("risk")?.clone()).ok()),
            trigger: stored.map_or(RebalanceTrigger::Unknown, |row| RebalanceTrigger::from_symbol(&row.trigger)),
            lines: stored.map(|row| list(&row.explanation)).unwrap_or_default(),
            orders,
        };
        report.named(BTreeMap::new(), Bands::default())
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

    /// With the symbols that people know instruments by, and what the policy says of bands.
    pub(in crate::commands) fn named(mut self, symbols: BTreeMap<String, String>, bands: Bands) -> Self {
        let symbol = |id: &str| symbols.get(id).cloned().unwrap_or_else(|| id.to_owned());
        let each = |line: &ExplanationLine| (line.clone(), symbol(line.instrument_id.as_str()));
        let lines: Vec<_> = self.lines.iter().map(each).collect();
        // A plan that orders nothing has lists, and may have empty ones; an answer without a plan has none.
        let is_plan = matches!(self.status, RebalanceStatus::Proposed | RebalanceStatus::NoActionNeeded);
        let told = is_plan || !lines.is_empty();
        self.breached = bands.breached(self.trigger, &self.lines);
        self.deviations = told.then(|| lines.iter().map(|(line, symbol)| deviation(line, symbol.clone(), &bands)).collect());
        let skipped = lines.iter().filter(|(line, _)| line.decision == Decision::Skip);
        self.left_alone = told.then(|| skipped.map(|(line, symbol)| left_alone(line, symbol.clone())).collect());
        let orders = self.orders.iter().map(|order| recommendation(order, symbol(order.instrument_id.as_str())));
        self.recommendations = (is_plan || !self.orders.is_empty()).then(|| orders.collect());
        self
    }

    /// Whether it is of a proposal whose orders it does not tell: those of before stand.
    pub(in crate::commands) fn lacks_its_proposal(&self) -> bool {
        self.status == RebalanceStatus::PendingApproval && self.orders.is_empty()
    }

    /// With the orders of the same proposal, and the figures of its plan, as the tables have them.
    pub(in crate::commands) fn with_proposal(mut self, stored: Option<&RebalanceView>) -> Self {
        let Some(row) = stored.filter(|row| row.proposal_hash == self.proposal_hash) else { return self };
        let known = Self::of_stored(row);
        self.orders = known.orders;
        self.risk = self.risk.or(known.risk);
        for (figure, known) in [
            (&mut self.expected_fees, known.expected_fees),
            (&mut self.expected_spread, known.expected_spread),
            (&mut self.expected_impact, known.expected_impact),
            (&mut self.turnover, known.turnover),
            (&mut self.drift_before, known.drift_before),
            (&mut self.drift_after, known.drift_after),
        ] {
            *figure = figure.take().or(known);
        }
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
        if let Some(words) = self.need() {
            text.push_str(&format!("\n{words}"));
        }
        text
    }

    /// Whether it is needed, and what it waits for, in words.
    fn need(&self) -> Option<String> {
        let broken = match self.breached {
            Some(true) => ": a band is broken",
            Some(false) => ", though no band is broken: what is asked for plans every line",
            None => "",
        };
        let another = if self.command == CommandKind::Approve { "another person" } else { "a person" };
        Some(match (self.status, self.needs_rebalance?, self.breached) {
            (RebalanceStatus::PendingApproval, ..) => format!("needs a rebalance{broken}; the orders wait until {another} approves them"),
            (RebalanceStatus::Released, ..) => "orders have left".to_owned(),
            (RebalanceStatus::Proposed, true, Some(false)) => format!("orders would be made{broken}"),
            (_, true, _) => format!("needs a rebalance{broken}"),
            (_, false, Some(true)) => "needs no rebalance: a band is broken, and nothing is to be ordered for the reasons below".to_owned(),
            (_, false, _) => "needs no rebalance".to_owned(),
        })
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
            self.breached.map(|breached| breached.to_string()).unwrap_or_default(),
            self.text.clone().unwrap_or_default(),
        ];
        let columns = ["rebalance_id", "status", "code", "proposal_hash", "needs_rebalance", "command_id", "breached", "text"];
        let head =
            if exactly { Sheet::new("status", &columns).with([status.to_vec()]) } else { Sheet::new("status", &[]).under(self.head()) };
        let deviation = |line: &Deviation| {
            vec![
                line.symbol.clone(),
                share(&line.weight),
                share(&Some(line.target.clone())),
                points(&line.deviation),
                word(line.outside_band),
                line.decision.to_string(),
                line.reason.clone(),
            ]
        };
        let recommendation = |line: &Recommendation| {
            vec![
                line.symbol.clone(),
                line.action.to_owned(),
                line.quantity.clone(),
                amount(&line.expected_value),
                line.reason.clone(),
                line.order_id.clone(),
            ]
        };
        let alone = |line: &LeftAlone| {
            let numbers: Vec<_> = line.numbers.iter().map(|(name, value)| format!("{name} {value}")).collect();
            vec![line.symbol.clone(), line.reason.clone(), numbers.join(", ")]
        };
        let risk = self.risk.as_ref().filter(|_| exactly).map(risk_figures);
        if !exactly && self.deviations.is_none() && self.recommendations.is_none() {
            let none = if self.status == RebalanceStatus::Refused { "\nno plan was made" } else { "" };
            return vec![Sheet::new("status", &[]).under(format!("{}{none}", self.head()))];
        }
        let columns = ["symbol", "weight", "target", "deviation", "outside_band", "decision", "reason"];
        let plan = [
            part("deviations", &columns, "deviations, in points", self.deviations.as_deref(), deviation),
            part(
                "recommendations",
                &["symbol", "action", "quantity", "expected_value", "reason", "order_id"],
                "recommendations",
                self.recommendations.as_deref(),
                recommendation,
            ),
            part("left_alone", &["symbol", "reason", "numbers"], "left alone", self.left_alone.as_deref(), alone),
        ];
        let plan = plan.into_iter().flatten();
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

/// A list with its title; nothing where it is not told.
fn part<T>(
    name: &'static str,
    columns: &[&'static str],
    title: &str,
    rows: Option<&[T]>,
    row: impl Fn(&T) -> Vec<String>,
) -> Option<Sheet> {
    let rows = rows?;
    let title = if rows.is_empty() { format!("{title}: none") } else { title.to_owned() };
    Some(Sheet::new(name, columns).under(title).with(rows.iter().map(row)))
}

impl Report for RebalanceReport {
    fn sheets(&self) -> Vec<Sheet> {
        self.parts(false)
    }
    fn exact(&self) -> Vec<Sheet> {
        self.parts(true)
    }
}

/// Whether orders would be made, wait or have left. A proposal that waits has orders, whether its newest event tells them
/// or not; where neither a plan nor orders are told it is not known.
fn needs(status: RebalanceStatus, orders: &[Order]) -> Option<bool> {
    match status {
        RebalanceStatus::NoActionNeeded => Some(false),
        RebalanceStatus::Proposed => Some(!orders.is_empty()),
        RebalanceStatus::PendingApproval => Some(true),
        RebalanceStatus::Released => (!orders.is_empty()).then_some(true),
        _ => None,
    }
}

fn deviation(line: &ExplanationLine, symbol: String, bands: &Bands) -> Deviation {
    let weight = line.weight.and_then(Fraction::to_decimal);
    let points = line.drift.and_then(Fraction::to_decimal).and_then(|drift| drift.checked_mul(Decimal::ONE_HUNDRED));
    Deviation {
        symbol,
        instrument_id: line.instrument_id.to_string(),
        weight: weight.map(exact),
        target: line.target.to_decimal().map(exact).unwrap_or_default(),
        deviation: points.map(exact),
        outside_band: bands.outside(line),
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
