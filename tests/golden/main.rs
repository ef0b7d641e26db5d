//! Text in, text out: events as JSON lines go through the whole core in process, and what it publishes
//! is compared with approved lines, with an independent model, and with the rules for bad input.
//! Adding a case is adding a file (`cases/`) or a line (`refusals.jsonl`). No server is used here.

mod approved;
mod balance;
mod calendars;
mod core;
mod coverage;
mod mutation;
mod oracle;
mod performance;
mod refusals;
mod views;
