//! Which metrics an expression of PromQL reads, and that the service defines each, with the labels that are asked for.

use promql_parser::parser::{self, Expr};
use telemetry::names::{ALL, Definition, Kind};

/// What Prometheus adds by itself.
const OWN: [&str; 1] = ["up"];
/// Labels that Prometheus adds to whatever it scrapes, and that histograms have.
const ADDED: [&str; 3] = ["job", "instance", "le"];

/// What is wrong with an expression; nothing, where each metric is defined and has the labels that are named.
pub fn faults(expression: &str) -> Vec<String> {
    let plain = without_variables(expression);
    match parser::parse(&plain) {
        Ok(parsed) => selectors(&parsed).iter().flat_map(|(name, labels)| selector_faults(name, labels)).collect(),
        Err(error) => vec![format!("{expression}: {error}")],
    }
}

/// Grafana's variables as what they become.
fn without_variables(expression: &str) -> String {
    expression.replace("$__rate_interval", "5m").replace("$__range", "1h")
}

type Selector = (String, Vec<String>);

fn selectors(expression: &Expr) -> Vec<Selector> {
    let of = |selector: &parser::VectorSelector| {
        let named = selector.matchers.matchers.iter().filter(|matcher| matcher.name == "__name__").map(|matcher| matcher.value.clone());
        let name = selector.name.clone().into_iter().chain(named).next().unwrap_or_default();
        let labels = selector.matchers.matchers.iter().map(|matcher| matcher.name.clone()).filter(|label| label != "__name__");
        vec![(name, labels.collect())]
    };
    match expression {
        Expr::VectorSelector(selector) => of(selector),
        Expr::MatrixSelector(matrix) => of(&matrix.vs),
        Expr::Aggregate(aggregate) => {
            let parameter = aggregate.param.iter().flat_map(|parameter| selectors(parameter));
            selectors(&aggregate.expr).into_iter().chain(parameter).collect()
        }
        Expr::Unary(unary) => selectors(&unary.expr),
        Expr::Binary(binary) => selectors(&binary.lhs).into_iter().chain(selectors(&binary.rhs)).collect(),
        Expr::Paren(paren) => selectors(&paren.expr),
        Expr::Subquery(query) => selectors(&query.expr),
        Expr::Call(call) => call.args.args.iter().flat_map(|argument| selectors(argument)).collect(),
        _ => Vec::new(),
    }
}

fn selector_faults(name: &str, labels: &[String]) -> Vec<String> {
    if OWN.contains(&name) {
        return Vec::new();
    }
    let Some(definition) = ALL.iter().find(|definition| shown(definition).iter().any(|shown| shown == name)) else {
        return vec![format!("no process shows {name}")];
    };
    let is_known = |label: &String| definition.labels.contains(&label.as_str()) || ADDED.contains(&label.as_str());
    labels.iter().filter(|label| !is_known(label)).map(|label| format!("{name} has no label {label}")).collect()
}

/// Under which names a metric is shown.
fn shown(definition: &Definition) -> Vec<String> {
    let name = definition.name;
    match definition.kind {
        Kind::Counter => vec![format!("{name}_total")],
        Kind::Gauge => vec![name.to_owned()],
        Kind::Histogram(_) => ["_bucket", "_sum", "_count"].map(|ending| format!("{name}{ending}")).to_vec(),
    }
}

#[test]
fn what_nobody_shows_is_found() {
    assert_eq!(faults("sum by (role) (rate(ballast_steps_total{role=\"rebalancer\"}[$__rate_interval])) > 1"), [""; 0]);
    assert_eq!(faults("max(ballast_steps) - ballast_gone"), ["no process shows ballast_steps", "no process shows ballast_gone"]);
    assert_eq!(faults("ballast_halts{portfolio=\"p\"}"), ["ballast_halts has no label portfolio"]);
    assert_eq!(faults("histogram_quantile(0.9, ballast_commit_latency_seconds_bucket{le=\"1\"})"), [""; 0]);
    assert_eq!(faults("sum(").len(), 1, "it cannot be read");
}
