//! Hostile lines: the inputs of all cases, broken by a seeded hand. Whatever comes in, the core never
//! panics, tells the same twice, balances, and still books a good portfolio beside the broken one.
//! A failing run prints its seed; `GOLDEN_SEED` repeats one, `GOLDEN_SECONDS` runs longer.

use crate::balance;
use crate::core::{cases, input, run, run_bytes};
use std::time::{Duration, Instant};

/// A small generator of its own, so that a seed means the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).expect("it is below a usize")
    }
    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

/// Values that software breaks on.
const EVIL: [&str; 40] = [
    "null",
    "true",
    "0",
    "-1",
    "\"\"",
    "\"0\"",
    "\"-0\"",
    "\"-1\"",
    "\"1e-8\"",
    "\"0.00000001\"",
    "\"0.0000000001\"",
    "\"0.00000000001\"",
    "\"99999999999999999999.99999999\"",
    "\"999999999999999999.9999999999\"",
    "\"9999999999999999\"",
    "\"1000000000\"",
    "\"-999999999999999999\"",
    "\"1e400\"",
    "\"NaN\"",
    "\"Infinity\"",
    "1e308",
    "[]",
    "{}",
    "[[[[[[]]]]]]",
    "\"AAA\"",
    "\"USD\"",
    "\"EUR\"",
    "\"EUR/USD\"",
    "\"P\"",
    "\"\\u0000\"",
    "\"\\ud83d\\ude00\"",
    "\"UNKNOWN\"",
    "\"SELL\"",
    "\"2026-01-05\"",
    "\"9999-12-31\"",
    "\"0001-01-01\"",
    "\"9999-12-30T22:00:00Z\"",
    "\"-009999-01-02T01:59:59Z\"",
    "9223372036854775807",
    "-9223372036854775808",
];

/// Where the value after a field's colon ends.
fn value_end(line: &str, from: usize) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for (at, byte) in line.bytes().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => return at,
            b'}' | b']' => depth -= 1,
            b',' if depth == 0 => return at,
            _ => {}
        }
    }
    line.len()
}

fn evil_field(line: &str, chance: &mut Chance) -> String {
    let fields: Vec<usize> = line.match_indices("\":").map(|(at, _)| at + 2).collect();
    if fields.is_empty() {
        return line.to_owned();
    }
    let from = *chance.of(&fields);
    let evil = if chance.below(12) == 0 { format!("\"{}\"", "x".repeat(200)) } else { (*chance.of(&EVIL)).to_owned() };
    format!("{}{evil}{}", &line[..from], &line[value_end(line, from)..])
}

fn evil_bytes(line: &str, chance: &mut Chance) -> String {
    let mut letters: Vec<char> = line.chars().collect();
    if letters.is_empty() {
        return String::new();
    }
    let at = chance.below(letters.len());
    match chance.below(4) {
        0 => letters[at] = *chance.of(&['"', '{', '}', '0', '9', '-', ',', '\u{7f}', 'é']),
        1 => letters.truncate(at),
        2 => letters.insert(at, *chance.of(&['"', '\\', '1', 'E', '.'])),
        _ => {
            letters.remove(at);
        }
    }
    letters.into_iter().filter(|letter| *letter != '\n').collect()
}

/// The lines, broken in a few places.
fn broken(lines: &[String], chance: &mut Chance) -> Vec<String> {
    let mut lines = lines.to_vec();
    for _ in 0..=chance.below(5) {
        if lines.is_empty() {
            break;
        }
        let at = chance.below(lines.len());
        match chance.below(10) {
            0 => {
                lines.remove(at);
            }
            1 => lines.insert(chance.below(lines.len()), lines[at].clone()),
            2 => {
                let other = chance.below(lines.len());
                lines.swap(at, other);
            }
            3 => lines[at] = evil_bytes(&lines[at], chance),
            _ => lines[at] = evil_field(&lines[at], chance),
        }
    }
    lines
}

/// A portfolio that nobody breaks.
const BYSTANDER: [&str; 4] = [
    r#"{"topic":"reference.instruments.v1","timestamp":"2026-01-05T14:00:00Z","value":{"instrument_id":"BYSTANDER","type":"EQUITY","currency":"USD"}}"#,
    r#"{"topic":"portfolio.policies.v1","value":{"portfolio_id":"bystander","policy_version":1,"base_currency":"USD"}}"#,
    r#"{"topic":"treasury.cash.v1","value":{"source":"SAFE","entry_id":"b1","portfolio_id":"bystander","kind":"DEPOSIT","currency":"USD","amount":"10","effective_at":"2026-01-05T14:00:00Z"}}"#,
    r#"{"topic":"execution.fills.v1","value":{"source":"SAFE","exec_id":"b1","trade_date":"2026-01-05","exec_type":"TRADE","portfolio_id":"bystander","instrument_id":"BYSTANDER","side":"BUY","quantity":"1","price":"4","currency":"USD","transact_time":"2026-01-05T14:00:00Z"}}"#,
];

fn survive(seed: u64, stock: &[Vec<String>]) -> Result<(), String> {
    let mut chance = Chance(seed);
    let mut lines: Vec<String> = BYSTANDER.iter().map(|line| (*line).to_owned()).collect();
    let chosen = &stock[chance.below(stock.len())];
    lines.extend(broken(chosen, &mut chance));
    let text = lines.join("\n");
    let told = std::panic::catch_unwind(|| run(&text)).map_err(|_| format!("it panics on\n{text}"))?;
    balance::holds(&text, &told).map_err(|why| format!("{why} on\n{text}"))?;
    if run(&text).text != told.text {
        return Err(format!("two runs differ on\n{text}"));
    }
    let booked = told.text.matches(r#""portfolio_id":"bystander","version":2,"entries""#).count();
    if booked != 1 { Err(format!("the bystander's fill is not booked on\n{text}")) } else { Ok(()) }
}

#[test]
fn broken_lines_break_nothing_else() {
    let stock: Vec<Vec<String>> = cases().iter().map(|case| input(case).lines().map(str::to_owned).collect()).collect();
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("GOLDEN_SEED") {
        return survive(seed, &stock).unwrap_or_else(|why| panic!("seed {seed}: {why}"));
    }
    let end = Instant::now() + Duration::from_secs(number("GOLDEN_SECONDS").unwrap_or(8));
    let mut seed = 0;
    while seed < 200 || Instant::now() < end {
        survive(seed, &stock).unwrap_or_else(|why| panic!("GOLDEN_SEED={seed}: {why}"));
        seed += 1;
    }
    println!("{seed} broken inputs survived");
}

#[test]
fn bytes_that_are_no_text_end_the_run_with_words() {
    let mut bytes = BYSTANDER.join("\n").into_bytes();
    bytes.extend_from_slice(b"\n\xff\xfe\xc3\x01\n");
    let told = run_bytes(&bytes);
    assert!(told.is_ok_and(|told| told.text.contains("UNDECODABLE")), "a line that is no UTF-8 is a dead letter, and the run goes on");
}
