//! `ballast shadow`: what shadow rules came to beside the policy's own. It reads drift and rebalance events and adds
//! them up; it plans nothing anew and changes nothing.

use crate::avro::json_of;
use crate::cli::ShadowArgs;
use crate::config::Config;
use crate::kafka::stored;
use crate::outcome::Outcome;
use crate::print;
use anyhow::Context as _;
use domain::drift::Drift;
use domain::enums::{DriftKind, RebalanceStatus, RebalanceTrigger, Side};
use domain::ids::uuid_of;
use domain::order::Order;
use domain::rebalance_event::RebalanceEvent;
use domain::{FixedError, Fraction, InstrumentId, Money, OrderId, PortfolioId, Quantity, RebalanceId, Topic, Uuid};
use kafka_log::{Pace, Reader, Start, TopicName, Topics};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, stdin};
use std::process::ExitCode;
use std::time::Duration;

/// How long the broker may take for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The topics that are compared.
const TOPICS: [Topic; 2] = [Topic::Drift, Topic::RebalanceEvents];

/// Reads, compares, prints.
pub fn run(config: &Config, args: &ShadowArgs) -> anyhow::Result<ExitCode> {
    let mut comparison = Comparison::default();
    match &args.file {
        _ if args.kafka => read_topics(config, &mut comparison)?,
        Some(file) => {
            read_lines(BufReader::new(File::open(file).with_context(|| format!("reading {}", file.display()))?), &mut comparison)?
        }
        None => read_lines(stdin().lock(), &mut comparison)?,
    }
    let reports = comparison.reports(args.portfolio.as_deref())?;
    let shown = |report: &Report| if args.json { serde_json::to_string(report).expect("a report is JSON") } else { report.table() };
    reports.iter().map(shown).try_for_each(|text| print::line(text.trim_end()))?;
    if reports.is_empty() {
        print::aside(comparison.why_empty());
        return Ok(Outcome::NothingThere.into());
    }
    Ok(ExitCode::SUCCESS)
}

/// A line as it is printed; those of other topics are passed over.
#[derive(Deserialize)]
struct PrintedLine<'a> {
    topic: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

fn read_lines(lines: impl BufRead, comparison: &mut Comparison) -> anyhow::Result<()> {
    for (index, line) in lines.lines().enumerate() {
        let line = line?;
        if !line.trim().is_empty() {
            comparison.line(&line).with_context(|| format!("line {}", index + 1))?;
        }
    }
    Ok(())
}

fn read_topics(config: &Config, comparison: &mut Comparison) -> anyhow::Result<()> {
    let schemas = config.schemas.load()?;
    for topic in TOPICS {
        let name = TopicName::from(topic.name());
        let described = Topics::open(&config.kafka)?.describe(std::slice::from_ref(&name))?;
        let Some(found) = described.first() else { anyhow::bail!("there is no topic {topic}: see `ballast topics check`") };
        let mut reader = Reader::open(&config.kafka, Pace::Live, "shadow")?;
        let mut starts = Vec::new();
        for partition in 0..found.partitions {
            starts.push(Start { topic: name.clone(), partition, offset: reader.bounds(&name, partition, PATIENCE)?.start });
        }
        let mut open: BTreeSet<i32> = starts.iter().map(|start| start.partition).collect();
        reader.assign(&starts)?;
        while !open.is_empty() {
            let batch = reader.poll_patiently(1000, Duration::from_millis(200), PATIENCE)?;
            for record in batch.records() {
                let record = stored(&record);
                let value = json_of(&schemas, topic.name(), &record);
                comparison.value(topic, &value).with_context(|| format!("{topic}@{}", record.offset))?;
            }
            batch.ends().iter().for_each(|end| _ = open.remove(&end.partition));
        }
    }
    Ok(())
}

/// What was read, by portfolio.
#[derive(Default)]
struct Comparison {
    portfolios: BTreeMap<PortfolioId, Portfolio>,
    /// Texts that were read: a step may be published twice, with the same bytes.
    known: BTreeSet<Uuid>,
    /// Whether a line was of a topic that only systems outside write: what a replay reads, and never prints.
    of_inputs: bool,
}

