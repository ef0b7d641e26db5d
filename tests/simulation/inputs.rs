//! What comes from outside in a play: instruments, prices, executions, cash, policies, commands, as honest and as
//! careless systems send them. All of it is drawn beforehand, so that a part can be left out.

use crate::chance::Chance;
use crate::faults::{Fault, Mix};
use ballast::messages::{OutMessage, input_message};
use domain::{Input, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// The moment at which every play begins, in microseconds: ten seconds before an hour at which some portfolios cut their
/// days.
pub const BEGINNING: i64 = 1_772_546_390_000_000;
/// Every instrument of a play.
pub const INSTRUMENTS: [&str; 4] = ["ALFA", "BRAVO", "CHARLIE", "DELTA"];
const CENTS: [i64; 4] = [10_000, 4_200, 25_050, 777];
/// Every portfolio of a play.
pub const PORTFOLIOS: [&str; 5] = ["growth", "income", "north", "south", "family"];

/// How large orders leave, where they leave in slices: so few that a calm outlasts them.
const SLICING: [&str; 4] = [
    "null",
    "null",
    r#"{"above_volume": "0.02", "waves": 3, "interval_seconds": 1}"#,
    r#"{"above_volume": "0.05", "participation": "1", "interval_seconds": 2}"#,
];

/// A record and its moment.
#[derive(Debug, Clone)]
pub struct Timed {
    /// When it is appended.
    pub at: Duration,
    /// The record.
    pub message: OutMessage,
    /// What it is, for people.
    pub says: String,
}

struct Feed<'a> {
    chance: &'a Chance,
    mix: &'a Mix,
    lanes: i32,
    portfolios: &'static [&'static str],
    cents: [i64; 4],
    versions: BTreeMap<&'static str, i64>,
    sent: Vec<Timed>,
    fills: Vec<Value>,
    entries: Vec<(String, String)>,
    serial: u64,
}

/// All inputs of a play, by their moments.
pub fn inputs(chance: &Chance, mix: &Mix, active: Duration, lanes: i32) -> Vec<Timed> {
    let count = usize::try_from(chance.between("portfolios", 1, 5)).expect("a few");
    let mut feed = Feed {
        chance,
        mix,
        lanes,
        portfolios: &PORTFOLIOS[..count],
        cents: CENTS,
        versions: BTreeMap::new(),
        sent: Vec::new(),
        fills: Vec::new(),
        entries: Vec::new(),
        serial: 0,
    };
    feed.opening();
    let records = chance.between("records", 15, 90);
    let span = u64::try_from(active.as_millis()).expect("some seconds");
    let burst = chance.below("burst", 3) == 0;
    let mut moments: Vec<u64> = (0..records)
        .map(|_| match burst && chance.below("burst.in", 2) == 0 {
            true => span / 2 + chance.below("moment", 300),
            false => 500 + chance.below("moment", span),
        })
        .collect();
    moments.sort_unstable();
    for moment in moments {
        feed.one(Duration::from_millis(moment));
    }
    let mut sent = feed.sent;
    sent.sort_by_key(|timed| timed.at);
    sent
}

/// The event time of a moment of the play.
pub fn time_of(at: Duration) -> Timestamp {
    Timestamp::from_micros(BEGINNING).plus_micros(i64::try_from(at.as_micros()).expect("a play lasts minutes"))
}

fn record<T: DeserializeOwned>(value: Value) -> Box<T> {
    Box::new(serde_json::from_value(value).expect("a record of a play has the shape of its schema"))
}

