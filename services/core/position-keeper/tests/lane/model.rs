//! An independent slow model in exact rationals, and the laws that the book keeps to the last unit.

use crate::harness::*;
use domain::Amount;
use num_rational::BigRational;
use position_keeper::snapshot::Profit;
use position_keeper::valuation::{View, appraise};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

/// (instrument, currency, multiplier, base asset)
const INSTRUMENTS: [(&str, &str, i64, &str); 4] =
    [("A", "USD", 1, ""), ("E", "EUR", 1, ""), ("F", "USD", 50, ""), ("BTC/USD", "USD", 1, "BTC")];

#[derive(Debug, Clone)]
enum Act {
    Fill { instrument: usize, buy: bool, quantity: i64, price: i64, fee: i64, fee_currency: usize },
    Cash { kind: usize, euro: bool, amount: i64 },
    Price { instrument: usize, price: i64 },
    Rate { rate: i64 },
}

fn act() -> impl Strategy<Value = Act> {
    let fill = (0..4_usize, any::<bool>(), 1..2_000_000_000_i64, 1..5_000_000_000_000_i64, -10_000..1_000_000_i64, 0..3_usize);
    prop_oneof![
        4 => fill.prop_map(|(instrument, buy, quantity, price, fee, fee_currency)| Act::Fill { instrument, buy, quantity, price, fee, fee_currency }),
        1 => (0..4_usize, any::<bool>(), 1..1_000_000_000_i64).prop_map(|(kind, euro, amount)| Act::Cash { kind, euro, amount }),
        2 => (0..4_usize, 1..5_000_000_000_000_i64).prop_map(|(instrument, price)| Act::Price { instrument, price }),
        1 => (1_000_000_000..20_000_000_000_i64).prop_map(|rate| Act::Rate { rate }),
    ]
}

fn ratio(units: i128, scale: u32) -> BigRational {
    let whole = |n: i128| BigRational::from_integer(n.to_string().parse().unwrap());
    whole(units) / whole(10_i128.pow(scale))
}
fn near(amount: Amount, exact: &BigRational, tolerance: i128, what: &str) {
    let off = ratio(amount.units(), 18) - exact;
    let limit = ratio(tolerance, 18);
    assert!(off <= limit && -off.clone() <= limit, "{what}: {amount} against {exact}");
}
fn decimal(units: i64, scale: u32) -> String {
    Amount::from_units(i128::from(units) * 10_i128.pow(18 - scale)).to_string()
}

/// What is left of what one execution opened: (execution, quantity, cost, price per unit), all exact.
type Lot = (usize, BigRational, BigRational, BigRational);

/// The slow model: one position is (quantity, cost), both exact, and its lots.
#[derive(Default)]
struct Model {
    method: &'static str,
    cash: BTreeMap<&'static str, BigRational>,
    held: BTreeMap<usize, (BigRational, BigRational)>,
    lots: BTreeMap<usize, Vec<Lot>>,
    flows: BigRational,
    rate: BigRational,
}

impl Model {
    fn zero() -> BigRational {
        ratio(0, 0)
    }
    fn pay(&mut self, currency: &'static str, amount: BigRational) {
        *self.cash.entry(currency).or_insert_with(Self::zero) += amount;
    }
    fn in_base(&self, currency: &str, amount: BigRational) -> BigRational {
        if currency == "EUR" { amount * &self.rate } else { amount }
    }
    fn trade(&mut self, n: usize, instrument: usize, signed: BigRational, price: &BigRational) -> BigRational {
        let multiplier = ratio(i128::from(INSTRUMENTS[instrument].2), 0);
        let lots = self.lots.entry(instrument).or_default();
        let (quantity, cost) = self.held.entry(instrument).or_insert_with(|| (Self::zero(), Self::zero()));
        let zero = Self::zero();
        let mut realized = zero.clone();
        let against = (*quantity > zero && signed < zero) || (*quantity < zero && signed > zero);
        let mut rest = signed;
        if against {
            let size = |q: &BigRational| if *q < zero { -q.clone() } else { q.clone() };
            let closing = if size(&rest) < size(quantity) { rest.clone() } else { -quantity.clone() };
            let released = match self.method {
                "AVERAGE" => &*cost * (-closing.clone() / &*quantity),
                method => release(method, lots, size(&closing)),
            };
            realized = -closing.clone() * price * &multiplier - &released;
            *cost -= released;
            *quantity += &closing;
            rest -= closing;
        }
        *cost += &rest * price * &multiplier;
        if self.method != "AVERAGE" && rest != zero {
            match lots.last_mut().filter(|lot| lot.0 == n) {
                Some(lot) => (lot.1, lot.2) = (&lot.1 + &rest, &lot.2 + &rest * price * &multiplier),
                None => lots.push((n, rest.clone(), &rest * price * &multiplier, price.clone())),
            }
        }
        *quantity += rest;
        realized
    }
}

