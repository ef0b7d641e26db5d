//! The report of a portfolio's rebalances.

use crate::figure::{exact, moment, percent, rounded};
use crate::sheet::{Report, Sheet};
use postgres_store::queries::{QualityView, RebalanceLine};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::Value;

/// One rebalance. Shares are fractions of one, money is in the base currency, positive is a cost; what is not known is null.
#[derive(Debug, Clone, Serialize)]
struct Line {
    rebalance_id: String,
    began_at: String,
    updated_at: String,
    trigger: String,
    status: String,
    code: Option<String>,
    orders: Option<i64>,
    turnover: Option<String>,
    fill_rate: Option<String>,
    traded_value: Option<String>,
    slippage: Option<String>,
    slippage_bp: Option<String>,
    arrival_slippage: Option<String>,
    arrival_slippage_bp: Option<String>,
    fees: Option<String>,
    cost: Option<String>,
    cost_bp: Option<String>,
    first_fill_us: Option<i64>,
    last_fill_us: Option<i64>,
    reason: Option<String>,
}

/// All that have ended and whose orders had left.
#[derive(Debug, Clone, Serialize)]
struct Quality {
    released: i64,
    completed: i64,
    failed: i64,
    success_rate: Option<String>,
    fill_rate: Option<String>,
    traded_value: Option<String>,
    slippage: Option<String>,
    arrival_slippage: Option<String>,
    fees: Option<String>,
    cost: Option<String>,
    cost_bp: Option<String>,
    cost_not_known: i64,
}

/// The report.
#[derive(Debug, Serialize)]
pub(super) struct RebalancesReport {
    portfolio_id: String,
    quality: Option<Quality>,
    rebalances: Vec<Line>,
}

impl RebalancesReport {
    /// The report of the newest rebalances, and of how all of them came off.
    pub(super) fn of(portfolio: &str, newest: &[RebalanceLine], quality: Option<&QualityView>) -> Self {
        Self { portfolio_id: portfolio.to_owned(), quality: quality.map(Quality::of), rebalances: newest.iter().map(Line::of).collect() }
    }

    fn head(&self) -> String {
        let Some(all) = &self.quality else { return format!("{}: no rebalance whose orders had left has ended", self.portfolio_id) };
        let rate = |text: &Option<String>| percent(decimal(text.as_deref()));
        let (money, bp) = (|text: &Option<String>| rounded(decimal(text.as_deref()), 2), |text| rounded(decimal(text), 2));
        let mut text = format!(
            "{}: {} of {} rebalances completed ({}), {} of the ordered value filled\n",
            self.portfolio_id,
            all.completed,
            all.released,
            rate(&all.success_rate),
            rate(&all.fill_rate)
        );
        text += &format!(
            "traded {}, slippage {} against the plan and {} against the release, fees {}, cost {} ({} bp)",
            money(&all.traded_value),
            money(&all.slippage),
            money(&all.arrival_slippage),
            money(&all.fees),
            money(&all.cost),
            bp(all.cost_bp.as_deref())
        );
        if all.cost_not_known > 0 {
            text += &format!("\nof {} of them the cost is not known", all.cost_not_known);
        }
        text
    }

    fn parts(&self, exactly: bool) -> Vec<Sheet> {
        let number = |text: &Option<String>, digits: u32| {
            if exactly { text.clone().unwrap_or_default() } else { rounded(decimal(text.as_deref()), digits) }
        };
        let share = |text: &Option<String>| if exactly { text.clone().unwrap_or_default() } else { percent(decimal(text.as_deref())) };
        let row = |line: &Line| {
            vec![
                line.began_at.clone(),
                line.trigger.clone(),
                line.status.clone(),
                line.code.clone().unwrap_or_default(),
                line.orders.map(|orders| orders.to_string()).unwrap_or_default(),
                share(&line.turnover),
                share(&line.fill_rate),
                number(&line.traded_value, 2),
                number(&line.slippage, 2),
                number(&line.slippage_bp, 2),
                number(&line.arrival_slippage_bp, 2),
                number(&line.fees, 2),
                number(&line.cost, 2),
                number(&line.cost_bp, 2),
                line.rebalance_id.clone(),
            ]
        };
        let columns = &[
            "began_at",
            "trigger",
            "status",
            "code",
            "orders",
            "turnover",
            "fill_rate",
            "traded_value",
            "slippage",
            "slippage_bp",
            "arrival_bp",
            "fees",
            "cost",
            "cost_bp",
            "rebalance_id",
        ];
        let list = Sheet::new("rebalances", columns).with(self.rebalances.iter().map(row));
        match (&self.quality, exactly) {
            (Some(all), true) => vec![all.sheet(), list],
            (None, true) => vec![list],
            (_, false) => vec![list.under(self.head())],
        }
    }
}