/// Both sets of rules of one portfolio.
#[derive(Default)]
struct Portfolio {
    currency: Option<String>,
    policies: BTreeSet<i64>,
    shadowed: bool,
    own: RuleSet,
    shadow: RuleSet,
}

/// What one set of rules came to.
#[derive(Default)]
struct RuleSet {
    breaches: BTreeSet<i64>,
    plans: BTreeMap<RebalanceId, Planned>,
    by_persons: BTreeSet<RebalanceId>,
    refused: BTreeMap<String, usize>,
}

/// The orders of one rebalance.
struct Planned {
    /// Its place among the plans of its set.
    place: usize,
    /// The episode that it answers; `None` where a schedule asked for it.
    episode: Option<i64>,
    released: bool,
    fees: Money,
    turnover: Fraction,
    orders: BTreeMap<OrderId, Order>,
}

impl Comparison {
    fn line(&mut self, text: &str) -> anyhow::Result<()> {
        let shape = "a line is {\"topic\": …, \"value\": …}, as `ballast replay` prints it";
        let line: PrintedLine<'_> = serde_json::from_str(text).context(shape)?;
        match TOPICS.into_iter().find(|topic| topic.name() == line.topic) {
            Some(topic) => self.value(topic, line.value.get()),
            None if Topic::from_name(&line.topic).is_some_and(Topic::is_from_outside) => {
                self.of_inputs = true;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn value(&mut self, topic: Topic, json: &str) -> anyhow::Result<()> {
        if !self.known.insert(uuid_of(&[topic.name().as_bytes(), json.as_bytes()])) {
            return Ok(());
        }
        if topic == Topic::Drift {
            self.drift(&serde_json::from_str(json).context("no drift event can be read from it")?);
        } else {
            self.event(serde_json::from_str(json).context("no rebalance event can be read from it")?);
        }
        Ok(())
    }

    fn drift(&mut self, drift: &Drift) {
        let portfolio = self.portfolios.entry(drift.portfolio_id.clone()).or_default();
        if let Some(policy) = &drift.policy {
            portfolio.currency = Some(policy.base_currency.to_string());
            portfolio.policies.insert(policy.policy_version);
            portfolio.shadowed |= policy.shadow.is_some();
        }
        if drift.event == DriftKind::Open {
            portfolio.rules(drift.shadow).breaches.insert(drift.episode);
        }
    }

    fn event(&mut self, event: RebalanceEvent) {
        let portfolio = self.portfolios.entry(event.portfolio_id.clone()).or_default();
        portfolio.shadowed |= event.shadow;
        portfolio.rules(event.shadow).event(event);
    }

    /// Why there is nothing to compare.
    fn why_empty(&self) -> &'static str {
        if self.of_inputs && self.portfolios.is_empty() {
            "these lines are what a replay reads, and shadow compares what it prints: ballast replay < in.jsonl | ballast shadow"
        } else {
            "no portfolio of these records has shadow rules: give its policy a `shadow` (README.md), and look at all of its topics"
        }
    }

    fn reports(&self, only: Option<&str>) -> anyhow::Result<Vec<Report>> {
        let asked = |id: &PortfolioId| only.is_none_or(|only| id.as_str() == only);
        let shadowed = self.portfolios.iter().filter(|(id, portfolio)| asked(id) && portfolio.shadowed);
        shadowed.map(|(id, portfolio)| portfolio.report(id).with_context(|| format!("adding up {id}"))).collect()
    }
}

impl Portfolio {
    fn rules(&mut self, shadow: bool) -> &mut RuleSet {
        if shadow { &mut self.shadow } else { &mut self.own }
    }

    fn report(&self, id: &PortfolioId) -> Result<Report, FixedError> {
        // The book follows its own rules: each of their plans was one. It never follows the shadow's.
        let (own, shadow) = (self.own.counted(|_| true), self.shadow.first_of_episodes());
        Ok(Report {
            portfolio_id: id.clone(),
            base_currency: self.currency.clone(),
            policy_versions: self.policies.iter().copied().collect(),
            own: self.own.figures(&own)?,
            shadow: self.shadow.figures(&shadow)?,
            orders_that_differ: differences(&own, &shadow)?,
        })
    }
}

impl RuleSet {
    fn event(&mut self, event: RebalanceEvent) {
        use RebalanceStatus::{PendingApproval, Proposed, Refused, Released};
        if event.trigger == RebalanceTrigger::Manual {
            self.by_persons.insert(event.rebalance_id);
            return;
        }
        match event.status {
            Refused => *self.refused.entry(event.code.map_or("?".to_owned(), |code| code.to_string())).or_default() += 1,
            Proposed | PendingApproval | Released if !event.orders.is_empty() => self.plan(event),
            _ => {}
        }
    }

    /// A proposal counts as it stood last; what was released of it counts in its place, wave by wave.
    fn plan(&mut self, event: RebalanceEvent) {
        let released = event.status == RebalanceStatus::Released;
        let orders = event.orders.into_iter().map(|order| (order.order_id, order));
        let known = self.plans.get_mut(&event.rebalance_id);
        let place = known.as_ref().map(|known| known.place);
        if let Some(known) = known.filter(|known| released && known.released) {
            return known.orders.extend(orders);
        }
        let plan = Planned {
            place: place.unwrap_or(self.plans.len()),
            episode: (event.trigger == RebalanceTrigger::Threshold).then_some(event.drift_episode),
            released,
            fees: event.expected_fees.unwrap_or_default(),
            turnover: event.turnover.unwrap_or_default(),
            orders: orders.collect(),
        };
        self.plans.insert(event.rebalance_id, plan);
    }

    /// Plans in the order in which they came, as far as `counts` counts them.
    fn counted(&self, counts: impl FnMut(&&Planned) -> bool) -> Vec<&Planned> {
        let mut plans: Vec<&Planned> = self.plans.values().collect();
        plans.sort_by_key(|plan| plan.place);
        plans.into_iter().filter(counts).collect()
    }

    /// The first plan of each episode: what follows it would not have come, had the book followed.
    fn first_of_episodes(&self) -> Vec<&Planned> {
        let mut seen = BTreeSet::new();
        self.counted(|plan| plan.episode.is_none_or(|episode| seen.insert(episode)))
    }

    fn figures(&self, counted: &[&Planned]) -> Result<Figures, FixedError> {
        let orders = || counted.iter().flat_map(|plan| plan.orders.values());
        Ok(Figures {
            breaches: self.breaches.len(),
            plans: self.plans.len(),
            plans_counted: counted.len(),
            orders: orders().count(),
            ordered_value: orders().try_fold(Money::ZERO, |sum, order| sum.checked_add(order.expected_value))?,
            turnover: counted.iter().try_fold(Fraction::ZERO, |sum, plan| sum.checked_add(plan.turnover))?,
            expected_fees: counted.iter().try_fold(Money::ZERO, |sum, plan| sum.checked_add(plan.fees))?,
            refused: self.refused.clone(),
            asked_for_by_persons: self.by_persons.len(),
        })
    }
}

/// What one portfolio's report says.
#[derive(Serialize)]
struct Report {
    portfolio_id: PortfolioId,
    base_currency: Option<String>,
    policy_versions: Vec<i64>,
    own: Figures,
    shadow: Figures,
    orders_that_differ: Vec<Difference>,
}

/// Sums over one set of rules; amounts in the base currency, turnover as a sum of fractions of equity.
#[derive(Serialize)]
struct Figures {
    breaches: usize,
    plans: usize,
    plans_counted: usize,
    orders: usize,
    ordered_value: Money,
    turnover: Fraction,
    expected_fees: Money,
    refused: BTreeMap<String, usize>,
    asked_for_by_persons: usize,
}

/// What both sets ordered of one instrument on one side, where that is not the same.
#[derive(Default, Serialize)]
struct Difference {
    instrument_id: Option<InstrumentId>,
    side: &'static str,
    own_quantity: Quantity,
    own_value: Money,
    shadow_quantity: Quantity,
    shadow_value: Money,
}

fn differences(own: &[&Planned], shadow: &[&Planned]) -> Result<Vec<Difference>, FixedError> {
    let mut rows: BTreeMap<(&InstrumentId, &'static str), Difference> = BTreeMap::new();
    for (plans, is_shadow) in [(own, false), (shadow, true)] {
        for order in plans.iter().flat_map(|plan| plan.orders.values()) {
            let side = if order.side == Side::Buy { "BUY" } else { "SELL" };
            let row = rows.entry((&order.instrument_id, side)).or_default();
            (row.instrument_id, row.side) = (Some(order.instrument_id.clone()), side);
            let (quantity, value) =
                if is_shadow { (&mut row.shadow_quantity, &mut row.shadow_value) } else { (&mut row.own_quantity, &mut row.own_value) };
            *quantity = quantity.checked_add(order.quantity)?;
            *value = value.checked_add(order.expected_value)?;
        }
    }
    Ok(rows.into_values().filter(|row| row.own_quantity != row.shadow_quantity).collect())
}

impl Report {
    fn table(&self) -> String {
        let versions: Vec<_> = self.policy_versions.iter().map(i64::to_string).collect();
        let currency = self.base_currency.as_deref().unwrap_or("the base currency");
        let mut text = format!("{}, policy versions {}, amounts in {currency}\n", self.portfolio_id, versions.join(" "));
        let mut row = |name: &str, own: &dyn std::fmt::Display, shadow: &dyn std::fmt::Display| {
            let (own, shadow) = (own.to_string(), shadow.to_string());
            writeln!(text, "  {name:<22} {own:>20} {shadow:>20}").expect("writing to memory cannot fail");
        };
        let (own, shadow) = (&self.own, &self.shadow);
        row("", &"own rules", &"shadow");
        row("breaches", &own.breaches, &shadow.breaches);
        row("plans with orders", &own.plans, &shadow.plans);
        row("  of them counted", &own.plans_counted, &shadow.plans_counted);
        row("orders", &own.orders, &shadow.orders);
        row("ordered value", &own.ordered_value, &shadow.ordered_value);
        row("turnover", &own.turnover, &shadow.turnover);
        row("expected fees", &own.expected_fees, &shadow.expected_fees);
        let codes: BTreeSet<&String> = own.refused.keys().chain(shadow.refused.keys()).collect();
        for code in codes {
            let of = |figures: &Figures| figures.refused.get(code).copied().unwrap_or(0);
            row(&format!("refused {code}"), &of(own), &of(shadow));
        }
        row("asked for by persons", &own.asked_for_by_persons, &shadow.asked_for_by_persons);
        self.orders(&mut text);
        text
    }

    fn orders(&self, text: &mut String) {
        if self.orders_that_differ.is_empty() {
            text.push_str("  both ordered the same\n");
            return;
        }
        let mut row = |cells: [&str; 6]| {
            let [instrument, side, own, own_value, shadow, shadow_value] = cells;
            writeln!(text, "  {instrument:<16} {side:<4} {own:>14} {own_value:>16} {shadow:>14} {shadow_value:>16}")
                .expect("writing to memory cannot fail");
        };
        row(["differing orders", "", "own rules", "value", "shadow", "value"]);
        for line in &self.orders_that_differ {
            let id = line.instrument_id.as_ref().map_or("?", |id| id.as_str());
            let (own, shadow) = (line.own_quantity.to_string(), line.shadow_quantity.to_string());
            row([id, line.side, &own, &line.own_value.to_string(), &shadow, &line.shadow_value.to_string()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::{Options, replay};

    /// A book of two shares: AAA falls out of two points, later out of five; the shadow bears two.
    fn replayed() -> String {
        let policy = r#""targets":[{"instrument_id":"AAA","target_weight":"0.5"},{"instrument_id":"BBB","target_weight":"0.5"}]"#;
        let head = r#""portfolio_id":"P","base_currency":"USD""#;
        let mut lines = Vec::new();
        let mut line = |topic: &str, second: u32, value: &str| {
            lines.push(format!(r#"{{"topic":"{topic}","timestamp":"2026-01-05T14:00:{second:02}Z","value":{value}}}"#));
        };
        for id in ["AAA", "BBB"] {
            line("reference.instruments.v1", 0, &format!(r#"{{"instrument_id":"{id}","type":"EQUITY","currency":"USD"}}"#));
            let tick = format!(r#"{{"instrument_id":"{id}","last":"10","event_time":"2026-01-05T14:00:00Z"}}"#);
            line("marketdata.ticks.v1", 0, &tick);
        }
        line("portfolio.policies.v1", 0, &format!(r#"{{{head},"policy_version":1}}"#));
        let cash = r#"{"source":"B","entry_id":"1","portfolio_id":"P","kind":"DEPOSIT","currency":"USD","amount":"1000","effective_at":"2026-01-05T14:00:00Z"}"#;
        line("treasury.cash.v1", 0, cash);
        for (exec, id) in [("1", "AAA"), ("2", "BBB")] {
            let fill = format!(
                r#"{{"source":"B","exec_id":"{exec}","trade_date":"2026-01-05","exec_type":"TRADE","portfolio_id":"P","instrument_id":"{id}","side":"BUY","quantity":"50","price":"10","currency":"USD","transact_time":"2026-01-05T14:00:00Z"}}"#
            );
            line("execution.fills.v1", 0, &fill);
        }
        let shadow = format!(r#"{{{policy},"band":{{"absolute":"0.02"}},"orders":{{"fees":{{"fixed":"1"}}}}}}"#);
        line("portfolio.policies.v1", 1, &format!(r#"{{{head},"policy_version":2,{policy},"shadow":{shadow}}}"#));
        for (second, price) in [(2, "11"), (3, "11.3"), (4, "13"), (5, "10"), (6, "11")] {
            let tick = format!(r#"{{"instrument_id":"AAA","last":"{price}","event_time":"2026-01-05T14:00:{second:02}Z"}}"#);
            line("marketdata.ticks.v1", second, &tick);
        }
        let mut output = Vec::new();
        replay(lines.join("\n").as_bytes(), &mut output, &Options::default()).unwrap();
        String::from_utf8(output).unwrap()
    }

    fn compared(text: &str) -> Comparison {
        let mut comparison = Comparison::default();
        read_lines(text.as_bytes(), &mut comparison).unwrap();
        comparison
    }

    #[test]
    fn both_sets_stand_side_by_side() {
        let reports = compared(&replayed()).reports(None).unwrap();
        let table = reports[0].table();
        let expected = "\
P, policy versions 1 2, amounts in USD
                                    own rules               shadow
  breaches                                  1                    2
  plans with orders                         1                    4
    of them counted                         1                    2
  orders                                    2                    4
  ordered value                           125                   84
  turnover                     0.108695652174                 0.08
  expected fees                             0                    4
  asked for by persons                      0                    0
  differing orders           own rules            value         shadow            value
  AAA              SELL              5               65              4               44
  BBB              BUY               6               60              4               40
";
        assert_eq!(table, expected, "{table}");
    }

    #[test]
    fn as_json_with_the_same_figures() {
        let reports = compared(&replayed()).reports(Some("P")).unwrap();
        let json: serde_json::Value = serde_json::from_str(&serde_json::to_string(&reports[0]).unwrap()).unwrap();
        assert_eq!((json["shadow"]["breaches"].as_u64(), json["own"]["breaches"].as_u64()), (Some(2), Some(1)), "{json}");
        assert!(json["orders_that_differ"][0]["shadow_quantity"].is_string(), "{json}");
        assert!(compared(&replayed()).reports(Some("Q")).unwrap().is_empty());
    }

    #[test]
    fn what_is_read_twice_counts_once_and_other_topics_do_not() {
        let text = replayed();
        let twice = compared(&format!("{text}{text}")).reports(None).unwrap();
        assert_eq!(twice[0].table(), compared(&text).reports(None).unwrap()[0].table());
        let error = read_lines("{\"topic\":1}".as_bytes(), &mut Comparison::default()).unwrap_err();
        assert!(format!("{error:#}").starts_with("line 1: a line is"), "{error:#}");
    }

    #[test]
    fn what_a_replay_reads_is_told_from_what_it_prints() {
        let fill = r#"{"topic":"execution.fills.v1","value":{"source":"B"}}"#;
        assert!(compared(fill).why_empty().contains("ballast replay < in.jsonl | ballast shadow"));
        assert!(compared(r#"{"topic":"portfolio.snapshots.v1","value":{}}"#).why_empty().contains("has shadow rules"));
    }

    #[test]
    fn without_a_shadow_there_is_nothing_to_compare() {
        let plain: Vec<_> = replayed()
            .lines()
            .filter(|line| !line.contains("\"shadow\":{") && !line.contains("\"shadow\":true"))
            .map(str::to_owned)
            .collect();
        assert!(compared(&plain.join("\n")).reports(None).unwrap().is_empty());
    }
}