/// Takes units out of lots, one after the other; the cost that goes with them.
fn release(method: &str, lots: &mut Vec<Lot>, mut units: BigRational) -> BigRational {
    let (zero, mut released) = (Model::zero(), Model::zero());
    while units != zero {
        let dearest = |lots: &[Lot]| (1..lots.len()).fold(0, |best, at| if lots[at].3 > lots[best].3 { at } else { best });
        let at = match method {
            "FIFO" => 0,
            "LIFO" => lots.len() - 1,
            _ => dearest(lots),
        };
        let (_, quantity, cost, _) = &mut lots[at];
        let held = if *quantity < zero { -quantity.clone() } else { quantity.clone() };
        if held <= units {
            units -= held;
            released += lots.remove(at).2;
        } else {
            let (part, out) = (&*quantity * &units / &held, &*cost * &units / &held);
            *quantity -= part;
            *cost -= &out;
            released += out;
            units = zero.clone();
        }
    }
    released
}

fn play(acts: &[Act], method: &'static str) -> (Book, Model) {
    let mut book = Book::new();
    let mut model = Model { method, rate: ratio(11, 1), ..Model::default() };
    book.policy(1, json!({"book": {"cost_method": method}})).price("EUR/USD", "1.1").price("BTC/USD", "100");
    book.instrument("A", json!({})).instrument("E", json!({"currency": "EUR"}));
    book.instrument("F", json!({"type": "FUTURE", "multiplier": "50"}));
    book.instrument("BTC/USD", json!({"type": "CRYPTO", "base_asset": "BTC"}));
    let mut prices: BTreeMap<usize, i64> = BTreeMap::from([(3, 1_000_000_000_000)]);
    for (n, act) in acts.iter().enumerate() {
        book.at(second(n as i64));
        match act {
            Act::Price { instrument, price } => {
                book.price(INSTRUMENTS[*instrument].0, &decimal(*price, 10));
                prices.insert(*instrument, *price);
            }
            Act::Rate { rate } => {
                book.price("EUR/USD", &decimal(*rate, 10));
                model.rate = ratio(i128::from(*rate), 10);
            }
            Act::Cash { kind, euro, amount } => cash(&mut book, &mut model, n, *kind, *euro, *amount),
            Act::Fill { .. } => fill(&mut book, &mut model, n, act),
        }
        let outputs = book.run();
        assert!(letters(&outputs).is_empty(), "{:?}", letters(&outputs));
        snapshots(&outputs).into_iter().for_each(published);
    }
    book.run();
    model.held.retain(|instrument, _| prices.contains_key(instrument) || *instrument < 4);
    assert_eq!(book.lane.role().waiting(), 0);
    compare(&book, &model, &prices, acts.len() as i128 + 1);
    (book, model)
}

fn cash(book: &mut Book, model: &mut Model, n: usize, kind: usize, euro: bool, amount: i64) {
    let currency = if euro { "EUR" } else { "USD" };
    let name = ["DEPOSIT", "WITHDRAWAL", "FEE", "INTEREST"][kind];
    book.cash(&n.to_string(), name, currency, &decimal(amount, 4));
    let signed = ratio(i128::from(if kind == 1 || kind == 2 { -amount } else { amount }), 4);
    if kind < 2 {
        let flow = model.in_base(currency, signed.clone());
        model.flows += flow;
    }
    model.pay(currency, signed);
}

fn fill(book: &mut Book, model: &mut Model, n: usize, act: &Act) {
    let Act::Fill { instrument, buy, quantity, price, fee, fee_currency } = act else { return };
    let (id, currency, multiplier, asset) = INSTRUMENTS[*instrument];
    let fee_in = ["USD", "EUR", if asset.is_empty() { "USD" } else { asset }][*fee_currency];
    let more = json!({"instrument_id": id, "currency": currency, "fees": [{"type": "c", "amount": decimal(*fee, 4), "currency": fee_in}]});
    book.fill(&n.to_string(), if *buy { "BUY" } else { "SELL" }, &decimal(*quantity, 6), &decimal(*price, 10), more);
    let (quantity, price, fee) = (ratio(i128::from(*quantity), 6), ratio(i128::from(*price), 10), ratio(i128::from(*fee), 4));
    let signed = if *buy { quantity } else { -quantity };
    let realized = model.trade(n, *instrument, signed.clone(), &price);
    let paid = if id == "F" { realized } else { -signed * &price * ratio(i128::from(multiplier), 0) };
    model.pay(currency, paid);
    if fee_in == asset {
        model.trade(n, *instrument, -fee, &price);
    } else {
        model.pay(fee_in, -fee);
    }
}