impl Quality {
    fn of(view: &QualityView) -> Self {
        let text = |figure: Option<Decimal>| figure.map(exact);
        Self {
            released: view.released,
            completed: view.completed,
            failed: view.failed,
            success_rate: text(view.success_rate),
            fill_rate: text(view.fill_rate),
            traded_value: text(view.traded_value),
            slippage: text(view.slippage),
            arrival_slippage: text(view.arrival_slippage),
            fees: text(view.fees),
            cost: text(view.cost),
            cost_bp: text(view.cost_bp),
            cost_not_known: view.untold,
        }
    }
    fn sheet(&self) -> Sheet {
        let columns = &[
            "released",
            "completed",
            "failed",
            "success_rate",
            "fill_rate",
            "traded_value",
            "slippage",
            "arrival_slippage",
            "fees",
            "cost",
            "cost_bp",
            "cost_not_known",
        ];
        let text = |figure: &Option<String>| figure.clone().unwrap_or_default();
        let row = vec![
            self.released.to_string(),
            self.completed.to_string(),
            self.failed.to_string(),
            text(&self.success_rate),
            text(&self.fill_rate),
            text(&self.traded_value),
            text(&self.slippage),
            text(&self.arrival_slippage),
            text(&self.fees),
            text(&self.cost),
            text(&self.cost_bp),
            self.cost_not_known.to_string(),
        ];
        Sheet::new("quality", columns).with([row])
    }
}

impl Line {
    fn of(view: &RebalanceLine) -> Self {
        let metrics = view.metrics.as_ref();
        let of_plan = |name: &str| metrics.and_then(|all| text(&all[name]));
        let of_execution = |name: &str| metrics.and_then(|all| text(&all["execution"][name]));
        let count = |name: &str| metrics.and_then(|all| all["execution"][name].as_i64());
        Self {
            rebalance_id: view.rebalance_id.clone(),
            began_at: moment(view.began_at).to_string(),
            updated_at: moment(view.updated_at).to_string(),
            trigger: view.trigger.clone(),
            status: view.status.clone(),
            code: view.code.clone(),
            orders: count("orders"),
            turnover: of_plan("turnover"),
            fill_rate: of_execution("fill_rate"),
            traded_value: of_execution("traded_value"),
            slippage: of_execution("slippage"),
            slippage_bp: of_execution("slippage_bp"),
            arrival_slippage: of_execution("arrival_slippage"),
            arrival_slippage_bp: of_execution("arrival_slippage_bp"),
            fees: of_execution("fees"),
            cost: of_execution("cost"),
            cost_bp: of_execution("cost_bp"),
            first_fill_us: count("first_fill_us"),
            last_fill_us: count("last_fill_us"),
            reason: of_execution("reason"),
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned)
}

fn decimal(text: Option<&str>) -> Option<Decimal> {
    text.and_then(|text| text.parse().ok())
}

impl Report for RebalancesReport {
    fn sheets(&self) -> Vec<Sheet> {
        self.parts(false)
    }
    fn exact(&self) -> Vec<Sheet> {
        self.parts(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::{self, Format};
    use postgres_store::Micros;

    fn report() -> RebalancesReport {
        let execution = serde_json::json!({"turnover": "0.2", "execution": {
            "orders": 2, "fill_rate": "0.975", "traded_value": "39439.5", "slippage": "439.5", "slippage_bp": "111.8321",
            "arrival_slippage": "246.5", "arrival_slippage_bp": "62.4161", "fees": "9", "cost": "448.5", "cost_bp": "113.7185",
            "first_fill_us": 2_000_000, "last_fill_us": 9_000_000, "reason": null, "lines": []}});
        let line = |status: &str, metrics: Option<Value>| RebalanceLine {
            rebalance_id: "bbd039b5".to_owned(),
            began_at: Micros(1_767_623_400_000_000),
            trigger: "THRESHOLD".to_owned(),
            status: status.to_owned(),
            code: None,
            metrics,
            updated_at: Micros(1_767_623_460_000_000),
        };
        let figure = |text: &str| Some(text.parse().unwrap());
        let quality = QualityView {
            released: 3,
            completed: 2,
            failed: 1,
            success_rate: figure("0.666666666667"),
            fill_rate: figure("0.91"),
            traded_value: figure("78879"),
            slippage: figure("879"),
            arrival_slippage: figure("493"),
            fees: figure("18"),
            cost: figure("897"),
            cost_bp: figure("113.7185"),
            untold: 1,
        };
        RebalancesReport::of("growth", &[line("RELEASED", None), line("COMPLETED", Some(execution))], Some(&quality))
    }

    #[test]
    fn a_table_begins_with_what_all_of_them_came_to() {
        let text = sheet::text(&report(), Format::Table);
        assert!(text.starts_with("growth: 2 of 3 rebalances completed (66.67 %), 91.00 % of the ordered value filled\n"), "{text}");
        assert!(text.contains("cost 897.00 (113.72 bp)\nof 1 of them the cost is not known"), "{text}");
        assert!(text.contains("THRESHOLD COMPLETED"), "{text}");
    }

    #[test]
    fn programs_get_every_digit_and_nothing_for_what_is_not_known() {
        let json: Value = serde_json::from_str(&sheet::text(&report(), Format::Json)).unwrap();
        assert_eq!(json["rebalances"][1]["slippage_bp"], "111.8321");
        assert_eq!(json["rebalances"][0]["cost"], Value::Null);
        assert_eq!(json["quality"]["success_rate"], "0.666666666667");
        let csv = sheet::text(&report(), Format::Csv);
        assert!(csv.contains("quality,3,2,1,0.666666666667,0.91,78879,879,493,18,897,113.7185,1"), "{csv}");
    }
}
