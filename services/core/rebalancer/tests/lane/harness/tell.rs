//! Outputs, one line each: what a reader of a test wants to see, and no more.

use domain::Output;
use domain::order::{Order, OrderWave};
use domain::rebalance_event::RebalanceEvent;

/// The outputs, told.
pub fn tell(outputs: &[Output]) -> String {
    outputs.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(output: &Output) -> String {
    match output {
        Output::OrderWave(wave) => wave_line(wave),
        Output::RebalanceEvent(event) => event_line(event),
        Output::Refresh(_) => "refresh".to_owned(),
        Output::DeadLetter(letter) => format!("dead letter {}", letter.code),
        other => panic!("no output of the rebalancer: {other:?}"),
    }
}

fn wave_line(wave: &OrderWave) -> String {
    format!("  wave {} {} {}", wave.wave_number, wave.kind, orders(&wave.orders))
}

fn event_line(event: &RebalanceEvent) -> String {
    let code = event.code.map(|code| format!(" {code}")).unwrap_or_default();
    let shadow = if event.shadow { " shadow" } else { "" };
    let by = event.command_id.as_ref().map(|id| format!(" by {id}")).unwrap_or_default();
    let orders = if event.orders.is_empty() { String::new() } else { format!(" {}", orders(&event.orders)) };
    format!("{} {}{shadow}{code}{by}{orders}", event.trigger, event.status)
}

fn orders(orders: &[Order]) -> String {
    let all: Vec<_> = orders.iter().map(|order| format!("{} {} {}", order.side, order.quantity, order.instrument_id)).collect();
    format!("[{}]", all.join(", "))
}

/// What the event at that place says of each instrument: `AAA ORDER DRIFT_SELL, BBB SKIP WITHIN_BAND`.
pub fn explained(outputs: &[Output], place: usize) -> String {
    let Output::RebalanceEvent(event) = &outputs[place] else { panic!("no event: {:?}", outputs[place]) };
    let lines = event.explanation.iter().map(|line| format!("{} {} {}", line.instrument_id, line.decision, line.reason));
    lines.collect::<Vec<_>>().join(", ")
}

/// The words of the event at that place.
pub fn words(outputs: &[Output], place: usize) -> &str {
    let Output::RebalanceEvent(event) = &outputs[place] else { panic!("no event: {:?}", outputs[place]) };
    event.text.as_deref().unwrap_or_default()
}