fn compare(book: &Book, model: &Model, prices: &BTreeMap<usize, i64>, steps: i128) {
    let role = book.lane.role();
    let portfolio = &role.portfolios()[0];
    let zero = Model::zero();
    for balance in portfolio.cash.balances() {
        // A future's realized profit is the one amount of cash that a division made.
        let exact = model.cash.get(balance.currency.as_str()).unwrap_or(&zero);
        near(balance.amount, exact, steps, "cash");
    }
    let mut equity = model.cash.iter().fold(Model::zero(), |sum, (currency, amount)| sum + model.in_base(currency, amount.clone()));
    for line in portfolio.lines.all() {
        let slot = role.market().slot(line.instrument);
        let place = INSTRUMENTS.iter().position(|(id, ..)| *id == slot.id.as_str()).unwrap();
        let (quantity, cost) = model.held.get(&place).cloned().unwrap_or((zero.clone(), zero.clone()));
        assert_eq!(ratio(line.position.quantity.units(), 8), quantity, "position = Σ signed executions");
        near(line.position.cost, &cost, steps, "cost");
        assert!(!line.position.quantity.is_zero() || line.position.cost.is_zero(), "flat is exactly zero");
        let lots = model.lots.get(&place).map_or(&[][..], Vec::as_slice);
        assert_eq!(line.lots.len(), lots.len(), "lots of {}", slot.id);
        assert!(lots.is_empty() || line.lots.add_up_to(&line.position));
        for (lot, (n, quantity, cost, _)) in line.lots.iter().zip(lots) {
            assert_eq!((lot.opened_by.as_str(), ratio(lot.held.quantity.units(), 8)), (n.to_string().as_str(), quantity.clone()));
            near(lot.held.cost, cost, steps, "cost of a lot");
        }
        let Some(price) = prices.get(&place) else { continue };
        let (_, currency, multiplier, _) = INSTRUMENTS[place];
        let notional = quantity * ratio(i128::from(*price), 10) * ratio(i128::from(multiplier), 0);
        equity += model.in_base(currency, if place == 2 { notional - cost } else { notional });
    }
    let appraisal = appraise(portfolio, View { market: role.market(), now: book.lane.now() });
    near(appraisal.equity, &equity, 4 * steps, "equity");
    near(portfolio.sums.net_flows, &model.flows, steps, "flows");
    laws(book);
}

/// What holds in the last published unit.
fn published(snapshot: &domain::snapshot::Snapshot) {
    let m = &snapshot.metrics;
    let [gross, fees, income, net, unrealized, fx, flows, total] =
        [m.realized_gross, m.fees, m.income, m.realized_net, m.unrealized, m.fx_cash, m.net_flows, m.total_pnl].map(|part| part.units());
    assert_eq!(net, gross - fees + income, "{m:?}");
    assert_eq!(total, net + unrealized + fx, "{m:?}");
    assert_eq!(total, snapshot.total_value.units() - flows, "{m:?}");
    let held = snapshot.allocations.iter().any(|line| !line.quantity.is_zero());
    assert!(held || unrealized == 0, "what is flat shows no gain: {m:?}");
}

/// What holds to the last unit.
fn laws(book: &Book) {
    let role = book.lane.role();
    for portfolio in role.portfolios() {
        assert!(portfolio.sums.balance() && !portfolio.unbalanced);
        let costs: i128 = portfolio.lines.all().iter().map(|line| line.position.book_cost.units()).sum();
        let cash: i128 = portfolio.cash.balances().iter().map(|balance| balance.book.units()).sum();
        assert_eq!((portfolio.sums.book_cost.units(), portfolio.sums.book_cash.units()), (costs, cash));
        let appraisal = appraise(portfolio, View { market: role.market(), now: book.lane.now() });
        let profit = Profit::of(portfolio, &appraisal).unwrap();
        assert!(profit.ties_out(portfolio, &appraisal), "{profit:?}");
        let unrealized: i128 =
            portfolio.lines.counting().zip(&appraisal.lines).map(|((_, l), v)| v.value.units() - l.position.book_cost.units()).sum();
        assert_eq!(profit.unrealized.units(), unrealized);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_book_agrees_with_the_slow_model(acts in prop::collection::vec(act(), 1..60), method in 0..4_usize) {
        play(&acts, ["AVERAGE", "FIFO", "LIFO", "HIFO"][method]);
    }
}