fn price(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A last price.
pub fn tick(instrument: &str, cents: i64, time: Timestamp) -> Input {
    Input::Tick(record(json!({"instrument_id": instrument, "last": price(cents), "event_time": time.to_string()})))
}

impl Feed<'_> {
    fn strikes(&self, fault: Fault) -> bool {
        self.chance.strikes(fault.name(), self.mix.rate(fault))
    }
    fn portfolio(&self) -> &'static str {
        // The first one is hot.
        let count = self.portfolios.len();
        let at = if self.chance.below("hot", 3) == 0 { 0 } else { self.chance.below("portfolio", count as u64) };
        PORTFOLIOS[usize::try_from(at).expect("an index")]
    }
    fn instrument(&self) -> usize {
        usize::try_from(self.chance.below("instrument", INSTRUMENTS.len() as u64)).expect("an index")
    }
    fn next(&mut self, what: &str) -> String {
        self.serial += 1;
        format!("{what}-{}", self.serial)
    }

    /// Sends an input as its system would, perhaps twice, late, or under another's key.
    fn send(&mut self, at: Duration, input: &Input) {
        let id = self.next("feed");
        let partitions = self.lanes;
        let mut message = input_message(input, time_of(at), "/feed", &id, partitions).expect("a record of a play can be encoded");
        if self.strikes(Fault::Misfiled) {
            message.key = Some(b"nobody".to_vec());
        }
        let late = if self.strikes(Fault::SentLate) { self.chance.between("late", 100, 6_000) } else { 0 };
        let at = at + Duration::from_millis(late);
        if self.strikes(Fault::SentTwice) {
            let again = at + Duration::from_millis(self.chance.between("again", 0, 8_000));
            self.sent.push(Timed { at: again, message: message.clone(), says: format!("again {}", says(input)) });
        }
        self.sent.push(Timed { at, message, says: says(input) });
    }

    fn opening(&mut self) {
        for (number, instrument) in INSTRUMENTS.into_iter().enumerate() {
            let late = if self.chance.below("instrument.late", 4) == 0 { 4_000 } else { 0 };
            let at = Duration::from_millis(late + number as u64);
            let lot = *self.chance.pick("lot", &["1", "10"]);
            let share = json!({"instrument_id": instrument, "symbol": instrument, "type": "EQUITY", "currency": "USD", "sector": "Test", "lot_size": lot,
                "average_daily_volume": *self.chance.pick("volume", &[json!(null), json!("2000"), json!("5000")])});
            self.send(at, &Input::Instrument(record(share)));
            self.tick(at, number);
        }
        for portfolio in self.portfolios {
            let late = if self.chance.below("policy.late", 4) == 0 { 5_000 } else { 0 };
            self.policy(Duration::from_millis(late), portfolio);
            let dollars = self.chance.between("deposit", 10, 2_000) * 1_000;
            self.cash(Duration::from_millis(late / 2 + 10), portfolio, "DEPOSIT", &dollars.to_string());
        }
    }

    fn one(&mut self, at: Duration) {
        let portfolio = self.portfolio();
        match self.chance.below("kind", 100) {
            0..=34 => self.tick(at, self.instrument()),
            35..=64 => self.fill(at, portfolio),
            65..=71 => self.amend(at),
            72..=77 => self.move_cash(at, portfolio),
            78..=83 => self.policy(at, portfolio),
            84..=92 => self.command(at, portfolio),
            93..=95 => self.status(at),
            96 => self.action(at),
            97 => self.close(at),
            _ => self.stray(at, portfolio),
        }
    }

    fn tick(&mut self, at: Duration, number: usize) {
        let leap = self.chance.below("tick.leap", 6) == 0;
        let most = if leap { 2_500 } else { 150 };
        let moved = i64::try_from(self.chance.below("tick.move", 2 * most + 1)).expect("small") - i64::try_from(most).expect("small");
        let cents = (self.cents[number] + self.cents[number] * moved / 10_000).clamp(CENTS[number] / 3, CENTS[number] * 3);
        self.cents[number] = cents;
        let ahead = if self.chance.below("tick.future", 40) == 0 { 500_000_000 } else { 0 };
        self.send(at, &tick(INSTRUMENTS[number], cents, time_of(at).plus_micros(ahead)));
    }

    fn fill(&mut self, at: Duration, portfolio: &str) {
        let (number, id) = (self.instrument(), self.next("exec"));
        // Some execution reports come days late.
        let days = *self.chance.pick("fill.days", &[0, 0, 0, 0, 0, 0, 0, 1, 2, 5]);
        let time = time_of(at).plus_micros(-days * 86_400_000_000);
        let fees = match self.chance.below("fill.fee", 3) {
            0 => json!([]),
            _ => json!([{"type": "commission", "amount": "1.25", "currency": "USD"}]),
        };
        let side = if self.chance.below("fill.side", 5) > 1 { "BUY" } else { "SELL" };
        let fill = json!({
            "source": "desk", "exec_id": id, "trade_date": time.date_utc().to_string(), "exec_type": "TRADE",
            "portfolio_id": portfolio, "instrument_id": INSTRUMENTS[number], "side": side,
            "quantity": self.chance.between("fill.quantity", 1, 400).to_string(), "price": price(self.cents[number]),
            "currency": "USD", "fees": fees, "transact_time": time.to_string()
        });
        self.send(at, &Input::Fill(record(fill.clone())));
        if self.strikes(Fault::Conflict) {
            let mut other = fill.clone();
            other["quantity"] = json!("7777");
            self.send(at + Duration::from_millis(700), &Input::Fill(record(other)));
        }
        self.fills.push(fill);
    }

    /// A cancellation or a correction of an earlier execution, now and then before it, or of none.
    fn amend(&mut self, at: Duration) {
        if self.fills.is_empty() {
            return;
        }
        let mut fill = self.chance.pick("amend", &self.fills).clone();
        let kind = *self.chance.pick("amend.kind", &["CANCEL", "CORRECT"]);
        let original = if self.chance.below("amend.none", 10) == 0 { json!("exec-none") } else { fill["exec_id"].clone() };
        fill["exec_ref_id"] = original;
        fill["exec_id"] = json!(self.next("amend"));
        fill["exec_type"] = json!(kind);
        if kind == "CORRECT" {
            fill["quantity"] = json!(self.chance.between("amend.quantity", 1, 400).to_string());
        }
        let early = self.chance.below("amend.early", 8) == 0;
        let at = if early { at.saturating_sub(Duration::from_secs(8)) } else { at };
        self.send(at, &Input::Fill(record(fill.clone())));
        if self.chance.below("amend.chain", 3) == 0 {
            self.fills.push(fill);
        }
    }

    fn cash(&mut self, at: Duration, portfolio: &str, kind: &str, amount: &str) {
        let id = self.next("entry");
        let entry = json!({
            "source": "treasury", "entry_id": id, "portfolio_id": portfolio, "kind": kind, "currency": "USD",
            "amount": amount, "effective_at": time_of(at).to_string()
        });
        self.send(at, &Input::Cash(record(entry)));
        self.entries.push((id, portfolio.to_owned()));
    }

    fn move_cash(&mut self, at: Duration, portfolio: &'static str) {
        let amount = self.chance.between("cash.amount", 1, 50_000).to_string();
        if self.chance.below("cash.reverse", 5) == 0 && !self.entries.is_empty() {
            let (id, owner) = self.chance.pick("cash.which", &self.entries).clone();
            let own = self.next("entry");
            let entry = json!({
                "source": "treasury", "entry_id": own, "reverses": id, "portfolio_id": owner, "kind": "DEPOSIT", "currency": "USD",
                "amount": amount, "effective_at": time_of(at).to_string()
            });
            return self.send(at, &Input::Cash(record(entry)));
        }
        let kind = *self.chance.pick("cash.kind", &["DEPOSIT", "WITHDRAWAL", "FEE", "INTEREST"]);
        self.cash(at, portfolio, kind, &amount);
    }

    fn policy(&mut self, at: Duration, portfolio: &'static str) {
        if self.versions.contains_key(portfolio) && self.chance.below("policy.close", 12) == 0 {
            let closed = Input::PolicyClosed(domain::PortfolioId::new(portfolio).expect("a name"));
            return self.send(at, &closed);
        }
        let version = self.versions.entry(portfolio).or_default();
        *version += 1;
        let version = *version;
        let chance = self.chance;
        let weights =
            chance.pick("policy.weights", &[["0.5", "0.3", "0.1"], ["0.3", "0.3", "0.3"], ["0.6", "0.1", "0"], ["0.9", "0.3", "0.3"]]);
        let targets: Vec<_> =
            INSTRUMENTS.iter().zip(weights).map(|(id, weight)| json!({"instrument_id": id, "target_weight": weight})).collect();
        let scales = chance.below("policy.scales", 2) == 0;
        let policy = json!({
            "portfolio_id": portfolio, "policy_version": version, "base_currency": "USD", "targets": targets,
            "day_cut": *chance.pick("policy.cut", &["14:00", "14:00", "00:00"]),
            "target_risk": if scales || chance.below("policy.target-risk", 2) == 0 { json!("0.1") } else { json!(null) },
            "band": {"absolute": *chance.pick("policy.band", &["0.02", "0.05", "0.2"])},
            "trigger": {
                "mode": *chance.pick("policy.mode", &["AUTOMATIC", "AUTOMATIC", "APPROVAL"]),
                "cooldown_seconds": *chance.pick("policy.cooldown", &[0, 3]),
                "rearm_seconds": *chance.pick("policy.rearm", &[5, 3600]),
                "goal": *chance.pick("policy.goal", &["TARGET", "BAND_EDGE", "MIDPOINT"]),
                "scope": *chance.pick("policy.scope", &["WHOLE_BOOK", "BREACHED_LINES"]),
                "cash_band": *chance.pick("policy.cash-band", &[json!(null), json!("0.1")]),
                "approval": {"expiry_seconds": *chance.pick("policy.expiry", &[5, 3600])}
            },
            "orders": {
                "valid_seconds": *chance.pick("policy.valid", &[4, 20]),
                "funding": *chance.pick("policy.funding", &["WAIT_FOR_SELLS", "TOGETHER"]),
                "min_notional": *chance.pick("policy.notional", &["0", "500"]),
                "no_sells": chance.below("policy.no-sells", 8) == 0,
                "turnover_cap": *chance.pick("policy.turnover", &[json!(null), json!("0.1")]),
                "do_not_buy": if chance.below("policy.do-not-buy", 8) == 0 { json!(["BRAVO"]) } else { json!([]) },
                "risk": {"scale_targets": scales, "min_observations": 2},
                "slicing": serde_json::from_str::<Value>(chance.pick::<&str>("policy.slicing", &SLICING)).expect("JSON")
            },
            "book": {
                "cost_method": *chance.pick("policy.method", &["AVERAGE", "FIFO"]),
                "max_price_age_seconds": *chance.pick("policy.age", &[3, 600])
            },
            "limits": {
                "max_order_notional": *chance.pick("policy.order-limit", &["100000000", "5000"]),
                "max_daily_notional": "100000000000", "price_collar_bp": *chance.pick("policy.collar", &["9000", "300"]),
                "max_position_weight": *chance.pick("policy.position", &[json!(null), json!("0.4")])
            }
        });
        self.send(at, &Input::Policy(record(policy)));
    }

    fn command(&mut self, at: Duration, portfolio: &str) {
        let kind = *self
            .chance
            .pick("command", &["REBALANCE", "REBALANCE", "REBALANCE", "CANCEL", "HALT", "RESUME", "RELEASE", "FIRM", "RECONCILE"]);
        let id = self.next("command");
        let mut command = json!({
            "command_id": id, "portfolio_id": portfolio, "kind": kind, "actor": "ada", "reason": "a play", "issued_at": time_of(at).to_string()
        });
        match kind {
            "REBALANCE" => {
                command["mode"] =
                    self.chance.pick("command.mode", &[json!("AUTOMATIC"), json!("APPROVAL"), json!("CHECK"), json!(null)]).clone()
            }
            "HALT" | "RESUME" => {
                command["scope"] = json!("PORTFOLIO");
                command["target"] = json!(portfolio);
            }
            "FIRM" => return self.firm(at, command),
            "RECONCILE" => command["positions"] = json!([{"instrument_id": "ALFA", "quantity": "100"}]),
            _ => {}
        }
        self.send(at, &Input::Command(record(command)));
    }

    /// A command of the firm's scope goes to every lane, and is taken back some seconds later.
    fn firm(&mut self, at: Duration, mut command: Value) {
        command["portfolio_id"] = json!(null);
        command["scope"] = json!("FIRM");
        for (kind, later) in [("HALT", 0), ("RESUME", 3_000)] {
            command["kind"] = json!(kind);
            command["command_id"] = json!(self.next("command"));
            let input = Input::Command(record(command.clone()));
            let moment = at + Duration::from_millis(later);
            let message = input_message(&input, time_of(moment), "/feed", &self.next("feed"), self.lanes).expect("it can be encoded");
            for partition in 0..self.lanes {
                let message = OutMessage { partition, ..message.clone() };
                self.sent.push(Timed { at: moment, message, says: says(&input) });
            }
        }
    }

    fn status(&mut self, at: Duration) {
        let state = *self.chance.pick("status", &["OPEN", "OPEN", "HALTED", "CLOSED"]);
        let status = json!({"instrument_id": INSTRUMENTS[self.instrument()], "status": state, "effective_at": time_of(at).to_string()});
        self.send(at, &Input::MarketStatus(record(status)));
    }

    fn action(&mut self, at: Duration) {
        let (id, today) = (self.next("action"), time_of(at).date_utc().to_string());
        let action = match self.chance.below("action", 2) {
            0 => json!({"action_id": id, "instrument_id": INSTRUMENTS[self.instrument()], "status": "NEW", "kind": "SPLIT",
                "ratio_new": "2", "ratio_old": "1", "ex_date": today}),
            _ => json!({"action_id": id, "instrument_id": INSTRUMENTS[self.instrument()], "status": "NEW", "kind": "CASH_DIVIDEND",
                "amount_per_share": "0.5", "currency": "USD", "ex_date": today, "pay_date": today}),
        };
        self.send(at, &Input::CorporateAction(record(action)));
    }

    fn close(&mut self, at: Duration) {
        let number = self.instrument();
        let close = json!({"instrument_id": INSTRUMENTS[number], "date": "2026-03-02", "close": price(self.cents[number]), "currency": "USD", "source": "play"});
        self.send(at, &Input::Close(record(close)));
    }

    /// What nobody can take in.
    fn stray(&mut self, at: Duration, portfolio: &str) {
        let bad = json!({
            "source": "desk", "exec_id": self.next("exec"), "trade_date": "2026-03-03", "exec_type": "TRADE", "portfolio_id": portfolio,
            "instrument_id": *self.chance.pick("stray", &["ALFA", "UNHEARD"]), "side": "BUY",
            "quantity": if self.chance.below("stray.quantity", 2) == 0 { "0" } else { "5" }, "price": "10", "currency": "USD", "transact_time": time_of(at).to_string()
        });
        let input = Input::Fill(record(bad));
        self.send(at, &input);
        if self.strikes(Fault::Malformed) {
            let mut message = input_message(&input, time_of(at), "/feed", "malformed", self.lanes).expect("it can be encoded");
            message.value = message.value.map(|bytes| bytes[..bytes.len() / 2].to_vec());
            self.sent.push(Timed { at, message, says: "malformed bytes".to_owned() });
        }
    }
}

fn says(input: &Input) -> String {
    match input {
        Input::Fill(fill) => {
            format!("{} {} of {}: {} {} {}", fill.exec_type, fill.exec_id, fill.portfolio_id, fill.side, fill.quantity, fill.instrument_id)
        }
        Input::Tick(tick) => format!("tick of {}", tick.instrument_id),
        Input::Command(command) => format!("{} {:?}", command.kind, command.portfolio_id),
        Input::Policy(policy) => format!("policy {} of {}", policy.policy_version, policy.portfolio_id),
        Input::PolicyClosed(portfolio) => format!("{portfolio} is closed"),
        Input::Cash(entry) => format!("{} {} of {}", entry.kind, entry.amount, entry.portfolio_id),
        Input::Instrument(instrument) => format!("instrument {}", instrument.instrument_id),
        other => format!("{:?}", ballast::messages::input_topic(other)),
    }
}
